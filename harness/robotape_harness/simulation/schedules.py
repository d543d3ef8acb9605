"""Schedules: who goes next among the tasks that are ready; the loop asks, a schedule answers.

Every answer is a choice, so a recording replays without the schedule that made it. What
is searched, and how long, is the campaign's business.
"""

from dataclasses import dataclass
from random import Random
from typing import Protocol

from robotape_harness.simulation.accesses import Recorder
from robotape_harness.simulation.choices import Choices
from robotape_harness.simulation.line import Line, Picks

__all__ = ["Fifo", "PreemptionBounded", "Schedule", "Sticky", "Uniform", "Waiting", "bind"]

ORDER = "schedule:order"
"""Whether the schedule decides at all; where it does not, tasks step as they became ready."""

ON = "schedule:on"
NEXT = "schedule:next"
FAMILY = "schedule"


class Waiting(Protocol):
    """What a schedule may look at: a loop.

    Attributes:
        steps: How many callbacks and task steps it has run.
        line: The task steps that are ready.
        recorder: May be set to one that notes what the run does.
    """

    steps: int
    line: Line | None
    recorder: Recorder | None


class Schedule(Protocol):
    """Decides who goes next, in a run that is made for the first time."""

    def plan(self, chance: Random, loop: Waiting) -> Picks | None:
        """Take part in one run.

        Args:
            chance: To draw from; it follows from the run's seed.
            loop: Whose tasks they are; its line is there once it runs.

        Returns:
            Answers to the two questions of a `Line`; None: tasks step as they became
            ready, nobody is asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class Fifo:
    """First in, first out, as asyncio does it."""

    def plan(self, chance: Random, loop: Waiting) -> Picks | None:
        """Decide nothing."""
        return None


@dataclass(frozen=True, slots=True)
class Uniform:
    """Every waiting task is as likely as any other, so every order is."""

    def plan(self, chance: Random, loop: Waiting) -> Picks | None:
        """Draw each answer from all that there are."""
        draw = chance.random

        def pick(n: int) -> int:
            return int(draw() * n)

        return Picks(on=pick, next=pick)


@dataclass(frozen=True, slots=True)
class PreemptionBounded:
    """Each task runs until it has to wait, but for a few preemptions at random steps.

    Args:
        preemptions: How many; >= 0. Fewer where the run ends before them.
        horizon: How many steps a run takes, as measured on the baseline; >= 1.

    Source:
        Musuvathi and Qadeer, Iterative context bounding, PLDI 2007: most races need two
        preemptions or fewer, however long the run.
    """

    preemptions: int
    horizon: int

    def plan(self, chance: Random, loop: Waiting) -> Picks | None:
        """Draw the steps; a preemption that is due waits until there is one to make."""
        draw, horizon = chance.random, self.horizon
        due = sorted((int(draw() * horizon) for _ in range(self.preemptions)), reverse=True)

        def on(n: int) -> int:
            if not due or loop.steps < due[-1]:
                return 0
            due.pop()
            return 1 + int(draw() * (n - 1))

        return Picks(on=on, next=lambda n: int(draw() * n))


@dataclass(frozen=True, slots=True)
class Sticky:
    """A task that could go on does so, more often than not; else every task is as likely.

    Runs of steps are longer than uniform ones: one task gets well ahead of another, which
    is what a race between distant steps takes.

    Args:
        stay: Probability of going on, in [0, 1).
    """

    stay: float = 0.7

    def plan(self, chance: Random, loop: Waiting) -> Picks | None:
        """Draw whether to stay, and who goes next if not."""
        draw, stay = chance.random, self.stay

        def on(n: int) -> int:
            return 0 if draw() < stay else 1 + int(draw() * (n - 1))

        return Picks(on=on, next=lambda n: int(draw() * n))


def bind(schedule: Schedule | None, choices: Choices, loop: Waiting) -> Line | None:
    """Give a run its schedule.

    Args:
        schedule: None for uniform.
        choices: Where every answer is recorded, or was: then the schedule is not asked.
        loop: Whose tasks are scheduled.

    Returns:
        Where the ready tasks stand in line; None where they step as they became ready.
    """
    plan = (schedule or Uniform()).plan(choices.stream(FAMILY), loop)
    if not choices.flag(ORDER, plan is not None):
        return None
    on, following = (None, None) if plan is None else (plan.on, plan.next)
    return Line(Picks(choices.chooser(ON, on), choices.chooser(NEXT, following)))
