"""A case: what sets one run apart from the fault-free one, as a value; nobody is run here."""

from dataclasses import dataclass

from robotape_harness.faults.fault import Fault
from robotape_harness.simulation.choices import Choice, Choices

__all__ = ["Case"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that a run is a function of, beside its scenario.

    Attributes:
        seed: From which the run's ids, jitter and entropy derive; >= 0.
        faults: What is injected, the outermost first; none for a run that only its schedule sets
            apart.
        choices: What was decided, in order; None where all of it was benign, which is first in,
            first out.
    """

    seed: int = 0
    faults: tuple[Fault, ...] = ()
    choices: tuple[Choice, ...] | None = None

    def replayed(self) -> Choices:
        """The choices of the same run made again."""
        return Choices.benign() if self.choices is None else Choices.replay(self.choices)

    @property
    def is_lasting(self) -> bool:
        """Whether any of its faults never ends: of two cases that fail, the harder to read."""
        return any(fault.mode == "forever" for fault in self.faults)

    def __str__(self) -> str:
        if self.faults:
            return ", and ".join(map(str, self.faults))
        return "no fault" if self.choices is None else "no fault, another schedule"
