"""What oracles are given, and what they say."""

from collections.abc import Callable
from dataclasses import dataclass

from robotape_harness.faults.inject import Struck
from robotape_harness.simulation.trial import Trial

__all__ = ["Evidence", "Oracle", "Verdict"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One run and what it is measured against.

    Attributes:
        trial: The run that is judged.
        baseline: The fault-free run of the same scenario under the same seed.
        struck: What was planned, fault by fault, and which attempts it met; empty for a fault-free
            run.
        cancelled_at: Instant of the run's clock at which the run was cancelled; None if it was not.

    Where the run's process died, at `trial.crashed_at` first, `trial.lives` has what each
    process had done until then, and
    `trial` itself is of the last one: its tape begins with what the others wrote, the ledger is
    of the one world they all lived in. An attempt that was under way at a death has ended in an
    ERROR `Interrupted`, if it was made again.
    """

    trial: Trial
    baseline: Trial
    struck: tuple[Struck, ...] = ()
    cancelled_at: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One accusation.

    Attributes:
        oracle: Id of the oracle, such as `duplicate_side_effect`.
        harm: 1 (a nuisance) to 5 (money or data is wrong).
        why: One line in words of the scenario.
        steps: 0-based indexes on the tape of the steps that prove it, ascending.
    """

    oracle: str
    harm: int
    why: str
    steps: tuple[int, ...] = ()


Oracle = Callable[[Evidence], list[Verdict]]
