"""Laws of cases: equal cases are equal values, and each says what it does in words."""

from dataclasses import replace

import pytest

from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Fault, Site
from robotape_harness.simulation.choices import Choice, ChoiceDivergenceError

SITE = Site("tool", "tool:pay#1", "doer/tool:pay[0]")
ONCE = Fault("error", SITE, "after_commit", "once")
LASTING = replace(ONCE, mode="forever")
RECORDED = (Choice("schedule", 3, 2), Choice("schedule", 2, 0))


def test_a_case_says_what_sets_its_run_apart() -> None:
    assert str(Case()) == "no fault"
    assert str(Case(choices=RECORDED)) == "no fault, another schedule"
    assert str(Case(faults=(ONCE,))) == "error after commit at tool:pay#1, once"
    assert str(Case(faults=(ONCE, LASTING))) == (
        "error after commit at tool:pay#1, once, and error after commit at tool:pay#1, for ever"
    )


def test_one_fault_that_never_ends_makes_a_case_lasting() -> None:
    assert Case(faults=(ONCE, LASTING)).is_lasting
    assert not Case(faults=(ONCE,)).is_lasting


def test_the_choices_of_a_case_are_made_again_and_no_others() -> None:
    choices = Case(choices=RECORDED).replayed()
    assert (choices.choose("schedule", 3), choices.choose("schedule", 2)) == (2, 0)
    with pytest.raises(ChoiceDivergenceError):
        choices.choose("schedule", 2)


def test_control_without_choices_every_decision_is_benign() -> None:
    assert Case().replayed().is_benign
