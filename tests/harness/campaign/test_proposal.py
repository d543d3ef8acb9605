"""Laws of proposals: equal keys for equal runs, other keys for others."""

from dataclasses import replace

from robotape_harness.campaign.proposal import Proposal, fault_key
from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Fault, Site
from robotape_harness.faults.when import When
from robotape_harness.simulation.choices import Choice

SITE = Site("tool", "tool:pay#1", "doer/tool:pay[0]")
FAULT = Fault("error", SITE, "before_commit", "once")
CASE = Case(faults=(FAULT,))


def test_the_same_case_has_the_same_key() -> None:
    assert Proposal(CASE).key == Proposal(Case(faults=(replace(FAULT),))).key


def test_whatever_sets_a_run_apart_sets_its_key_apart() -> None:
    others = [
        Proposal(CASE),
        Proposal(CASE, order=1),
        Proposal(replace(CASE, seed=1)),
        Proposal(replace(CASE, faults=(FAULT, FAULT))),
        Proposal(replace(CASE, choices=(Choice("schedule", 2, 1),))),
        Proposal(Case(faults=(replace(FAULT, mode="forever"),))),
        Proposal(Case(faults=(replace(FAULT, params={"seconds": 3.0}),))),
        Proposal(Case(faults=(replace(FAULT, when=When(nth=2)),))),
        Proposal(Case(faults=(replace(FAULT, site=replace(SITE, place="doer/tool:pay[1]")),))),
    ]
    assert len({each.key for each in others}) == len(others)


def test_a_fault_key_does_not_depend_on_the_order_of_params() -> None:
    one, other = ({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert fault_key(replace(FAULT, params=one)) == fault_key(replace(FAULT, params=other))
