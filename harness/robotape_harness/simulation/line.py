"""The line: the task steps that are ready next to each other, and which of them is taken.

It keeps order and asks; what the answers are, a schedule or a recording says.
"""

from dataclasses import dataclass
from typing import Any

from robotape_harness.simulation.choices import Chooser

__all__ = ["Line", "PATIENCE", "Picks", "Preemption"]

PATIENCE = 100
"""Steps that one task may take in a row while others wait; then it queues behind them.

Going on is what a schedule does by default here, and a task that polls would never end.
"""


@dataclass(frozen=True, slots=True)
class Picks:
    """The two questions that a line asks.

    Attributes:
        on: The task that stepped last could go on, and others wait. Among n: 0 lets it, k
            sets it aside for the k-th of the others, counted from 1: a preemption.
        next: It cannot, and several others wait. Among n: which of them, counted from 0.
    """

    on: Chooser
    next: Chooser


@dataclass(frozen=True, slots=True)
class Preemption:
    """A task that could have gone on and was set aside for another.

    Attributes:
        step: How many steps the loop had taken.
        task: The name of the task that was set aside.
        where: file:line of the `await` at which it was.
        instead: The name of the task that stepped instead.
    """

    step: int
    task: str
    where: str
    instead: str

    def __str__(self) -> str:
        return f"step {self.step}: {self.task} was set aside at {self.where} for {self.instead}"


class Line:
    """Handles of task steps: that of the task which stepped last, and the others as they came.

    Where the k-th of the others is taken, the first of them takes its place, so every
    step costs constant time however many wait. A task that is ready behind a plain
    callback is not in line yet: it can go on once those before the callback have stepped.

    Attributes:
        own: The handle of the task that stepped last, if it is ready again.
        others: The other handles from `first` on; what is before has left.
        first: Index of the first of the others.
        dropped: How many handles were cut off in front of `others` so far.
        last: The task that stepped last.
        spell: How many steps in a row the task has taken that stepped last, while others waited.
        on: As in `Picks`.
        next: As in `Picks`.
    """

    __slots__ = ("dropped", "first", "last", "next", "on", "others", "own", "spell")

    def __init__(self, picks: Picks) -> None:
        self.on = picks.on
        self.next = picks.next
        self.own: Any = None
        self.others: list[Any] = []
        self.first = 0
        self.dropped = 0
        self.last: Any = None
        self.spell = 0

    def __len__(self) -> int:
        return len(self.others) - self.first + (self.own is not None)

    def append(self, handle: Any) -> None:
        """Let the step of a task queue up."""
        if handle._callback.__self__ is self.last and self.own is None:
            self.own = handle
        else:
            self.others.append(handle)

    def take(self) -> Any:
        """Take off the handle that goes next; None when nobody waits.

        Raises:
            ChoiceDivergenceError: The recording has another question; the line is as before.
        """
        own, others, first = self.own, self.others, self.first
        waiting = len(others) - first
        if not waiting:
            self.own = None
            return own
        if own is None:
            index = first + self.next(waiting) if waiting > 1 else first
        else:
            index = first + self.on(waiting + 1) - 1
            self.own = None
            if index < first:
                self.spell += 1
                if self.spell <= PATIENCE:
                    return own
                index = first
            others.append(own)
        handle = others[index]
        others[index] = others[first]
        others[first] = None  # or its memory would be used again too late to be at hand
        self.first = first + 1
        self.last = handle._callback.__self__
        self.spell = 0
        return handle

    def close_up(self) -> None:
        """Forget those who have left."""
        del self.others[: self.first]
        self.dropped += self.first
        self.first = 0

    def clear(self) -> list[Any]:
        """Dissolve the line.

        Returns:
            Who stood in it: own first.
        """
        self.close_up()
        left = [*self.others] if self.own is None else [self.own, *self.others]
        self.dropped += len(self.others)
        self.others.clear()
        self.own = self.last = None
        return left
