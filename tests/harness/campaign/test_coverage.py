"""Laws of coverage: what was tried is counted, and the worst is what is shown."""

from robotape_harness.campaign.coverage import Tally
from robotape_harness.campaign.sweep import plan_sweep
from robotape_harness.faults.catalogue import kinds
from robotape_harness.simulation.trial import simulate
from tests.harness.oracles.planted import doing, pay_42, paying_with_key

PLAN = plan_sweep(simulate(doing(pay_42, paying_with_key())).tape)
ALIAS = "tool:pay#1"


def test_nothing_is_tried_at_the_beginning() -> None:
    coverage = Tally(PLAN).coverage()
    assert (coverage.possible, coverage.tried) == (len(PLAN.faults), 0)
    assert coverage.impossible == PLAN.impossible
    assert set(coverage.by_site[ALIAS].values()) == {"untried"}


def test_kinds_stand_in_the_order_of_the_catalogue() -> None:
    shown = list(Tally(PLAN).coverage().by_site[ALIAS])
    assert shown == [kind.name for kind in kinds("tool")]


def test_the_worst_of_a_kind_is_shown() -> None:
    tally = Tally(PLAN)
    errors = [fault for fault in PLAN.faults if fault.kind == "error"]
    shown = []
    for fault, state in zip(errors, ("ok", "waived", "finding", "ok"), strict=True):
        tally.note(fault, state)
        shown.append(tally.coverage().by_site[ALIAS]["error"])
    assert shown == ["untried", "waived", "finding", "finding"]
    for fault in PLAN.faults:
        tally.note(fault, "ok")
    assert tally.coverage().tried == tally.coverage().possible
    assert set(tally.coverage().by_site[ALIAS].values()) == {"ok"}


def test_a_run_that_could_not_be_judged_was_not_tried() -> None:
    tally = Tally(PLAN)
    tally.doubt(PLAN.faults[0], ValueError())
    assert tally.coverage().tried == 0
    assert len(tally.doubts) == 1
