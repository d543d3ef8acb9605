"""Laws of explaining: each change alone, what it leads to, and the passing run that is nearest."""

from robotape_harness.campaign.budget import Budget, Purse
from robotape_harness.campaign.explain import MOST, explain, first_differing
from robotape_harness.campaign.reductions import changes
from robotape_harness.faults.case import Case
from robotape_harness.oracles.verdict import Verdict
from robotape_harness.simulation.choices import Choice
from robotape_harness.simulation.trial import Trial, simulate
from tests.harness.oracles.planted import doing, pay_42, paying, under

NAIVE = doing(pay_42, paying())
BASELINE = simulate(NAIVE)
LOST = under(NAIVE, "error", "after_commit")
REFUSED = under(NAIVE, "error", "before_commit")
CASE = Case(faults=(LOST.struck[0].fault,))
WRONG = (Verdict("mine", 3, "why"),)


def purse(runs: int | None = None) -> Purse:
    return Purse(Budget(runs=runs))


def test_each_change_is_tried_alone_and_told_with_what_it_leads_to() -> None:
    tried: list[Case] = []

    def judged(case: Case) -> tuple[Trial, tuple[Verdict, ...]]:
        tried.append(case)
        return BASELINE, () if case.faults else WRONG

    told = explain(CASE, LOST.trial, BASELINE, judged, purse=purse())
    assert tried == [case for _, case in changes(CASE)]
    assert [change.oracles for change in told.changes] == [("mine",), ()]
    assert told.passing == ("before commit instead of after commit",)


def test_the_nearest_run_is_the_one_that_goes_the_same_way_the_longest() -> None:
    told = explain(CASE, LOST.trial, BASELINE, lambda _: (REFUSED.trial, ()), purse=purse())
    # the fault-free run commits as the failing one does, and only then gets its reply
    assert (told.nearest_is, told.nearest) == ("the fault-free run", BASELINE)
    assert told.differs_at == first_differing(LOST.trial, BASELINE) == 2
    assert first_differing(LOST.trial, REFUSED.trial) == 1
    same = explain(CASE, LOST.trial, BASELINE, lambda _: (LOST.trial, ()), purse=purse())
    assert same.nearest is LOST.trial


def test_a_run_that_still_fails_or_broke_off_is_never_the_nearest() -> None:
    fails = explain(CASE, LOST.trial, BASELINE, lambda _: (LOST.trial, WRONG), purse=purse())
    broken = explain(CASE, LOST.trial, BASELINE, lambda _: None, purse=purse())
    assert fails.nearest is broken.nearest is BASELINE
    assert broken.changes == ()


def test_what_the_budget_does_not_allow_is_not_tried() -> None:
    told = explain(CASE, LOST.trial, BASELINE, lambda _: (BASELINE, ()), purse=purse(1))
    assert len(told.changes) == 1


def test_of_a_long_schedule_the_whole_is_left_out_first_and_not_every_decision_tried() -> None:
    case = Case(choices=tuple(Choice("schedule:on", 2, 1) for _ in range(99)))
    told = explain(case, LOST.trial, BASELINE, lambda _: (BASELINE, ()), purse=purse())
    assert len(told.changes) == MOST
    assert told.changes[0].what == "first in, first out"


def test_runs_that_are_the_same_differ_nowhere() -> None:
    events = first_differing(LOST.trial, under(NAIVE, "error", "after_commit").trial)
    assert events == 6
