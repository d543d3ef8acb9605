"""Phases beyond before and after: delivered twice, and done when nobody waits any more."""

import asyncio
from typing import Any

import pytest

from robotape import LLMAgent, RunContext, Tool
from robotape.calls import Call
from robotape.errors import CallTimeoutError
from robotape.models.steps import StepType
from robotape.stream import Stream
from robotape_harness.faults.fault import Fault, Mode, Phase, Site, sites_of
from robotape_harness.faults.inject import LATE, FaultInjector
from robotape_harness.scenario import Scenario
from robotape_harness.scripted import ScriptedLLM, call, say
from robotape_harness.simulation import Choices
from robotape_harness.simulation.trial import Trial, simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, doing, names, pay_42, paying_with_key, under

TOOL = Site("tool", "tool:pay#1", "desk/1/tool:pay[0]", is_keyed=True)


def at(kind: str, phase: Phase, mode: Mode = "once", **params: Any) -> Fault:
    return Fault(kind, TOOL, phase, mode, params)


TWICE = at("repeat", "duplicate_delivery")
LATELY = at("timeout", "late_reply")


def desk(body: Any = None, **options: Any) -> Scenario:
    """A desk that pays order 1 in half a second, with its key unless told otherwise."""

    async def pay(ctx: RunContext[World], order: int) -> str:
        """Pay."""
        await asyncio.sleep(0.5)
        ctx.deps.ledger.commit("paid", key=ctx.idempotency_key, order=order)
        return "paid"

    pay_tool: Tool[Any] = Tool(
        body or pay, name="pay", effect_key=lambda args: args.order, **options
    )
    return Scenario(
        world=World,
        agent=lambda world: LLMAgent(
            "desk", ScriptedLLM(call("pay", order=1), say("Done.")), tools=[pay_tool]
        ),
        task="go",
    )


async def heedless(ctx: RunContext[World], order: int) -> str:
    """Pay, without a key for the service: every commit counts."""
    await asyncio.sleep(0.5)
    ctx.deps.ledger.commit("paid", asked=ctx.idempotency_key[:4], order=order)
    return "paid"


def strike(fault: Fault, scenario: Scenario, **options: Any) -> tuple[Trial, FaultInjector]:
    injector = FaultInjector(fault)
    return simulate(scenario, seed=1, interceptors=[injector], **options), injector


def test_the_sites_of_the_desk_are_the_ones_that_are_struck_here() -> None:
    assert TOOL in sites_of(simulate(desk()).tape)


# -- delivered twice


def test_two_deliveries_carry_one_key_and_the_caller_sees_one_reply() -> None:
    trial, injector = strike(TWICE, desk(heedless))
    first, second = trial.ledger.commits
    assert first.details == second.details
    assert (first.at, second.at) == (0.5, 1.0)  # one after the other
    assert injector.struck.attempts == ((TOOL.place, 1),)
    replies = [step for step in trial.tape if TOOL.covers(step.call_id)]
    assert [step.type for step in replies] == [StepType.ACTION, StepType.OBSERVATION]
    assert trial.seconds == simulate(desk(heedless)).seconds  # nobody waits for the second
    assert (trial.ending, trial.leftovers) == ("answered", ())


def test_the_outcome_is_asked_for_when_the_second_delivery_is_over() -> None:
    trial, _ = strike(TWICE, desk(heedless))
    assert '"order\\":1}":2' in trial.outcome


def test_who_passes_the_key_on_pays_once() -> None:
    assert names(under(doing(pay_42, paying_with_key()), "repeat", "duplicate_delivery")) == []


def test_control_who_declares_a_key_and_keeps_it_pays_twice() -> None:
    async def pay(ctx: RunContext[World], order: str) -> str:
        """Pay."""
        ctx.deps.ledger.commit("payment", order=order)
        return "paid"

    careless: Tool[Any] = Tool(pay, effect_key=lambda args: args.order)
    evidence = under(doing(pay_42, careless), "repeat", "duplicate_delivery")
    assert names(evidence) == ["duplicate_side_effect"]


