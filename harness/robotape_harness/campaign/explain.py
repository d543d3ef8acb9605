"""Explaining a failing case: which single change makes it pass, and the nearest run that does."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from robotape_harness.campaign.budget import Purse
from robotape_harness.campaign.events import events_of
from robotape_harness.campaign.reductions import ORDER, Reduction, changes, deviations
from robotape_harness.campaign.shrink import is_spent
from robotape_harness.faults.case import Case
from robotape_harness.oracles.verdict import Verdict
from robotape_harness.simulation.trial import Trial

__all__ = ["Change", "Explanation", "Judged", "explain", "first_differing"]

MOST = 32  # changes that are tried

Judged = Callable[[Case], tuple[Trial, tuple[Verdict, ...]] | None]
"""Runs a case and asks the oracles; None if nobody can judge it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change to a failing case, and what it leads to.

    Attributes:
        what: In words that follow "it passes": `once instead of for ever`.
        oracles: Who still accuses, worst first; none if it passes.
    """

    what: str
    oracles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a case fails, as far as changing it tells.

    Attributes:
        changes: Each single change that was tried, those that leave something out first.
        nearest: Of the runs that pass, the one that goes the failing run's way the longest: made
            by one of the changes, or the fault-free run.
        nearest_is: What sets that run apart, in words.
        differs_at: How many events the two runs have in common before they part; see `events_of`.
    """

    changes: tuple[Change, ...]
    nearest: Trial = field(repr=False)
    nearest_is: str
    differs_at: int

    @property
    def passing(self) -> tuple[str, ...]:
        """The single changes that make it pass."""
        return tuple(change.what for change in self.changes if not change.oracles)


def explain(
    case: Case, trial: Trial, baseline: Trial, judged: Judged, *, purse: Purse
) -> Explanation:
    """Change a failing case in one respect at a time, and compare what passes.

    Args:
        case: One that fails; best one that was shrunk.
        trial: Its run.
        baseline: The fault-free run under its seed.
        judged: Runs a case.
        purse: What this may use up; what is not tried then is not told of.

    Source:
        simloop's divergence report: the failing run against the nearest one that passes.
    """
    tried: list[Change] = []
    nearest, nearest_is = baseline, "the fault-free run"
    differs_at = first_differing(trial, baseline)
    for change in itertools.islice(_changes(case), MOST):
        if is_spent(purse):
            break
        purse.spend(is_search=False)
        got = judged(change.case)
        if got is None:
            continue
        run, verdicts = got
        tried.append(Change(change.what, tuple(verdict.oracle for verdict in verdicts)))
        common = first_differing(trial, run)
        if not verdicts and common > differs_at:
            nearest, nearest_is, differs_at = run, change.what, common
    return Explanation(
        changes=tuple(tried), nearest=nearest, nearest_is=nearest_is, differs_at=differs_at
    )


def first_differing(one: Trial, other: Trial) -> int:
    """How many events two runs have in common before they part: steps, and effects."""
    pairs = zip(events_of(one), events_of(other), strict=False)
    same = itertools.takewhile(lambda pair: pair[0].sign == pair[1].sign, pairs)
    return sum(1 for _ in same)


def _changes(case: Case) -> Iterator[Reduction]:
    """What a reader can make something of: whole elements, and the way a fault strikes."""
    is_whole = any(choice.label == ORDER for choice in case.choices or ())
    if len(deviations(case)) > 1 and not is_whole:
        order = "first in, first out"
        yield Reduction(order, Case(seed=case.seed, faults=case.faults))
    yield from changes(case)
