"""The injector: what strikes strikes there and then, as often as planned, and is the real thing."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from robotape import BaseAgent, LLMAgent, Policy, RunContext, RunResult, allow, intercept, tool
from robotape.calls import Call
from robotape.errors import CallTimeoutError, ModelBehaviorError
from robotape.models.steps import StepType
from robotape_harness.faults.catalogue import MODES, PHASES, impossible, kind_of, kinds, possible
from robotape_harness.faults.fault import Fault, Mode, Phase, Site, sites_of
from robotape_harness.faults.inject import FaultInjector, is_meant
from robotape_harness.scenario import Scenario
from robotape_harness.scripted import ScriptedLLM, call, say
from robotape_harness.simulation import Choices, SimLoop
from robotape_harness.simulation.trial import Trial, simulate
from robotape_harness.world import World

ROOT = Path(__file__).parents[3]


@tool(effect_key=lambda args: args.order)
async def refund(ctx: RunContext[World], order: int) -> str:
    """Pay back, without a key for the service: every commit counts."""
    await asyncio.sleep(0.5)
    ctx.deps.ledger.commit("refund", order=order)
    return "paid"


@tool(effect_key=lambda args: args.order, timeout=2.0)
async def hasty(ctx: RunContext[World], order: int) -> str:
    """Pay back within two seconds."""
    ctx.deps.ledger.commit("hasty", order=order)
    return "paid"


def make(*turns: Any, **changes: Any) -> Scenario:
    parts: dict[str, Any] = {
        "world": World,
        "agent": lambda world: LLMAgent("desk", ScriptedLLM(*turns), tools=[refund, hasty]),
        "task": "go",
    }
    return Scenario(**{**parts, **changes})


ONE = make(call("refund", order=1), say("Done."))
PARALLEL = make(
    [call("refund", order=1), call("refund", order=2), call("refund", order=3)], say(".")
)
SITES = {site.alias: site for site in sites_of(simulate(PARALLEL).tape)}
TOOL = SITES["tool:refund#1"]
SECOND = SITES["tool:refund#2"]
ASKS = SITES["llm[desk]#1"]
ANSWERS = SITES["llm[desk]#2"]
EVERY = [fault for site in (ASKS, TOOL, ANSWERS) for fault in possible(site)]


def strike(fault: Fault, scenario: Scenario = ONE, **options: Any) -> tuple[Trial, FaultInjector]:
    injector = FaultInjector(fault)
    return simulate(scenario, seed=1, interceptors=[injector], **options), injector


def at(kind: str, site: Site, phase: Phase = "before_commit", mode: Mode = "once") -> Fault:
    return Fault(kind, site, phase, mode)


def attempts(trial: Trial, site: Site) -> int:
    return sum(step.type is StepType.ACTION and site.covers(step.call_id) for step in trial.tape)


# -- every fault of the catalogue


@pytest.mark.parametrize("fault", EVERY, ids=str)
def test_every_fault_that_can_happen_does(fault: Fault) -> None:
    trial, injector = strike(fault)
    assert injector.fired > 0
    assert trial.ending in ("answered", "raised", "cancelled")


@pytest.mark.parametrize("fault", [f for f in EVERY if kind_of(f).error], ids=str)
def test_what_the_agent_meets_is_the_catalogues_class(fault: Fault) -> None:
    trial, injector = strike(fault)
    name = (kind_of(fault).error or Exception).__name__
    errors = [step.value["error"] for step in trial.tape if step.type is StepType.ERROR]
    assert errors == [name] * injector.fired
    if trial.error is not None:
        assert type(trial.error).__name__ == name
        assert trial.error.__notes__ == [f"robotape: injected {fault}"]


@pytest.mark.parametrize("site", [ASKS, TOOL, ANSWERS], ids=str)
def test_what_cannot_happen_is_refused(site: Site) -> None:
    refused = 0
    for kind in kinds(site.boundary):
        for phase in PHASES:
            for mode in MODES:
                fault = Fault(kind.name, site, phase, mode)
                if str(fault) in dict(impossible(site)):
                    refused += 1
                    with pytest.raises(ValueError, match="cannot happen"):
                        FaultInjector(fault)
    assert refused == len(impossible(site)) > 0


def test_the_impossible_rows_are_really_impossible() -> None:
    """Without the table's word: an answer without calls cannot be spoiled, nor does it commit."""
    asks = Site("llm", ANSWERS.alias, ANSWERS.place, asks_for_tools=True)
    for kind in ("wrong_tool_name", "truncated_arguments"):
        trial, injector = strike(at(kind, asks))
        assert (injector.fired, trial.ending) == (0, "answered")
    baseline = simulate(ONE)
    model_calls = {step.call_id for step in baseline.tape if step.node == "llm"}
    assert not model_calls & {entry.call_id for entry in baseline.ledger.commits}


