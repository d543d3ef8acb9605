"""Budgets: how many runs and real seconds a campaign may spend; the one place that has the presets.

The only module of the room that knows real time.
"""

import time
from dataclasses import dataclass

__all__ = ["BUDGETS", "Budget", "DEFAULT", "Purse", "budget_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a campaign may spend.

    Attributes:
        runs: Runs beside the fault-free ones and the repetition of findings, at most; None for
            no limit.
        seconds: Real seconds after which no run is begun; None for no limit. Where this ends a
            campaign, how far it came depends on the machine.
        search: Runs of the stages that have no natural end, or a far one (schedules, pairs,
            swarm), at most; None for what `runs` leaves.
    """

    runs: int | None = None
    seconds: float | None = None
    search: int | None = None

    def __post_init__(self) -> None:
        for name in ("runs", "seconds"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"a budget's {name} must be > 0, got {value}; None is no limit")
        if self.search is not None and self.search < 0:
            raise ValueError(f"a budget's search must be >= 0, got {self.search}")


BUDGETS: dict[str, Budget] = {
    "dev": Budget(runs=500, seconds=30.0, search=100),
    "ci": Budget(runs=5_000, seconds=300.0, search=500),
    "nightly": Budget(seconds=4 * 3_600.0),
}
"""By name: for a developer who waits, for a change that is reviewed, for a machine overnight."""

DEFAULT = Budget(search=250)
"""All that is counted in faults and cuts, and a look at what is counted in their combinations."""


def budget_of(wanted: Budget | str | None) -> Budget:
    """A budget by its name, or as it is given; None for the default.

    Raises:
        ValueError: There is no budget of that name.
    """
    if wanted is None:
        return DEFAULT
    if isinstance(wanted, Budget):
        return wanted
    if wanted not in BUDGETS:
        raise ValueError(f"there is no budget {wanted!r}; there are: {', '.join(BUDGETS)}")
    return BUDGETS[wanted]


class Purse:
    """What is left of a budget while it is spent.

    Attributes:
        spent: Runs so far.
        searched: Of these, those of the open-ended stages.
    """

    def __init__(self, budget: Budget) -> None:
        """Begin with all of it; the seconds run from here."""
        self._budget = budget
        self._began = time.monotonic()
        self.spent = 0
        self.searched = 0

    def spend(self, *, is_search: bool) -> None:
        """Take one run out."""
        self.spent += 1
        self.searched += is_search

    def left(self, *, is_search: bool) -> int | None:
        """Runs that may still be made; None for no limit."""
        budget = self._budget
        limits = [] if budget.runs is None else [budget.runs - self.spent]
        if is_search and budget.search is not None:
            limits.append(budget.search - self.searched)
        return max(0, min(limits)) if limits else None

    @property
    def is_late(self) -> bool:
        """Whether the real seconds are over."""
        seconds = self._budget.seconds
        return seconds is not None and time.monotonic() - self._began >= seconds
