"""Laws of the fault-free run: it must pass, be the same twice, and say what is wrong if not."""

import asyncio
import itertools
import random
import time
from dataclasses import replace
from typing import Any

import pytest

from robotape import BaseLLM, LLMAgent, Policy, RunResult, Tool, allow
from robotape.errors import PolicyDenied
from robotape_harness.campaign.baseline import blind_spots, first_difference, take_baseline, told
from robotape_harness.scenario import Scenario
from robotape_harness.scripted import BlockedLLM, FunctionLLM, ScriptedLLM, call
from robotape_harness.simulation.trial import Limits, simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, doing, pay_42, paying


def answering(*values: Any) -> Tool[Any]:
    """A tool that gives what a function makes up."""

    async def stamp() -> Any:
        """Stamp."""
        return values[0]()

    return Tool(stamp)


async def stamp(doer: Doer, _: World) -> Any:
    return await doer.call("stamp")


def talking(llm: BaseLLM, *tools: Tool[Any]) -> Scenario:
    return Scenario(
        world=World, agent=lambda _: LLMAgent("talker", llm=llm, tools=list(tools)), task="talk"
    )


def test_a_run_that_is_the_same_twice_can_be_measured_against() -> None:
    baseline = take_baseline(doing(pay_42, paying()), seed=7)
    assert (baseline.trouble, baseline.runs) == ("", 2)
    assert (
        baseline.trial.tape.to_bytes() == simulate(doing(pay_42, paying()), seed=7).tape.to_bytes()
    )


class Thing:
    """Something with an address."""


SOURCES = {
    "id": lambda: id(object()),
    "repr": lambda: repr(Thing()),
    "chance": random.Random().random,
    "time": time.process_time_ns,
    "state": itertools.count().__next__,
    "text": lambda: id("a" + str(time.process_time_ns())),
}


@pytest.mark.parametrize("name", SOURCES)
def test_what_differs_from_run_to_run_is_named_with_both_contents(name: str) -> None:
    for _ in range(5):
        baseline = take_baseline(doing(stamp, answering(SOURCES[name])))
        assert baseline.trouble.startswith(
            "not deterministic: first differing step 1: observation of stamp "
        )
        first = baseline.trial.tape[1].content.decode()
        assert f"observation of stamp {first} in the first run" in baseline.trouble
        assert "in the second" in baseline.trouble


def test_an_address_that_is_not_on_the_tape_is_caught_in_the_result() -> None:
    async def address(doer: Doer, _: World) -> int:
        return id(object())

    for _ in range(20):
        trouble = take_baseline(doing(address)).trouble
        assert "the tapes are the same, the result differs: " in trouble


def test_effects_and_outcomes_that_differ_are_caught() -> None:
    counts = itertools.count()

    async def commit(doer: Doer, world: World) -> None:
        world.ledger.commit("effect", number=next(counts))

    fixed = doing(commit, outcome=lambda result, world: "same")
    assert "the effects differs" in take_baseline(fixed).trouble
    assert "the outcome differs" in take_baseline(doing(commit)).trouble


def test_a_tape_that_ends_early_is_named() -> None:
    counts = itertools.count()

    async def once(doer: Doer, _: World) -> None:
        if next(counts) == 0:
            await doer.call("pay", order="42")

    trouble = take_baseline(doing(once, paying())).trouble
    assert "first differing step 0: action of pay" in trouble
    assert "the tape ends in the second" in trouble


def test_control_equal_runs_have_no_difference() -> None:
    first, second = simulate(doing(pay_42, paying())), simulate(doing(pay_42, paying()))
    assert first_difference(first, second) == ""


def test_steps_that_say_the_same_are_told_apart_by_what_stands_beside() -> None:
    async def wait(doer: Doer, _: World) -> None:
        await asyncio.sleep(next(waits))
        await doer.call("pay", order="42")

    waits = itertools.count(1)
    trouble = take_baseline(doing(wait, paying())).trouble
    assert "attempt 1 pending, at 1 s" in trouble
    assert "attempt 1 pending, at 2 s" in trouble


