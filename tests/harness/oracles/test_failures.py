"""Laws of the oracles of failures: slips and lost causes are accused, honest errors are not."""

from typing import Any

import pytest

from robotape.errors import RobotapeError
from robotape_harness.campaign.strike import strike
from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Fault, sites_of
from robotape_harness.oracles.failures import different_exception, error_info_lost
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


async def slip(doer: Doer, _: World) -> Any:
    try:
        return await doer.call("pay", order="42")
    except PermissionError as error:
        known: dict[str, str] = {}
        return known[str(error)]


async def slip_on_purpose(doer: Doer, _: World) -> Any:
    try:
        return await doer.call("pay", order="42")
    except PermissionError as error:
        raise KeyError("42") from error


async def hide(doer: Doer, _: World) -> Any:
    try:
        return await doer.call("pay", order="42")
    except PermissionError:
        raise RuntimeError("no") from None


async def forget(doer: Doer, _: World) -> Any:
    failed = False
    try:
        return await doer.call("pay", order="42")
    except PermissionError:
        failed = True
    raise RuntimeError(f"failed: {failed}")


async def wrap(doer: Doer, _: World) -> Any:
    try:
        return await doer.call("pay", order="42")
    except PermissionError as error:
        raise RuntimeError("no") from error


def refuse() -> None:
    raise RuntimeError("no")


async def wrap_in_passing(doer: Doer, _: World) -> Any:
    try:
        return await doer.call("pay", order="42")
    except PermissionError:
        refuse()


async def gather_up(doer: Doer, _: World) -> Any:
    try:
        return await doer.call("pay", order="42")
    except PermissionError as error:
        raise ExceptionGroup("several", [ValueError("another"), error]) from None


async def typed(doer: Doer, _: World) -> Any:
    try:
        return await doer.call("pay", order="42")
    except PermissionError:
        raise RobotapeError("typed") from None


def test_a_slip_in_the_handler_is_accused() -> None:
    evidence = under(doing(slip, paying()), "permanent_error")
    [verdict] = accused(different_exception, evidence)
    assert verdict.harm == 3
    assert verdict.why.startswith("KeyError('403 Forbidden")
    assert "where PermissionError had gone in" in verdict.why
    assert verdict.steps == (0, 1)
    assert names(evidence) == ["different_exception"]


@pytest.mark.parametrize("script", [hide, forget])
def test_an_error_that_does_not_lead_back_is_accused(script: Any) -> None:
    evidence = under(doing(script, paying()), "permanent_error")
    [verdict] = accused(error_info_lost, evidence)
    assert verdict.harm == 2
    assert "nothing in it leads back to the PermissionError that went in" in verdict.why
    assert names(evidence) == ["error_info_lost"]


@pytest.mark.parametrize(
    "script", [pay_42, wrap, wrap_in_passing, slip_on_purpose, gather_up, typed]
)
def test_control_an_error_that_leads_back_or_is_typed_is_fine(script: Any) -> None:
    evidence = under(doing(script, paying()), "permanent_error")
    assert evidence.trial.ending == "raised"
    assert names(evidence) == []


def test_control_a_slip_that_has_nothing_to_do_with_the_fault_is_not_judged_by_these() -> None:
    async def fail(doer: Doer, _: World) -> Any:
        return await doer.call("pay", order="42")

    evidence = under(doing(fail, paying()), "delay")
    assert not accused(different_exception, evidence)
    assert not accused(error_info_lost, evidence)


def test_a_chain_of_errors_that_is_a_circle_is_read_once() -> None:
    async def circle(doer: Doer, _: World) -> Any:
        try:
            return await doer.call("pay", order="42")
        except PermissionError:
            one, other = KeyError("one"), KeyError("other")
            other.__cause__ = one
            raise one from other

    evidence = under(doing(circle, paying()), "permanent_error")
    assert names(evidence) == ["different_exception"]


def test_control_an_error_that_passed_when_it_was_tried_again_is_not_owed() -> None:
    async def fail_later(doer: Doer, _: World) -> Any:
        await doer.call("pay", order="42")
        raise RuntimeError("something else")

    scenario = doing(fail_later, paying_with_key())
    baseline = simulate(doing(pay_42, paying_with_key()))
    [site] = sites_of(baseline.tape)
    fault = Fault("error", site, "before_commit", "once")
    evidence = strike(scenario, Case(faults=(fault,)), baseline)
    assert evidence.trial.ending == "raised"
    assert len(evidence.calls[0].attempts) == 2
    assert not accused(error_info_lost, evidence)
