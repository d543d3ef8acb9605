"""Laws of the oracles of liveness: what never ends, and faults that never happen."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from robotape_harness.faults.fault import Fault, Site
from robotape_harness.faults.inject import Struck
from robotape_harness.oracles.liveness import hang, vacuous
from robotape_harness.oracles.verdict import Evidence
from robotape_harness.simulation.trial import simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, accused, doing, names, pay_42, paying, under


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
    [(wait_for_ever, "deadlock at 0 "), (spin, "livelock at 0 "), (poll, "time limit at ")],
)
def test_a_run_that_never_ends_is_accused_with_the_loops_report(script: Any, report: str) -> None:
    evidence = under(doing(script, paying()), "permanent_error")
    [verdict] = accused(hang, evidence)
    assert verdict.harm == 4
    assert f"the run never ends: {report}" in verdict.why
    assert "test_liveness.py:" in verdict.why
    assert "/" not in verdict.why
    assert "\n" not in verdict.why
    assert verdict.steps
    assert names(evidence) == ["hang"]


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


def test_a_fault_that_never_happens_is_accused_alone() -> None:
    scenario = doing(pay_42, paying())
    site = Site("tool", "tool:pay#2", "doer/tool:pay[1]")
    trial = simulate(scenario)
    evidence = Evidence(
        trial=trial,
        baseline=trial,
        struck=(Struck(Fault("error", site, "before_commit", "once"), transient=True),),
    )
    [verdict] = accused(vacuous, evidence)
    assert verdict.harm == 1
    assert "error before commit at tool:pay#2, once never happened" in verdict.why
    assert names(evidence) == ["vacuous"]


def test_control_a_fault_that_happened_and_a_run_without_one_are_not_vacuous() -> None:
    scenario = doing(pay_42, paying())
    assert not accused(vacuous, under(scenario, "error"))
    trial = simulate(scenario)
    assert not vacuous(Evidence(trial=trial, baseline=trial))