async def fail(doer: Doer, _: World) -> None:
    await doer.call("pay", order="42")
    raise LookupError("no such order")


async def stop(doer: Doer, _: World) -> RunResult:
    return RunResult("", doer.current_tape, stop_reason="failed", error="cannot do that")


async def wait_for_ever(doer: Doer, _: World) -> None:
    await asyncio.Event().wait()


async def spin(doer: Doer, _: World) -> None:
    while True:
        await asyncio.sleep(0)


async def cancel_itself(doer: Doer, _: World) -> None:
    raise asyncio.CancelledError


async def leave(doer: Doer, _: World) -> None:
    raise SystemExit(3)


def broken_outcome(result: RunResult, world: World) -> object:
    raise KeyError("no such effect")


def chatty(messages: Any, tools: Any) -> Any:
    return call("stamp")


@pytest.mark.parametrize(
    ("scenario", "phrase"),
    [
        (doing(fail, paying()), "the fault-free run fails: LookupError: no such order"),
        (doing(stop), "ends with failed: cannot do that; first make it pass without faults"),
        (doing(wait_for_ever), "the fault-free run never ends: DeadlockError: deadlock"),
        (doing(spin), "the fault-free run never ends: LivelockError: livelock"),
        (doing(leave), "the scenario itself is at fault: SystemExit: 3"),
        (doing(cancel_itself), "the fault-free run cancels itself"),
        (doing(pay_42, paying(), outcome=broken_outcome), "the scenario itself is at fault: Key"),
        (talking(ScriptedLLM(call("stamp")), answering(int)), "at fault: ScriptExhausted: "),
        (talking(BlockedLLM()), "the scenario itself is at fault: BlockedLLMError"),
        (talking(FunctionLLM(chatty), answering(int)), "it ends with max_turns"),
    ],
)
def test_a_run_that_fails_without_faults_says_why(scenario: Scenario, phrase: str) -> None:
    baseline = take_baseline(scenario)
    assert phrase in baseline.trouble
    assert baseline.runs == 1
    assert not baseline.is_blocked


def test_the_reason_is_prose_and_the_steps_that_led_there_are_on_the_tape() -> None:
    baseline = take_baseline(doing(fail, paying()))
    assert baseline.trouble == "the fault-free run fails: LookupError: no such order"
    assert told(1, baseline.trial.tape[1]) == '1 observation of pay "paid"'


def test_a_blocked_thread_is_told_apart_and_named() -> None:
    def block() -> None:
        """Block."""
        for _again in range(10**9):
            pass

    async def blocking(doer: Doer, _: World) -> None:
        block()

    baseline = take_baseline(doing(blocking), limits=Limits(blocked=0.2))
    assert baseline.is_blocked
    assert "test_baseline.py:" in baseline.trouble
    assert "/" not in baseline.trouble


def test_a_long_content_is_cut() -> None:
    trial = simulate(doing(stamp, answering(lambda: "x" * 10_000)))
    assert len(told(1, trial.tape[1])) < 300


async def ask_in_vain(doer: Doer, _: World) -> str:
    try:
        return str(await doer.call("pay", order="42"))
    except PolicyDenied:
        return "refused"


def test_a_run_that_commits_nothing_leaves_effects_unjudged_and_it_is_said() -> None:
    [told] = blind_spots(simulate(doing(stamp, answering(lambda: "paid"))))
    assert "committed nothing" in told


def test_calls_refused_by_the_policy_are_named_for_nothing_behind_them_is_tried() -> None:
    scenario = doing(ask_in_vain, paying())
    desk = Doer(ask_in_vain, paying())
    desk.policy = Policy(allow("clerk", "*"))
    trial = simulate(replace(scenario, agent=lambda _: desk))
    assert any("(pay)" in told and "principal" in told for told in blind_spots(trial))


def test_control_a_run_that_commits_and_is_not_refused_has_none() -> None:
    assert blind_spots(simulate(doing(pay_42, paying()))) == []
