"""Orders: which schedule a number stands for, so that a case can be sent, kept and drawn again."""

from robotape_harness.simulation.choices import Choices

__all__ = ["choices_of"]


def choices_of(order: int, seed: int) -> Choices:
    """The choices of a run whose schedule is drawn.

    Args:
        order: Number of the schedule; >= 1.
        seed: Of the campaign.
    """
    return Choices.seeded((seed << 32) + order)
