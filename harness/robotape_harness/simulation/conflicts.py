"""Conflicts: a search that reverses races of what the tasks share, one more in each run."""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from robotape_harness.simulation.accesses import Recorder, Step, races, reversing, trace_of
from robotape_harness.simulation.asyncio_internals import task_of
from robotape_harness.simulation.line import Line, Picks
from robotape_harness.simulation.schedules import Waiting

__all__ = ["ConflictSearch", "Directed"]

Lineage = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Directed:
    """Steps of tasks in a given order, as far as they are ready; then each until it waits.

    Args:
        order: Lineages of the tasks.
        recorder: Notes what the run does.
    """

    order: tuple[Lineage, ...]
    recorder: Recorder

    def plan(self, chance: Random, loop: Waiting) -> Picks | None:
        """Follow the order."""
        loop.recorder = self.recorder
        todo = deque(self.order)

        def stepped(step: Step) -> None:
            if step.task is not None and step.task in todo:
                todo.remove(step.task)

        self.recorder.on_step = stepped

        def on(n: int) -> int:
            return 1 + _place(_line(loop), todo[0]) if todo else 0

        def following(n: int) -> int:
            return max(0, _place(_line(loop), todo[0])) if todo else 0

        return Picks(on=on, next=following)


def _line(loop: Waiting) -> Line:
    assert loop.line is not None  # it is the line that asks
    return loop.line


def _lineage(handle: asyncio.Handle) -> object:
    return getattr(task_of(handle), "robotape_lineage", None)


def _place(line: Line, wanted: Lineage) -> int:
    """Where among the others a task waits; -1 if it does not."""
    waiting = range(line.first, len(line.others))
    places = (i - line.first for i in waiting if _lineage(line.others[i]) == wanted)
    return next(places, -1)


@dataclass(slots=True)
class ConflictSearch:
    """Schedules of which each reverses one race of an earlier run; iterate, and run each.

    Depth first: what a new run raced on comes before what is left of older ones. Two runs
    that touched everything in the same order count as one. It ends when all races that
    were met have been reversed.

    Attributes:
        runs: How many schedules were given out.
        traces: How many of them led to an order of accesses that was new.
    """

    runs: int = 0
    traces: int = 0
    _seen: set[object] = field(default_factory=set)

    def __iter__(self) -> Iterator[Directed]:
        stack: list[tuple[Lineage, ...]] = [()]
        tried: set[tuple[Lineage, ...]] = set(stack)
        while stack:
            schedule = Directed(stack.pop(), Recorder())
            self.runs += 1
            yield schedule
            steps = schedule.recorder.steps
            trace = trace_of(steps)
            if trace in self._seen:
                continue
            self._seen.add(trace)
            self.traces += 1
            for race in reversed(races(steps)):
                order = tuple(reversing(steps, race))
                if order not in tried:
                    tried.add(order)
                    stack.append(order)
