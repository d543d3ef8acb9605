"""Shrinking: the search for the smallest case that still fails in the same way.

It decides what to try next; trying it, and what "the same way" is, the caller knows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from robotape_harness.campaign.budget import Budget, Purse
from robotape_harness.campaign.reductions import (
    deviations,
    reductions,
    size,
    without_deviations,
    without_faults,
)
from robotape_harness.faults.case import Case

__all__ = ["BUDGET", "Held", "Holds", "Shrunk", "case_key", "is_spent", "shrink"]

BUDGET = Budget(seconds=5.0)
"""What shrinking one case may take."""


class Held(NamedTuple):
    """A case that was run and fails in the same way.

    Attributes:
        case: Its choices as they were recorded, and without faults that never happened.
        likely: 0-based indexes of the faults that it is probably due to.
    """

    case: Case
    likely: tuple[int, ...] = ()


Holds = Callable[[Case], Held | None]
"""Runs a case; None if it does not fail in the same way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunk:
    """What shrinking came to.

    Attributes:
        case: The smallest that was found.
        before: (faults, deviations) of the case it was made from.
        runs: How many cases were run, the first one included.
        is_minimal: Whether no single step makes it smaller; False if the box ended first.
    """

    case: Case
    before: tuple[int, int]
    runs: int
    is_minimal: bool


def shrink(case: Case, holds: Holds, *, purse: Purse) -> Shrunk | None:
    """Make a failing case as small as it goes.

    Guarantee: what comes out fails in the same way, and comes out of itself again. Unless the
    purse is empty first it is 1-minimal: no reduction of it fails in that way. The same case and
    the same answers of `holds` give the same result. No case is tried twice.

    Args:
        case: One that fails.
        holds: Runs a case; called with each at most once.
        purse: What the search may use up.

    Returns:
        None if the case itself does not fail in the same way when it is run again.

    Source:
        Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, TSE 2002: ddmin,
        here with chunks left out, as in Hypothesis, for a culprit among n is found in log n.
    """
    search = _Search(holds, purse)
    start = search.run(case)
    if start is None:
        return None
    search.held = start
    before: Case | None = None
    while before != search.case:
        before = search.case
        _guess(search)
        _leave_out_deviations(search)
        _leave_out_faults(search)
        _simplify(search)
    counted = len(case.faults), len(deviations(case))
    return Shrunk(
        case=search.case, before=counted, runs=search.runs, is_minimal=not search.is_cut_short
    )


def is_spent(purse: Purse) -> bool:
    """Whether no further run may be made."""
    return purse.is_late or purse.left(is_search=False) == 0


def case_key(case: Case) -> object:
    """What is equal for equal cases, and can be looked up."""
    return case.seed, repr(case.faults), case.choices


class _Search:
    """The smallest case so far, and every answer that was got."""

    def __init__(self, holds: Holds, purse: Purse) -> None:
        self.held = Held(Case())
        self.runs = 0
        self.is_cut_short = False
        self._holds = holds
        self._purse = purse
        self._answers: dict[object, Held | None] = {}

    @property
    def case(self) -> Case:
        """The smallest that fails."""
        return self.held.case

    def run(self, candidate: Case) -> Held | None:
        """Ask about a case, unless it is known."""
        key = case_key(candidate)
        if key not in self._answers:
            self.runs += 1
            self._purse.spend(is_search=False)
            self._answers[key] = self._holds(candidate)
        return self._answers[key]

    def take(self, candidate: Case) -> bool:
        """Go on with a case if it fails in the same way and is smaller."""
        if not candidate.faults and candidate.choices is None:
            return False  # nothing sets it apart from the fault-free run
        if is_spent(self._purse) and case_key(candidate) not in self._answers:
            self.is_cut_short = True
            return False
        got = self.run(candidate)
        if got is None or size(got.case) >= size(self.case):
            return False
        self._answers[case_key(got.case)] = got  # as it would be recorded again
        self.held = got
        return True


def _guess(search: _Search) -> None:
    """Keep the likely faults alone, with and without the schedule."""
    likely, count = search.held.likely, len(search.case.faults)
    others = [index for index in range(count) if index not in likely]
    if likely and others:
        alone = without_faults(search.case, others)
        if not search.take(without_deviations(alone, deviations(alone))):
            search.take(alone)


def _leave_out_deviations(search: _Search) -> None:
    """All of them, then ever smaller runs of neighbours, down to one by one."""
    chunk = len(deviations(search.case))
    while chunk:
        start = 0
        while start < len(present := deviations(search.case)):
            left_out = present[start : start + chunk]
            if not search.take(without_deviations(search.case, left_out)):
                start += chunk
        chunk //= 2


def _leave_out_faults(search: _Search) -> None:
    """The same for faults."""
    chunk = len(search.case.faults)
    while chunk:
        start = 0
        while start < (count := len(search.case.faults)):
            left_out = range(start, min(start + chunk, count))
            if not search.take(without_faults(search.case, left_out)):
                start += chunk
        chunk //= 2


def _simplify(search: _Search) -> None:
    """Any single step, from the first again after each that was taken."""
    while any(search.take(each.case) for each in reductions(search.case)):
        if search.is_cut_short:
            return