# -- phases


@pytest.mark.parametrize("kind", ["error", "permanent_error", "timeout"])
def test_before_commit_never_enters_the_effect_and_after_commit_always_has(kind: str) -> None:
    before, _ = strike(at(kind, TOOL, "before_commit", "forever"))
    after, injector = strike(at(kind, TOOL, "after_commit", "forever"))
    assert len(before.ledger) == 0
    assert len(after.ledger) == injector.fired == attempts(after, TOOL)
    assert before.ending == after.ending == "raised"


def test_control_without_a_fault_there_is_one_commit() -> None:
    assert simulate(ONE).ledger.totals() == {'refund {"order":1}': 1}


def test_a_lost_reply_is_found_in_the_ledger() -> None:
    lost, _ = strike(at("error", TOOL, "after_commit"))
    assert lost.ledger.totals() == {'refund {"order":1}': 2}
    never, _ = strike(at("error", TOOL, "before_commit"))
    assert never.ledger.totals() == {'refund {"order":1}': 1}


def test_after_commit_does_not_fire_where_the_body_raises() -> None:
    @tool(pure=True)
    async def refund(order: int) -> str:
        """Fail."""
        raise LookupError("no such order")

    scenario = make(
        agent=lambda world: LLMAgent("desk", ScriptedLLM(call("refund", order=1)), tools=[refund])
    )
    trial, injector = strike(at("permanent_error", TOOL, "after_commit", "forever"), scenario)
    assert injector.fired == 0
    assert isinstance(trial.error, LookupError)


@pytest.mark.parametrize(
    ("phase", "committed_at"), [("before_commit", 30.5), ("after_commit", 0.5)]
)
def test_a_delay_lies_before_or_behind_the_commit(phase: Phase, committed_at: float) -> None:
    trial, injector = strike(at("delay", TOOL, phase))
    assert [entry.at for entry in trial.ledger.commits] == [committed_at]
    assert (trial.ending, trial.seconds, injector.fired) == ("answered", 30.5, 1)


def test_a_timeout_takes_its_time() -> None:
    trial, _ = strike(at("timeout", TOOL, "before_commit", "forever"))
    assert isinstance(trial.error, TimeoutError)
    assert trial.seconds >= 40.0


def test_a_timeout_of_the_tools_own_comes_first() -> None:
    scenario = make(call("hasty", order=1), say("Done."))
    (site,) = (s for s in sites_of(simulate(scenario).tape) if s.boundary == "tool")
    trial, injector = strike(at("timeout", site, "before_commit", "forever"), scenario)
    assert isinstance(trial.error, CallTimeoutError)
    assert (injector.fired, len(trial.ledger)) == (4, 0)


def test_time_is_a_parameter() -> None:
    trial, _ = strike(Fault("delay", TOOL, "before_commit", "once", {"seconds": 3.0}))
    assert trial.seconds == 3.5


# -- modes


@pytest.mark.parametrize(
    ("fault", "fired", "tried"),
    [
        (at("error", TOOL), 1, 2),
        (at("error", TOOL, mode="forever"), 4, 4),
        (at("permanent_error", TOOL, mode="forever"), 1, 1),
        (at("server_error", ASKS), 1, 2),
        (at("server_error", ASKS, mode="forever"), 3, 3),
        (at("quota", ASKS, mode="forever"), 1, 1),
        (at("wrong_tool_name", ASKS), 1, 2),
        (at("wrong_tool_name", ASKS, mode="forever"), 3, 3),
        (at("truncated_arguments", ASKS), 1, 2),
    ],
    ids=str,
)
def test_once_is_the_first_attempt_and_for_ever_every_one(
    fault: Fault, fired: int, tried: int
) -> None:
    trial, injector = strike(fault)
    assert (injector.fired, attempts(trial, fault.site)) == (fired, tried)
    has_recovered = fault.mode == "once"
    assert (trial.ending == "answered") is has_recovered


def attempt(kind: Any, call_id: str, number: int = 1) -> Call:
    return Call(kind, "refund", {}, call_id=call_id, attempt=number)


def test_a_fault_means_every_attempt_at_its_site_and_none_elsewhere() -> None:
    fault = at("server_error", ASKS)
    assert is_meant(fault, attempt("llm", "desk/1/llm[0]"))
    assert is_meant(fault, attempt("llm", "desk/1/llm[2]", 3))
    assert not is_meant(fault, attempt("llm", "desk/2/llm[0]"))
    assert not is_meant(fault, attempt("tool", "desk/1/llm[0]"))


