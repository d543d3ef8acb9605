"""Laws of the oracles of cancellation: whoever goes on is accused, whoever cleans up is not."""

import asyncio
from typing import Any

import pytest

from robotape import RunContext, Tool
from robotape_harness.campaign.strike import strike
from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Fault, sites_of
from robotape_harness.oracles.cancel import fault_became_cancel, swallowed_cancel
from robotape_harness.oracles.verdict import Evidence
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.trial import simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import (
    Doer,
    Script,
    accused,
    doing,
    names,
    pay_42,
    paying,
    under,
)


async def swallow(doer: Doer, _: World) -> str:
    try:
        await doer.call("pay", order="42")
    except asyncio.CancelledError:
        return "never mind"
    return "paid"


async def rename(doer: Doer, _: World) -> str:
    try:
        return str(await doer.call("pay", order="42"))
    except asyncio.CancelledError:
        raise RuntimeError("cancelled") from None


async def try_again(doer: Doer, _: World) -> str:
    for _again in range(3):
        try:
            return str(await doer.call("pay", order="42"))
        except asyncio.CancelledError:
            await asyncio.sleep(2.0)
    raise asyncio.CancelledError


async def linger(doer: Doer, _: World) -> str:
    try:
        return str(await doer.call("pay", order="42"))
    finally:
        await asyncio.sleep(60.0)


async def wait_for_ever(doer: Doer, _: World) -> str:
    try:
        return str(await doer.call("pay", order="42"))
    except asyncio.CancelledError:
        await asyncio.Event().wait()
        raise


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (swallow, "the run answered instead of ending cancelled"),
        (rename, "the run raised instead of ending cancelled"),
        (try_again, "1 more attempts began after it (pay)"),
        (linger, "the run went on for 60 virtual s"),
    ],
)
def test_going_on_after_cancellation_is_accused(script: Script, said: str) -> None:
    evidence = under(doing(script, paying()), "cancellation")
    [verdict] = accused(swallowed_cancel, evidence)
    assert verdict.harm == 4
    assert verdict.why.startswith("cancelled at 0 s, and ")
    assert said in verdict.why
    assert verdict.steps
    assert names(evidence) == ["swallowed_cancel"]


def test_a_cancelled_run_that_never_ends_is_reported_once() -> None:
    evidence = under(doing(wait_for_ever, paying()), "cancellation")
    assert evidence.trial.ending == "hung"
    assert names(evidence) in (["swallowed_cancel"], ["hang"])


async def clean_up(doer: Doer, _: World) -> str:
    try:
        return str(await doer.call("pay", order="42"))
    finally:
        await doer.call("release")
        await asyncio.sleep(0.5)


@pytest.mark.parametrize("phase", ["before_commit", "after_commit"])
@pytest.mark.parametrize("script", [clean_up, pay_42])
def test_control_cleaning_up_is_not_going_on(script: Script, phase: Any) -> None:
    async def release() -> None:
        """Let go."""

    evidence = under(doing(script, paying(), Tool(release)), "cancellation", phase)
    assert evidence.trial.ending == "cancelled"
    assert evidence.cancelled_at == 0.0
    assert names(evidence) == []


def test_control_a_run_that_nobody_cancelled_is_not_judged() -> None:
    trial = simulate(doing(pay_42, paying()))
    assert swallowed_cancel(Evidence(trial=trial, baseline=trial)) == []


async def cancel_itself(doer: Doer, _: World) -> str:
    try:
        return str(await doer.call("pay", order="42"))
    except ConnectionError:
        raise asyncio.CancelledError from None


def test_a_cancellation_that_nobody_asked_for_is_accused() -> None:
    evidence = under(doing(cancel_itself, paying()), "error", mode="forever")
    [verdict] = accused(fault_became_cancel, evidence)
    assert verdict.harm == 4
    assert verdict.why.endswith("after tool:pay#1 had failed with ConnectionResetError")
    assert names(evidence) == ["fault_became_cancel"]


def test_a_body_that_is_cancelled_from_within_is_accused() -> None:
    async def pay(order: str) -> None:
        """Lose the connection."""
        raise asyncio.CancelledError

    trial = simulate(doing(pay_42, Tool(pay)))
    [verdict] = fault_became_cancel(Evidence(trial=trial, baseline=trial))
    assert verdict.steps == (1,)


@pytest.mark.parametrize("kind", ["cancellation", "error"])
def test_control_a_cancellation_that_was_asked_for_is_fine(kind: str) -> None:
    evidence = under(doing(pay_42, paying()), kind, mode="once")
    assert not accused(fault_became_cancel, evidence)


def cancelled_with(scenario: Scenario, *others: Fault) -> Evidence:
    """Cancel a run at its first payment, beside other faults."""
    baseline = simulate(scenario)
    [site] = [each for each in sites_of(baseline.tape) if each.alias == "tool:pay#1"]
    cancel = Fault("cancellation", site, "before_commit", "once")
    return strike(scenario, Case(faults=(*others, cancel)), baseline)


def test_control_an_error_of_the_same_instant_may_come_out_first() -> None:
    async def both(doer: Doer, _: World) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(doer.call("pay", order="41"))
            group.create_task(doer.call("pay", order="42"))

    scenario = doing(both, paying())
    [_, other] = sites_of(simulate(scenario).tape)
    evidence = cancelled_with(scenario, Fault("permanent_error", other, "before_commit", "once"))
    assert evidence.trial.ending == "raised"
    assert names(evidence) == []


def test_control_what_a_late_delivery_does_is_not_the_runs() -> None:
    async def pay(ctx: RunContext[World], order: str) -> str:
        """Pay, and note it."""
        await note.execute({"text": order})
        return "paid"

    async def write(text: str) -> str:
        """Note a text."""
        return text

    note = Tool(write, name="note")
    scenario = doing(pay_42, Tool(pay))
    site = sites_of(simulate(scenario).tape)[0]
    late = Fault("timeout", site, "late_reply", "once")
    evidence = strike(
        scenario,
        Case(faults=(late, Fault("cancellation", site, "before_commit", "once"))),
        simulate(scenario),
    )
    assert evidence.cancelled_at is not None
    assert any(call.first.began_at > evidence.cancelled_at for call in evidence.calls)
    assert names(evidence) == []