def test_the_second_may_come_later() -> None:
    trial, _ = strike(at("repeat", "duplicate_delivery", seconds=7.0), desk(heedless))
    assert [entry.at for entry in trial.ledger.commits] == [0.5, 8.0]
    assert (trial.seconds, trial.leftovers) == (0.5, ())


def test_it_comes_whatever_became_of_the_first() -> None:
    delivered: list[float] = []

    async def fail(ctx: RunContext[World], order: int) -> str:
        """Fail the first attempt, once delivered."""
        delivered.append(asyncio.get_running_loop().time())
        if ctx.retry == 0:
            raise ConnectionResetError("no")
        return "paid"

    trial, injector = strike(at("repeat", "duplicate_delivery", "forever"), desk(fail))
    assert trial.ending == "answered"
    assert [attempt for _, attempt in injector.struck.attempts] == [1, 2]
    assert len(delivered) == 4


def test_a_first_delivery_that_is_cancelled_is_no_delivery() -> None:
    trial, injector = strike(TWICE, desk(heedless, timeout=0.1))
    assert len(trial.ledger) == 0
    assert (injector.fired, type(trial.error)) == (1, CallTimeoutError)


def test_a_second_delivery_ends_at_the_first_call_its_body_makes() -> None:
    """The tape has that attempt already, and an attempt is made once."""

    async def pay(ctx: RunContext[World], order: str) -> str:
        """Commit, look, commit."""
        ctx.deps.ledger.commit("begun", order=order)
        await look_up.execute({"order": order}, ctx)
        ctx.deps.ledger.commit("paid", order=order)
        return "paid"

    async def look(order: str) -> str:
        """Look."""
        return order

    look_up: Tool[Any] = Tool(look)
    scenario = doing(pay_42, Tool(pay, effect_key=lambda args: args.order))
    evidence = under(scenario, "repeat", "duplicate_delivery")
    assert evidence.trial.ending == "answered"
    assert [entry.effect for entry in evidence.trial.ledger.commits] == ["begun", "paid", "begun"]


# -- late


@pytest.mark.parametrize(("mode", "commits"), [("once", 2), ("forever", 4)])
def test_the_caller_gives_up_first_and_the_effect_happens_later(mode: Mode, commits: int) -> None:
    trial, injector = strike(at("timeout", "late_reply", mode), desk(heedless))
    assert len(trial.ledger) == commits
    late = max(entry.at for entry in trial.ledger.commits)
    assert late > trial.seconds or mode == "once"
    assert injector.struck.transient is True
    assert [attempt for _, attempt in injector.struck.attempts] == list(
        range(1, injector.fired + 1)
    )
    errors = [step.value["error"] for step in trial.tape if step.type is StepType.ERROR]
    assert errors == ["TimeoutError"] * injector.fired
    assert trial.leftovers == ()


def test_the_late_effect_comes_after_the_first_retry_has_begun() -> None:
    trial, _ = strike(LATELY, desk(heedless))
    again = [s for s in trial.tape if s.type is StepType.ACTION and TOOL.covers(s.call_id)][1]
    late = max(entry.at for entry in trial.ledger.commits)
    assert again.at < 10.0 + LATE < late == 10.0 + LATE + 0.5


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_a_key_makes_the_late_effect_harmless(seed: int | None) -> None:
    choices = None if seed is None else Choices.seeded(seed)
    trial, _ = strike(LATELY, desk(), choices=choices)
    assert (trial.ending, len(trial.ledger)) == ("answered", 1)


def test_a_delay_answers_late_where_somebody_waits() -> None:
    trial, injector = strike(at("delay", "late_reply"), desk())
    assert (trial.ending, trial.seconds, injector.fired) == ("answered", 30.5, 1)
    assert [entry.at for entry in trial.ledger.commits] == [30.5]


