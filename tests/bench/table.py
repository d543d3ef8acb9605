"""One line of a cost table: what, how much, how much it may be."""

from dataclasses import dataclass

__all__ = ["Row"]


@dataclass(frozen=True)
class Row:
    """A figure and its target.

    Attributes:
        what: In words.
        figure: As measured.
        target: The most it may be; with `at_least`, the least.
        unit: Of both.
        at_least: Whether more is better.
    """

    what: str
    figure: float
    target: float
    unit: str
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the figure is on the right side of its target."""
        return self.figure >= self.target if self.at_least else self.figure <= self.target

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        verdict = "met" if self.is_met else f"missed, {self.figure / self.target:.2f} of it"
        return (
            f"{self.what:<56}{self.figure:>10,.2f} {self.unit:<4} "
            f"{sign} {self.target:>6,g} {self.unit:<4} {verdict}"
        )