@pytest.mark.parametrize(("mode", "expected"), [("once", False), ("forever", True)])
def test_for_ever_also_means_the_same_question_under_another_id(mode: Mode, expected: bool) -> None:
    fault = at("error", TOOL, mode=mode)
    first, again = attempt("tool", TOOL.place), attempt("tool", "desk/2/tool:refund[0]")
    assert not is_meant(fault, again)
    assert is_meant(fault, again, first) is expected
    other = Call("tool", "refund", {"order": 2}, call_id=again.call_id)
    assert not is_meant(fault, other, first)


def test_a_fault_at_one_of_parallel_calls_spares_the_others() -> None:
    trial, injector = strike(at("error", SECOND, "before_commit", "forever"), PARALLEL)
    assert injector.fired == 4
    assert trial.ledger.totals() == {'refund {"order":1}': 1, 'refund {"order":3}': 1}


# -- wrong answers


def test_a_misnamed_tool_is_refused_and_the_model_asked_again() -> None:
    trial, _ = strike(at("wrong_tool_name", ASKS))
    errors = [step.value for step in trial.tape if step.type is StepType.ERROR]
    assert [error["error"] for error in errors] == ["UnknownToolError"]
    assert "no_such_refund" in errors[0]["message"]
    assert trial.outcome == simulate(ONE).outcome


def test_cut_arguments_are_refused_and_never_repaired() -> None:
    trial, _ = strike(at("truncated_arguments", ASKS, mode="forever"))
    assert isinstance(trial.error, ModelBehaviorError)
    assert len(trial.ledger) == 0


def test_only_the_first_of_several_calls_is_spoiled() -> None:
    trial, _ = strike(at("wrong_tool_name", ASKS), PARALLEL)
    said = next(step.value for step in trial.tape if step.type is StepType.THOUGHT)
    names = [asked["name"] for asked in said["tool_calls"]]
    assert names == ["no_such_refund", "refund", "refund"]
    assert trial.outcome == simulate(PARALLEL).outcome


# -- cancellation


@pytest.mark.parametrize("seed", [None, 1, 2, 3, 4, 5])
@pytest.mark.parametrize(("phase", "commits"), [("before_commit", 0), ("after_commit", 1)])
@pytest.mark.parametrize("scenario", [ONE, PARALLEL], ids=["alone", "parallel"])
def test_cancellation_strikes_at_its_phase(
    scenario: Scenario, phase: Phase, commits: int, seed: int | None
) -> None:
    choices = None if seed is None else Choices.seeded(seed)
    trial, injector = strike(at("cancellation", TOOL, phase), scenario, choices=choices)
    assert (trial.ending, injector.fired) == ("cancelled", 1)
    assert trial.ledger.totals().get('refund {"order":1}', 0) == commits
    assert injector.cancelled_at == (0.0 if phase == "before_commit" else 0.5)
    ended = [step.status.value for step in trial.tape if TOOL.covers(step.call_id)]
    assert ended == ["pending", "cancelled"]
    assert (trial.tape.pending, trial.leftovers) == ({}, ())


def test_cancellation_at_a_model_call_asks_nothing() -> None:
    trial, injector = strike(at("cancellation", ANSWERS))
    assert (trial.ending, injector.cancelled_at) == ("cancelled", 0.5)
    assert trial.tape[-1].value is None


Way = Callable[[Any], Awaitable[Any]]


async def in_a_task_group(first: Any) -> Any:
    async with asyncio.TaskGroup() as outer:
        inner = outer.create_task(in_a_gather(first))
    return inner.result()


async def in_a_gather(first: Any) -> Any:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(first)
        group.create_task(asyncio.sleep(5))
    return task.result()


async def shielded(first: Any) -> Any:
    return await asyncio.shield(first)


def through(way: Way) -> Scenario:
    """An agent that makes its one call in some task of its own."""

    class Wrapper(LLMAgent):
        async def work(self, task: Any, deps: Any) -> RunResult:
            value = await way(self.call_tool("refund", {"order": 1}, RunContext(deps)))
            return RunResult(value, self.current_tape)

    return make(agent=lambda world: Wrapper("desk", ScriptedLLM(), tools=[refund]))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("way", [in_a_gather, in_a_task_group])
def test_cancellation_arrives_through_task_groups_before_the_effect(way: Way, seed: int) -> None:
    scenario = through(way)
    (site,) = sites_of(simulate(scenario).tape)
    fault = at("cancellation", site)
    trial, injector = strike(fault, scenario, choices=Choices.seeded(seed))
    assert (trial.ending, len(trial.ledger), injector.fired) == ("cancelled", 0, 1)


def test_a_shielded_call_goes_on_though_the_run_is_cancelled() -> None:
    scenario = through(shielded)
    (site,) = sites_of(simulate(scenario).tape)
    trial, injector = strike(at("cancellation", site), scenario)
    assert (trial.ending, injector.fired) == ("cancelled", 1)
    assert trial.leftovers != ()


