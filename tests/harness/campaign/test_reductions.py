"""Laws of reductions: every one is smaller, and all that can be left out is left out by one."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from robotape_harness.campaign.reductions import (
    changes,
    deviations,
    reductions,
    simpler,
    size,
    without_deviations,
    without_faults,
)
from robotape_harness.faults.case import Case
from robotape_harness.faults.catalogue import possible
from robotape_harness.faults.fault import Fault, Site
from robotape_harness.simulation.choices import Choice

SITES = [Site("tool", f"tool:pay#{n}", f"doer/tool:pay[{n}]") for n in range(1, 9)]
POSSIBLE = [possible(site) for site in SITES]
CUT = Fault("cancellation", Site("tool", "await#9", "await#9"), "before_commit", "once")


def choices() -> st.SearchStrategy[tuple[Choice, ...] | None]:
    pairs = st.integers(2, 6).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1)))
    labels = st.sampled_from(["schedule:on", "schedule:next", "fault:x"])
    one = st.builds(lambda label, pair: Choice(label, *pair), labels, pairs)
    return st.none() | st.lists(one, min_size=1, max_size=10).map(tuple)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    places = draw(st.lists(st.sampled_from(range(len(SITES))), max_size=5, unique=True))
    faults = tuple(draw(st.sampled_from(POSSIBLE[place])) for place in sorted(places))
    return Case(seed=draw(st.integers(0, 3)), faults=faults, choices=draw(choices()))


@given(cases())
def test_every_reduction_is_smaller(case: Case) -> None:
    for what, smaller in reductions(case):
        assert size(smaller) < size(case), what


@given(cases())
def test_every_element_can_be_left_out_and_nothing_else_changes(case: Case) -> None:
    told = [smaller for _, smaller in changes(case)]
    for index, fault in enumerate(case.faults):
        left = without_faults(case, [index])
        assert fault not in left.faults
        assert (len(left.faults), left.choices) == (len(case.faults) - 1, case.choices)
        assert left in told
    for index in deviations(case):
        left = without_deviations(case, [index])
        assert deviations(left) == [each for each in deviations(case) if each != index]
        assert left.faults == case.faults
        assert left in told


def test_without_any_deviation_a_case_is_first_in_first_out() -> None:
    case = Case(choices=(Choice("schedule:on", 2, 1), Choice("schedule:on", 2, 0)))
    assert without_deviations(case, [0]).choices is None


def test_a_fault_becomes_simpler_in_one_respect_at_a_time() -> None:
    lasting = Fault("timeout", SITES[0], "after_commit", "forever", {"seconds": 3.5})
    told = dict(simpler(lasting))
    assert told["once instead of for ever"] == replace(lasting, mode="once")
    assert told["before commit instead of after commit"] == replace(lasting, phase="before_commit")
    assert told["error instead of timeout"] == replace(lasting, kind="error", params={})
    assert told["seconds 0 instead of 3.5"].params == {"seconds": 0.0}
    assert told["seconds 3 instead of 3.5"].params == {"seconds": 3.0}


def test_the_simplest_fault_cannot_become_simpler() -> None:
    assert list(simpler(Fault("error", SITES[0], "before_commit", "once"))) == []


def test_numbers_come_down_to_one_less() -> None:
    slow = Fault("delay", SITES[0], "before_commit", "once", {"seconds": 30.0})
    tried = [each.params["seconds"] for what, each in simpler(slow) if what.startswith("seconds")]
    assert tried == [0.0, 15.0, 23.0, 27.0, 29.0]


def test_a_fault_of_every_kind_that_a_plan_can_name_can_become_simpler() -> None:
    refused = Fault("connection_refused", SITES[0], "before_commit", "once")
    kinds = [each.kind for _, each in simpler(refused)]
    assert "error" in kinds
