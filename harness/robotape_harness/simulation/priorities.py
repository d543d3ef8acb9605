"""Priorities: the schedule that runs the task of highest priority (PCT)."""

import heapq
from dataclasses import dataclass
from random import Random
from typing import Any

from robotape_harness.simulation.line import PATIENCE, Line, Picks
from robotape_harness.simulation.schedules import Waiting

__all__ = ["Pct"]


@dataclass(frozen=True, slots=True)
class Pct:
    """The task of highest priority steps; at a few random steps the one that runs falls behind.

    Priorities are drawn when a task first waits, callbacks have none. A bug that takes
    `depth` ordering constraints among n tasks is met by a run of k steps with a
    probability of at least 1 / (n * k ** (depth - 1)).

    Args:
        depth: One more than the number of falls; >= 1.
        horizon: How many steps a run takes, as measured on the baseline; >= 1.

    Source:
        Burckhardt et al., A randomized scheduler with probabilistic guarantees of finding
        bugs, ASPLOS 2010. A fall that is due waits until the task that runs could go on.
    """

    depth: int
    horizon: int

    def plan(self, chance: Random, loop: Waiting) -> Picks | None:
        """Draw the steps of the falls; priorities follow as the tasks turn up."""
        falls = sorted(int(chance.random() * self.horizon) for _ in range(self.depth - 1))
        ranks = _Ranks(chance, loop, falls[::-1])
        return Picks(on=ranks.on, next=ranks.next)


class _Ranks:
    """Priorities of the tasks in a line, the lowest number first; each answer costs O(log n)."""

    def __init__(self, chance: Random, loop: Waiting, falls: list[int]) -> None:
        self._draw = chance.random
        self._loop = loop
        self._falls = falls
        self._fallen = 1.0  # below every priority that was drawn; the later the lower
        self._rank: dict[Any, float] = {}
        self._heap: list[tuple[float, int, Any]] = []  # rank, place of arrival, handle
        self._place: dict[Any, int] = {}
        self._seen = 0

    def on(self, n: int) -> int:
        """Let the task go on that stepped last, or one that outranks it go first."""
        line = self._line()
        task = line.last
        if self._falls and self._loop.steps >= self._falls[-1]:
            self._falls.pop()
            self._fall(task)
        elif line.spell + 1 >= PATIENCE:
            self._fall(task)  # or it would be back at once when its patience is over
        first = self._first(line)
        if self._rank_of(task) <= first[0]:
            return 0
        return 1 + self._leave(line, first)

    def next(self, n: int) -> int:
        """Pick the task of highest priority."""
        line = self._line()
        return self._leave(line, self._first(line))

    def _line(self) -> Line:
        line = self._loop.line
        assert line is not None  # it is the line that asks
        others, dropped = line.others, line.dropped
        for index in range(max(self._seen - dropped, line.first), len(others)):
            handle = others[index]
            self._place[handle] = dropped + index
            rank = self._rank_of(handle._callback.__self__)
            heapq.heappush(self._heap, (rank, dropped + index, handle))
        self._seen = dropped + len(others)
        return line

    def _first(self, line: Line) -> tuple[float, int, Any]:
        """The entry of highest priority among those that still wait."""
        while True:
            entry = self._heap[0]
            handle = entry[2]
            index = self._place[handle] - line.dropped
            if index >= line.first and line.others[index] is handle:
                return entry
            self._forget(entry)

    def _leave(self, line: Line, entry: tuple[float, int, Any]) -> int:
        """Take an entry off, and note that the first in line takes its place."""
        place = self._place[entry[2]]
        self._place[line.others[line.first]] = place
        self._forget(entry)
        return place - line.dropped - line.first

    def _forget(self, entry: tuple[float, int, Any]) -> None:
        heapq.heappop(self._heap)
        self._place.pop(entry[2], None)

    def _rank_of(self, task: Any) -> float:
        rank = self._rank.get(task)
        if rank is None:
            rank = self._rank[task] = self._draw()
        return rank

    def _fall(self, task: Any) -> None:
        self._rank[task] = self._fallen
        self._fallen += 1.0
