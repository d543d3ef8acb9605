"""Laws of outcomes: every end of a run has its state, and a file loses nothing."""

import asyncio
import json
from dataclasses import replace

import pytest

from robotape import Tool
from robotape_harness.campaign.examine import Examiner
from robotape_harness.campaign.outcome import Outcome, dump, parse
from robotape_harness.campaign.proposal import Proposal
from robotape_harness.campaign.sweep import plan_sweep
from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Fault
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.trial import simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, doing, pay_42, paying, paying_with_key

SOUND = doing(pay_42, paying_with_key())
NAIVE = doing(pay_42, paying())
WAIVED = replace(NAIVE, waived={"duplicate_side_effect": "so it is"})


def came_of(
    scenario: Scenario, *told: str, order: int | None = None, strict: bool = False
) -> Outcome:
    """What comes of the faults that are told, `error after commit once`."""
    baseline = simulate(scenario)
    plan = plan_sweep(baseline.tape)
    faults = tuple(_fault(plan.faults, each) for each in told)
    examiner = Examiner(scenario, {0: baseline}, plan.sites, is_strict=strict)
    return examiner(Proposal(Case(faults=faults), order))


def _fault(faults: tuple[Fault, ...], told: str) -> Fault:
    return next(fault for fault in faults if told == str(fault).replace(" at tool:pay#1,", ""))


@pytest.mark.parametrize(
    ("scenario", "told", "state"),
    [
        (SOUND, "error before commit once", "recovered"),
        (SOUND, "permanent_error before commit once", "failed"),
        (SOUND, "cancellation before commit once", "failed"),
        (NAIVE, "error after commit once", "finding"),
        (WAIVED, "error after commit once", "waived"),
    ],
)
def test_every_end_has_its_state(scenario: Scenario, told: str, state: str) -> None:
    outcome = came_of(scenario, told)
    assert (outcome.state, outcome.fired) == (state, (True,))
    for told_of_findings in (outcome.verdicts, outcome.bugs, outcome.digest):
        assert bool(told_of_findings) == (state == "finding")
    assert bool(outcome.waived) == (state == "waived")


def test_a_fault_that_struck_nothing_does_not_speak_for_the_others() -> None:
    # The second one cancels; what the first would strike is never tried again.
    alone = came_of(NAIVE, "cancellation before commit once")
    both = came_of(NAIVE, "cancellation before commit once", "error after commit once")
    assert both.fired == (True, False)
    assert (both.state, both.verdicts) == (alone.state, alone.verdicts)


def missed(strict: bool) -> Outcome:
    baseline = simulate(SOUND)
    plan = plan_sweep(baseline.tape)
    nowhere = replace(plan.faults[0], site=replace(plan.sites[0], place="doer/tool:pay[7]"))
    examiner = Examiner(SOUND, {0: baseline}, plan.sites, is_strict=strict)
    return examiner(Proposal(Case(faults=(nowhere,))))


def test_a_run_that_no_fault_struck_was_not_reached_and_strictly_is_a_finding() -> None:
    assert (missed(strict=False).state, missed(strict=False).fired) == ("not_reached", (False,))
    strictly = missed(strict=True)
    assert strictly.state == "finding"
    assert [verdict.oracle for verdict in strictly.verdicts] == ["vacuous"]


def test_a_finding_under_a_drawn_schedule_keeps_what_was_decided() -> None:
    async def racing(doer: Doer, world: World) -> str:
        await asyncio.gather(*(doer.call("note", number=number) for number in range(3)))
        return await pay_42(doer, world)

    scenario = doing(racing, Tool(note), paying())
    assert came_of(scenario, "error after commit once", order=3).choices
    assert came_of(scenario, "error after commit once").choices is None


def test_control_where_nothing_was_decided_there_is_nothing_to_keep() -> None:
    assert came_of(NAIVE, "error after commit once", order=3).choices is None


async def note(number: int) -> int:
    """Note."""
    return number


def test_a_bug_is_the_same_whatever_fault_showed_it() -> None:
    bugs = {came_of(NAIVE, f"{kind} after commit once").bugs for kind in ("error", "timeout")}
    assert bugs == {("duplicate_side_effect doer/pay",)}


@pytest.mark.parametrize("order", [None, 2])
@pytest.mark.parametrize("told", ["error after commit once", "error before commit once"])
def test_a_file_loses_nothing(told: str, order: int | None) -> None:
    outcome = came_of(NAIVE, told, order=order)
    assert parse(json.loads(json.dumps(dump(outcome)))) == outcome


DAMAGED: list[dict[str, object]] = [
    {},
    {"state": "failed", "trace": 3},
    {"state": "failed", "turns": []},
]


@pytest.mark.parametrize("damaged", DAMAGED)
def test_what_is_no_outcome_is_refused(damaged: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no outcome of a case"):
        parse(damaged)