def test_a_delay_outlives_the_callers_own_timeout_and_the_effect_happens() -> None:
    trial, _ = strike(at("delay", "late_reply"), desk(heedless, timeout=2.0, max_retries=0))
    assert isinstance(trial.error, CallTimeoutError)
    assert (trial.seconds, trial.leftovers) == (2.0, ())
    assert [entry.at for entry in trial.ledger.commits] == [30.5]


def test_control_a_delay_before_the_commit_is_cut_off_by_that_timeout() -> None:
    trial, _ = strike(at("delay", "before_commit"), desk(heedless, timeout=2.0, max_retries=0))
    assert len(trial.ledger) == 0


def test_an_error_of_a_late_body_reaches_nobody_but_who_waits() -> None:
    async def fail(ctx: RunContext[World], order: int) -> str:
        """Fail."""
        raise LookupError("no such order")

    lost, _ = strike(LATELY, desk(fail, max_retries=0))
    assert isinstance(lost.error, TimeoutError)
    met, _ = strike(at("delay", "late_reply"), desk(fail, max_retries=0))
    assert isinstance(met.error, LookupError)


def test_what_never_ends_out_there_is_no_fault_of_the_runs() -> None:
    async def wait(ctx: RunContext[World], order: int) -> str:
        """Pay at once when tried again; the first time wait for ever."""
        if ctx.retry == 0:
            await asyncio.get_running_loop().create_future()
        ctx.deps.ledger.commit("paid", order=order)
        return "paid"

    trial, _ = strike(LATELY, desk(wait))
    assert (trial.ending, trial.leftovers) == ("answered", ())
    assert '"order\\":1}":1' in trial.outcome


async def fan_out(doer: Doer, _: World) -> str:
    """Pay, then look from tasks of its own, one of them begun by a callback."""
    await doer.call("pay", order="42")
    begun: list[asyncio.Task[Any]] = []
    asyncio.get_running_loop().call_soon(
        lambda: begun.append(asyncio.ensure_future(doer.call("look", order="0")))
    )
    async with asyncio.TaskGroup() as group:
        for order in ("1", "2"):
            group.create_task(doer.call("look", order=order))
    await begun[0]
    return "done"


@pytest.mark.parametrize(
    ("kind", "phase"), [("repeat", "duplicate_delivery"), ("timeout", "late_reply")]
)
def test_what_the_harness_does_renames_no_call_of_the_run(kind: str, phase: Phase) -> None:
    async def look(order: str) -> str:
        """Look."""
        return order

    evidence = under(doing(fan_out, paying_with_key(), Tool(look)), kind, phase)
    ids, usual = (
        {step.call_id for step in trial.tape} for trial in (evidence.trial, evidence.fault_free)
    )
    assert ids == usual
    assert any("^" in call_id for call_id in usual)  # the control: such names there are
    assert evidence.struck[0].attempts


def test_delivering_late_needs_a_run_that_was_bound() -> None:
    async def effect(_: Call) -> None:
        raise AssertionError("entered")

    attempt = Call("tool", "pay", {}, call_id=TOOL.place)
    with pytest.raises(RuntimeError, match="must know its run: simulate it"):
        asyncio.run(FaultInjector(LATELY)(attempt, effect))


def test_a_reply_in_pieces_that_nobody_gets_is_closed() -> None:
    """Calls of other boundaries may answer in pieces; losing such a reply leaves it not open."""
    ended: list[BaseException | None] = []

    async def pieces() -> Any:
        yield "one"
        yield "two"

    async def effect(_: Call) -> Stream[Any]:
        stream: Stream[Any] = Stream(pieces(), whole=lambda: "one two")
        stream.watch(lambda error, _: ended.append(error))
        return stream

    attempt = Call("tool", "pay", {}, call_id=TOOL.place)
    with pytest.raises(ConnectionResetError):
        asyncio.run(FaultInjector(at("error", "after_commit"))(attempt, effect))
    assert [type(error) for error in ended] == [GeneratorExit]
