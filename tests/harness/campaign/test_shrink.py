"""Laws of the search: what it ends with fails in the same way, is 1-minimal, always the same.

What fails is made up here, so that thousands of cases can be shrunk; real runs are shrunk in
test_refine.
"""

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from robotape_harness.campaign.budget import Budget, Purse
from robotape_harness.campaign.reductions import deviations, reductions
from robotape_harness.campaign.shrink import Held, Shrunk, shrink
from robotape_harness.faults.case import Case
from robotape_harness.faults.catalogue import possible
from robotape_harness.faults.fault import Fault, Site
from robotape_harness.simulation.choices import Choice

SITES = [Site("tool", f"tool:pay#{n}", f"doer/tool:pay[{n}]") for n in range(16)]
POSSIBLE = [possible(site) for site in SITES]


@dataclass(frozen=True)
class Rule:
    """What has to come together so that a case fails.

    Attributes:
        present: Sites at which a fault is needed.
        phase: That these faults must have, or None.
        kinds: Of which these faults must be, or None.
        absent: A site at which there must be none, or None.
        turned: Positions of choices that must not be benign.
    """

    present: frozenset[int]
    phase: str | None = None
    kinds: frozenset[str] | None = None
    absent: int | None = None
    turned: frozenset[int] = frozenset()

    def holds(self, case: Case) -> bool:
        here = {SITES.index(fault.site): fault for fault in case.faults}
        needed = [here.get(place) for place in self.present]
        return (
            all(fault is not None and self._fits(fault) for fault in needed)
            and self.absent not in here
            and self.turned <= set(deviations(case))
        )

    def _fits(self, fault: Fault) -> bool:
        fits_phase = self.phase is None or fault.phase == self.phase
        return fits_phase and (self.kinds is None or fault.kind in self.kinds)


PHASES = st.none() | st.just("after_commit")
KINDS = st.none() | st.frozensets(st.sampled_from(["error", "timeout", "delay"]), min_size=2)
RULES = st.builds(
    Rule,
    present=st.frozensets(st.integers(0, 7), min_size=1, max_size=3),
    phase=PHASES,
    kinds=KINDS,
    absent=st.none() | st.integers(0, 7),
    turned=st.frozensets(st.integers(0, 9), max_size=2),
)


def some_of(draw: st.DrawFn, items: list[int], least: int = 0) -> frozenset[int]:
    if not items:
        return frozenset()
    return frozenset(draw(st.sets(st.sampled_from(items), min_size=least, max_size=3)))


@st.composite
def failing(draw: st.DrawFn) -> tuple[Case, list[Rule]]:
    """A case, and rules of which it fulfils at least one; the fault-free run fulfils none."""
    places = draw(st.lists(st.sampled_from(range(8)), unique=True))
    faults = tuple(draw(st.sampled_from(POSSIBLE[place])) for place in places)
    answers = draw(st.lists(st.integers(0, 3), min_size=10, max_size=10))
    choices = tuple(Choice("schedule:on", 4, answer) for answer in answers)
    case = Case(seed=draw(st.integers(0, 1)), faults=faults, choices=choices)
    turned = some_of(draw, deviations(case), least=not places)
    present = some_of(draw, places, least=not turned)
    assume(present or turned)
    others = [place for place in range(8) if place not in places]
    absent = draw(st.none() | st.sampled_from(others)) if others else None
    own = Rule(present=present, absent=absent, turned=turned)
    return case, [own, *draw(st.lists(RULES, max_size=2))]


def judge_of(told: list[Rule]) -> Callable[[Case], Held | None]:
    def holds(case: Case) -> Held | None:
        return Held(case) if any(rule.holds(case) for rule in told) else None

    return holds


def shrunk(case: Case, holds: Callable[[Case], Held | None], runs: int | None = None) -> Shrunk:
    result = shrink(case, holds, purse=Purse(Budget(runs=runs)))
    assert result is not None
    return result


@given(failing())
def test_the_result_fails_in_the_same_way(given: tuple[Case, list[Rule]]) -> None:
    case, told = given
    holds = judge_of(told)
    assert holds(shrunk(case, holds).case)


