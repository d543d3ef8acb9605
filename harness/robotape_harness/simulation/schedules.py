"""Schedules: who goes next among the tasks that are ready; the loop asks, a schedule answers.

A schedule sees how many wait, and binds to the run's choices once per loop. One that has
to know who waits (priorities, bounded preemption) gets its room here when it comes.
"""

from dataclasses import dataclass
from typing import Protocol

from robotape_harness.simulation.choices import Choices, Chooser

__all__ = ["Fifo", "Schedule", "Uniform", "schedule_for"]

LABEL = "schedule"


class Schedule(Protocol):
    """Picks the next task of a run of adjacent task steps."""

    def bind(self, choices: Choices) -> Chooser | None:
        """Take part in one run.

        Args:
            choices: Where every decision comes from, so that it is recorded.

        Returns:
            What the loop calls with the number of waiting tasks, >= 2: answer k makes the
            first of them and the k-th change places, then the first one steps, so 0 keeps
            the order. None: always 0, without being asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class Fifo:
    """First in, first out, as asyncio does it."""

    def bind(self, choices: Choices) -> Chooser | None:
        """Decide nothing."""
        return None


@dataclass(frozen=True, slots=True)
class Uniform:
    """Every waiting task is as likely as any other, so every order is."""

    def bind(self, choices: Choices) -> Chooser | None:
        """Draw each pick as one choice labelled `schedule`."""
        return choices.chooser(LABEL)


def schedule_for(choices: Choices) -> Schedule:
    """What suits the choices: first in, first out where they are benign, else uniform."""
    return Fifo() if choices.is_benign else Uniform()
