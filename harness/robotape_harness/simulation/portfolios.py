"""The portfolio: which schedule each run of a search gets, for none of them finds everything."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from random import Random

from robotape_harness.simulation.priorities import Pct
from robotape_harness.simulation.schedules import (
    Fifo,
    PreemptionBounded,
    Schedule,
    Sticky,
    Uniform,
)

__all__ = ["Portfolio", "portfolio"]


@dataclass(frozen=True, slots=True)
class Portfolio:
    """An endless sequence of (name, schedule), made by `portfolio`; take the run's number as index.

    Attributes:
        members: Each of them comes once in every round.
        seed: From which the order within each round follows.
    """

    members: tuple[tuple[str, Schedule], ...]
    seed: int

    def __getitem__(self, run_index: int) -> tuple[str, Schedule]:
        """The schedule of one run.

        Args:
            run_index: 0-based; 0 is first in, first out, and the only run that is.

        Raises:
            IndexError: It is negative: there is no last run.
        """
        if run_index < 0:
            raise IndexError(f"a portfolio has no end to count from: {run_index}")
        if not run_index:
            return "first in, first out", Fifo()
        number, place = divmod(run_index - 1, len(self.members))
        order = [*self.members]
        Random(f"robotape/{self.seed}/portfolio/{number}").shuffle(order)
        return order[place]

    def schedule(self, run_index: int) -> Schedule:
        """The schedule of one run, without its name."""
        return self[run_index][1]

    def __iter__(self) -> Iterator[tuple[str, Schedule]]:
        return map(self.__getitem__, count())


def portfolio(horizon: int, seed: int = 0) -> Portfolio:
    """What a search over schedules tries, run by run.

    Run i is `SimLoop(Choices.seeded(s), schedule=portfolio(horizon, seed)[i][1])` with a
    seed s of its own; its recorded choices replay it without the schedule.

    Args:
        horizon: How many steps a run takes: `steps` of the baseline; >= 1.
        seed: From which the order of the schedules follows.

    Raises:
        ValueError: The horizon is below 1.

    Source:
        Measured in reference/simulation.md, section 3: uniform, priorities and bounded
        preemption each win on another bug.
    """
    if horizon < 1:
        raise ValueError(f"a run takes at least one step: the horizon is {horizon}")
    members: tuple[tuple[str, Schedule], ...] = (
        ("uniform", Uniform()),
        ("sticky", Sticky()),
        *((f"priorities, depth {depth}", Pct(depth, horizon)) for depth in (2, 3)),
        *((f"preemptions, {number}", PreemptionBounded(number, horizon)) for number in (1, 2, 3)),
    )
    return Portfolio(members, seed)