@given(failing())
def test_the_result_is_1_minimal(given: tuple[Case, list[Rule]]) -> None:
    """By brute force: each single reduction of it passes, or is the fault-free run."""
    case, told = given
    holds = judge_of(told)
    result = shrunk(case, holds)
    assert result.is_minimal
    for what, smaller in reductions(result.case):
        if smaller.faults or smaller.choices:
            assert holds(smaller) is None, what


def test_control_what_was_found_is_not_1_minimal() -> None:
    case = Case(faults=tuple(each[0] for each in POSSIBLE[:4]))
    holds = judge_of([Rule(present=frozenset({2}))])
    assert any(holds(smaller) for _, smaller in reductions(case))
    assert shrunk(case, holds).case.faults == (POSSIBLE[2][0],)


@given(failing())
def test_the_same_case_shrinks_to_the_same_result(given: tuple[Case, list[Rule]]) -> None:
    case, told = given
    assert shrunk(case, judge_of(told)) == shrunk(case, judge_of(told))


@given(failing())
def test_what_was_shrunk_shrinks_no_further(given: tuple[Case, list[Rule]]) -> None:
    case, told = given
    small = shrunk(case, judge_of(told)).case
    assert shrunk(small, judge_of(told)).case == small


@given(failing())
def test_no_case_is_tried_twice(given: tuple[Case, list[Rule]]) -> None:
    case, told = given
    holds, tried = judge_of(told), list[Case]()

    def counting(candidate: Case) -> Held | None:
        tried.append(candidate)
        return holds(candidate)

    result = shrunk(case, counting)
    assert result.runs == len(tried)
    assert all(one != other for one, other in itertools.combinations(tried, 2))


@given(failing(), st.integers(1, 12))
@settings(max_examples=50)
def test_where_the_budget_ends_first_the_result_still_fails(
    given: tuple[Case, list[Rule]], runs: int
) -> None:
    case, told = given
    holds = judge_of(told)
    result = shrunk(case, holds, runs)
    assert result.runs <= runs
    assert holds(result.case)
    if not result.is_minimal:
        assert result.runs == runs


def test_a_case_that_passes_when_it_is_run_again_is_not_shrunk() -> None:
    case = Case(faults=(POSSIBLE[0][0],))
    assert shrink(case, lambda _: None, purse=Purse(Budget())) is None


def test_choices_as_they_were_recorded_again_replace_those_that_were_asked_for() -> None:
    """A shorter run asks for fewer choices, and those are what is kept."""
    case = Case(choices=tuple(Choice("schedule:on", 4, 1) for _ in range(6)))

    def holds(candidate: Case) -> Held | None:
        asked = (candidate.choices or ())[:3]
        return Held(Case(choices=asked)) if asked and asked[0].chosen else None

    assert shrunk(case, holds).case.choices == (
        Choice("schedule:on", 4, 1),
        Choice("schedule:on", 4, 0),
        Choice("schedule:on", 4, 0),
    )


@pytest.mark.parametrize("with_a_guess", [True, False])
def test_one_of_sixteen_faults_is_found_in_ten_runs(with_a_guess: bool) -> None:
    chance, counted = random.Random(1), list[int]()
    for _ in range(200):
        case = Case(faults=tuple(chance.choice(each) for each in POSSIBLE))
        place = chance.randrange(16)
        rule = Rule(present=frozenset({place}), phase=case.faults[place].phase)

        def holds(candidate: Case, rule: Rule = rule) -> Held | None:
            if not rule.holds(candidate):
                return None
            [needed] = rule.present
            likely = [n for n, f in enumerate(candidate.faults) if f.site == SITES[needed]]
            return Held(candidate, tuple(likely) if with_a_guess else ())

        result = shrunk(case, holds)
        assert len(result.case.faults) == 1
        counted.append(result.runs - 1)  # the first one is the case itself
    assert median(counted) <= (5 if with_a_guess else 10), median(counted)
