"""Orders: which schedule a number stands for, so that a case can be sent, kept and drawn again."""

from robotape_harness.simulation.choices import Choices
from robotape_harness.simulation.portfolios import portfolio
from robotape_harness.simulation.schedules import Schedule
from robotape_harness.simulation.trial import Trial

__all__ = ["choices_of", "schedule_of"]


def choices_of(order: int, seed: int) -> Choices:
    """The choices of a run whose schedule is drawn.

    Args:
        order: Number of the schedule; >= 1.
        seed: Of the campaign.
    """
    return Choices.seeded((seed << 32) + order)


def schedule_of(order: int, baseline: Trial, seed: int) -> Schedule:
    """Which schedule of the portfolio draws from them.

    Args:
        order: Its number; >= 1.
        baseline: The fault-free run, whose length is the horizon.
        seed: Of the campaign.
    """
    return portfolio(max(1, baseline.steps), seed).schedule(order)
