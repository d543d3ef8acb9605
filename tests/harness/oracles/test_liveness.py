"""Laws of the oracles of liveness: what never ends is told apart by why it does not."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from robotape_harness.oracles import judge
from robotape_harness.oracles.liveness import REFRAIN, hang, livelock, no_total_deadline
from robotape_harness.oracles.verdict import Evidence
from robotape_harness.simulation.trial import simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import (
    Doer,
    accused,
    doing,
    names,
    pay_42,
    paying,
    paying_with_key,
    under,
)


async def wait_for_ever(doer: Doer, _: World) -> Any:
    try:
        return await doer.call("pay", order="42")
    except PermissionError:
        return await asyncio.Event().wait()


async def spin(doer: Doer, _: World) -> Any:
    try:
        return await doer.call("pay", order="42")
    except PermissionError:
        while True:
            await asyncio.sleep(0)


async def poll(doer: Doer, _: World) -> Any:
    try:
        return await doer.call("pay", order="42")
    except PermissionError:
        while True:
            await asyncio.sleep(3600.0)


@pytest.mark.parametrize(
    ("script", "report"),
    [
        (wait_for_ever, "the run never ends: deadlock at 0 "),
        (spin, "the run is busy and never ends: livelock at 0 "),
        (poll, "the run never ends: time limit at "),
    ],
)
def test_a_run_that_never_ends_is_accused_with_the_loops_report(script: Any, report: str) -> None:
    evidence = under(doing(script, paying()), "permanent_error")
    oracle = livelock if script is spin else hang
    [verdict] = accused(oracle, evidence)
    assert verdict.harm == 4
    assert verdict.why.startswith(report)
    assert "test_liveness.py:" in verdict.why
    assert "/" not in verdict.why
    assert "\n" not in verdict.why
    assert verdict.steps
    assert names(evidence) == [oracle.__name__]


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (
            "two wait:\n  a at x.py:1\n  b at x.py:2\nSet it.",
            "two wait: a at x.py:1; b at x.py:2. Set it.",
        ),
        ("one\n\ntwo", "one. two"),
        ("", ""),
    ],
)
def test_where_a_line_ended_a_reader_can_tell(report: str, told: str) -> None:
    scenario = doing(pay_42, paying())
    hung = replace(simulate(scenario), ending="hung", error=OSError(report))
    [verdict] = hang(Evidence(trial=hung, baseline=hung))
    assert verdict.why == f"the run never ends: {told or 'OSError'}"


def test_the_call_that_is_waited_for_is_the_evidence() -> None:
    async def stuck(doer: Doer, _: World) -> Any:
        return await doer.call("pay", order="42")

    class Silence:
        async def __call__(self, call: Any, call_next: Any) -> Any:
            return await asyncio.Event().wait()

    scenario = doing(stuck, paying())
    trial = simulate(scenario, interceptors=[Silence()])
    [verdict] = hang(Evidence(trial=trial, baseline=simulate(scenario)))
    assert verdict.steps == (0,)


def test_control_a_long_wait_that_ends_is_no_hang() -> None:
    async def patient(doer: Doer, _: World) -> Any:
        await asyncio.sleep(80_000.0)
        return await doer.call("pay", order="42")

    assert not accused(hang, under(doing(patient, paying()), "delay"))


async def read_on(doer: Doer, _: World) -> None:
    for _page in range(10):
        await doer.call("pay", order="42")


def test_what_is_merely_slow_wants_a_deadline_for_the_whole() -> None:
    evidence = under(doing(read_on, paying_with_key(), deadline=100.0), "delay", mode="forever")
    [verdict] = accused(no_total_deadline, evidence)
    assert verdict.harm == 3
    assert "was slow 4 times, and the run went on beyond its 100 s" in verdict.why
    assert names(evidence) == ["no_total_deadline"]


def test_control_a_deadline_of_the_whole_ends_the_run() -> None:
    async def in_time(doer: Doer, world: World) -> None:
        async with asyncio.timeout(90.0):
            await read_on(doer, world)

    evidence = under(doing(in_time, paying_with_key(), deadline=100.0), "delay", mode="forever")
    assert evidence.trial.ending == "raised"
    assert names(evidence) == []


def test_one_answer_to_one_question_over_and_over_is_a_livelock() -> None:
    async def ask(doer: Doer, _: World) -> None:
        try:
            await doer.call("pay", order="41")
            often = 1
        except ConnectionError:
            often = REFRAIN
        for _again in range(often):
            await doer.call("pay", order="42")

    evidence = under(doing(ask, paying_with_key()), "error", mode="forever")
    [verdict] = accused(livelock, evidence)
    assert verdict.harm == 4
    assert "was asked the same 20 times in a row" in verdict.why
    assert len(verdict.steps) == 2 * REFRAIN


def test_control_as_often_as_without_the_fault_is_no_livelock() -> None:
    async def ask(doer: Doer, _: World) -> None:
        for _again in range(30):
            await doer.call("pay", order="42")

    assert not accused(livelock, under(doing(ask, paying_with_key()), "error"))


def test_a_tape_alone_does_not_say_how_its_run_ended() -> None:
    tape = simulate(doing(pay_42, paying())).tape
    inconclusive = dict(judge(Evidence.of_tape(tape)).inconclusive)
    assert inconclusive["hang"] == "a tape does not say how its run ended"
    assert inconclusive["no_total_deadline"]
