"""Laws of the harvest: a bug is reported once, as a case that was run twice."""

from dataclasses import replace

from robotape_harness.campaign.examine import Examiner
from robotape_harness.campaign.harvest import Harvest
from robotape_harness.campaign.proposal import Proposal
from robotape_harness.campaign.sweep import plan_sweep
from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Fault
from robotape_harness.simulation.trial import simulate
from tests.harness.oracles.planted import doing, pay_42, paying

SCENARIO = doing(pay_42, paying())
BASELINE = simulate(SCENARIO)
PLAN = plan_sweep(BASELINE.tape)
EXAMINER = Examiner(SCENARIO, {0: BASELINE}, PLAN.sites)
LOST = [fault for fault in PLAN.faults if fault.phase == "after_commit" and fault.mode == "once"]
FAILING = [f for f in LOST if EXAMINER(Proposal(Case(faults=(f,)))).state == "finding"]
HARMLESS = next(f for f in PLAN.faults if f.kind == "delay" and f.mode == "once")


def harvested(*taken: tuple[str, Proposal]) -> Harvest:
    harvest = Harvest("desk:naive", EXAMINER)
    for stage, proposal in taken:
        harvest.take(stage, proposal, EXAMINER(proposal))
    return harvest


def under(*faults: Fault, order: int | None = None) -> Proposal:
    return Proposal(Case(faults=faults), order)


def test_every_single_fault_that_fails_is_a_finding_run_twice() -> None:
    harvest = harvested(*(("singles", under(fault)) for fault in FAILING))
    assert [found.case.faults for found in harvest.findings()] == [(fault,) for fault in FAILING]
    assert (harvest.runs, harvest.messages) == (len(FAILING), [])


def test_a_fault_that_struck_nothing_is_no_part_of_a_finding() -> None:
    nowhere = replace(HARMLESS, site=replace(PLAN.sites[0], place="doer/tool:pay[9]"))
    (found,) = harvested(("swarm", under(nowhere, FAILING[0]))).findings()
    assert found.case.faults == (FAILING[0],)


def test_a_bug_that_is_known_is_not_reported_again_by_a_swarm() -> None:
    known = ("singles", under(FAILING[0]))
    again = ("swarm", under(HARMLESS, FAILING[1], order=3))
    assert len(harvested(known, again).findings()) == 1


def test_control_one_that_is_not_known_is() -> None:
    (found,) = harvested(("swarm", under(HARMLESS, FAILING[1], order=3))).findings()
    assert len(found.case.faults) == 2


def test_an_earlier_finding_has_its_place_where_it_is_found_anew() -> None:
    first, second = FAILING[:2]
    anew = harvested(
        ("recorded", under(second)), ("singles", under(first)), ("singles", under(second))
    )
    assert [found.case.faults for found in anew.findings()] == [(first,), (second,)]
    assert anew.runs == 2