def test_an_agent_that_swallows_its_cancellation_answers() -> None:
    class Stubborn(LLMAgent):
        async def work(self, task: Any, deps: Any) -> RunResult:
            try:
                return await super().work(task, deps)
            except asyncio.CancelledError:
                return RunResult("I go on", self.current_tape)

    scenario = make(
        agent=lambda world: Stubborn("desk", ScriptedLLM(call("refund", order=1)), tools=[refund])
    )
    trial, injector = strike(at("cancellation", TOOL), scenario)
    assert (trial.ending, injector.cancelled_at) == ("answered", 0.0)


def test_cancelling_needs_a_run_that_was_bound() -> None:
    async def run() -> None:
        world = World()
        with intercept(FaultInjector(at("cancellation", TOOL))):
            await ONE.agent(world).run("go", deps=world)

    simulated = asyncio.Runner(loop_factory=SimLoop)
    with simulated as runner, pytest.raises(RuntimeError, match="simulate it, or call `bind`"):
        runner.run(run())


# -- where it stands


def test_a_denied_call_never_meets_its_fault() -> None:
    policy = Policy(allow("support", "refund"))
    scenario = make(
        agent=lambda world: LLMAgent(
            "desk",
            ScriptedLLM(call("refund", order=1), say("Sorry.")),
            tools=[refund],
            policy=policy,
        ),
        principal="guest",
    )
    trial, injector = strike(at("error", TOOL, mode="forever"), scenario)
    assert (trial.ending, injector.fired) == ("answered", 0)


def test_works_by_intercept_alone() -> None:
    async def run() -> tuple[int, RunResult]:
        injector = FaultInjector(at("wrong_tool_name", ASKS))
        world = World()
        with intercept(injector):
            result = await ONE.agent(world).run("go", deps=world)
        return injector.fired, result

    with asyncio.Runner(loop_factory=SimLoop) as runner:
        fired, result = runner.run(run())
    assert (fired, result.output) == (1, "Done.")


# -- determinism

PROGRAM = """
import hashlib, sys
sys.path[:0] = {path!r}
from robotape import LLMAgent, RunContext, tool
from robotape_harness.faults.catalogue import possible
from robotape_harness.faults.fault import sites_of
from robotape_harness.faults.inject import FaultInjector
from robotape_harness.scenario import Scenario
from robotape_harness.scripted import ScriptedLLM, call, say
from robotape_harness.simulation.trial import simulate
from robotape_harness.world import World

@tool
async def refund(ctx: RunContext[World], order: int) -> str:
    "Pay back."
    ctx.deps.ledger.commit("refund", order=order)
    return "paid"

turns = [call("refund", order=1), call("refund", order=2)], say("Done.")
scenario = Scenario(
    world=World,
    agent=lambda world: LLMAgent("desk", ScriptedLLM(*turns), tools=[refund]),
    task="go",
)
for site in sites_of(simulate(scenario, seed=9).tape):
    for fault in possible(site):
        injector = FaultInjector(fault)
        trial = simulate(scenario, seed=9, interceptors=[injector])
        digest = hashlib.sha256(trial.tape.to_bytes()).hexdigest()
        print(fault, trial.ending, injector.fired, trial.seconds, digest)
"""


def test_every_fault_gives_the_same_bytes_in_every_process() -> None:
    program = PROGRAM.format(path=[str(ROOT / "harness"), str(ROOT)])
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for hash_seed in ("0", "1", "4242")
    }
    assert len(outputs) == 1
    assert len(outputs.pop().splitlines()) == 24 + 24 + 21 + 17


# -- streams


class Streaming(BaseAgent):
    """An agent that reads its model piece by piece."""

    async def work(self, task: Any, deps: Any) -> RunResult:
        model = ScriptedLLM(call("refund", order=1))
        async with model.stream(str(task)) as stream:
            async for _ in stream:
                pass
        return RunResult(stream.whole.tool_calls[0].arguments, self.current_tape)


def test_every_fault_of_a_model_strikes_a_streamed_call_like_any() -> None:
    scenario = make(agent=lambda world: Streaming("desk"))
    [site] = sites_of(simulate(scenario).tape)
    for fault in possible(site):
        trial, injector = strike(fault, scenario)
        assert injector.fired > 0, fault
        assert trial.ending in ("answered", "raised", "cancelled"), fault


def test_a_streamed_answer_is_spoiled_as_a_whole() -> None:
    scenario = make(agent=lambda world: Streaming("desk"))
    [site] = sites_of(simulate(scenario).tape)
    trial, _ = strike(at("truncated_arguments", site), scenario)
    [said] = [step.value for step in trial.tape if step.type is StepType.THOUGHT]
    assert said["tool_calls"][0]["arguments"] == '{"orde'
