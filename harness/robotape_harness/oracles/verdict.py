"""What oracles are given, and what they say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from robotape.errors import RobotapeError
from robotape.tape import Tape
from robotape_harness.faults.inject import Struck
from robotape_harness.ledger import EffectLedger
from robotape_harness.oracles.history import CallHistory, calls_of
from robotape_harness.simulation.choices import Choices
from robotape_harness.simulation.trial import Trial

__all__ = ["Evidence", "MissingEvidence", "Oracle", "UserOracle", "Verdict"]


class MissingEvidence(RobotapeError):
    """What an oracle has to know of a run is not known; its answer is `inconclusive`."""


@dataclass(frozen=True, kw_only=True)  # no slots: what is read off a tape is kept
class Evidence:
    """One run and what it is measured against.

    An oracle reads `calls`, `ledger`, `ended`, `fault_free` and `faults`; what a run does not
    tell raises `MissingEvidence`, which makes the oracle's answer inconclusive. So the same
    oracle judges a simulated run and a tape out of production.

    Attributes:
        trial: The run that is judged.
        baseline: The fault-free run of the same scenario under the same seed; None if there is
            none.
        struck: What was planned, fault by fault, and which attempts it met; empty for a
            fault-free run.
        cancelled_at: Instant of the run's clock at which the run was cancelled; None if it was not.
        is_recorded: Whether the run was not simulated here: of its trial only the tape is true.
        has_ledger: Whether the trial's ledger says what happened outside.
        oracles: The scenario's own, asked beside those there are.

    Where the run's process died, at `trial.crashed_at` first, `trial.lives` has what each
    process had done until then, and `trial` itself is of the last one: its tape begins with what
    the others wrote, the ledger is of the one world they all lived in. An attempt that was under
    way at a death has ended in an ERROR `Interrupted`, if it was made again.
    """

    trial: Trial
    baseline: Trial | None = None
    struck: tuple[Struck, ...] = ()
    cancelled_at: float | None = None
    is_recorded: bool = False
    has_ledger: bool = True
    oracles: "tuple[UserOracle, ...]" = ()

    @classmethod
    def of_tape(
        cls,
        tape: Tape,
        *,
        ledger: EffectLedger | None = None,
        baseline: Trial | None = None,
        oracles: "tuple[UserOracle, ...]" = (),
    ) -> Self:
        """Evidence of a run that was replayed, or recorded in production.

        Args:
            tape: Of the run.
            ledger: What happened outside; None if nobody kept one.
            baseline: A run of the same task without trouble, if there is one.
            oracles: Of your own.
        """
        trial = Trial(
            ending="answered",
            result=None,
            error=None,
            tape=tape,
            ledger=EffectLedger() if ledger is None else ledger,
            outcome="",
            seconds=tape[len(tape) - 1].at if len(tape) else 0.0,
            steps=0,
            leftovers=(),
            choices=Choices.benign(),
        )
        return cls(
            trial=trial,
            baseline=baseline,
            is_recorded=True,
            has_ledger=ledger is not None,
            oracles=oracles,
        )

    @property
    def tape(self) -> Tape:
        """The run's tape."""
        return self.trial.tape

    @cached_property
    def calls(self) -> Sequence[CallHistory]:
        """The run's calls, in the order they were first made."""
        return calls_of(self.trial.tape)

    @cached_property
    def usual_calls(self) -> Sequence[CallHistory]:
        """The calls of the fault-free run.

        Raises:
            MissingEvidence: There is no such run.
        """
        return calls_of(self.fault_free.tape)

    @property
    def fault_free(self) -> Trial:
        """The fault-free run.

        Raises:
            MissingEvidence: There is none.
        """
        if self.baseline is None:
            raise MissingEvidence("there is no fault-free run to compare with")
        return self.baseline

    @property
    def ledger(self) -> EffectLedger:
        """What happened outside.

        Raises:
            MissingEvidence: Nobody kept a ledger.
        """
        if not self.has_ledger:
            raise MissingEvidence("no effect ledger was kept")
        return self.trial.ledger

    @property
    def ended(self) -> Trial:
        """The run, as one whose end is known: its ending, result, error, outcome, leftovers.

        Raises:
            MissingEvidence: It was recorded, and a tape does not tell.
        """
        if self.is_recorded:
            raise MissingEvidence("a tape does not say how its run ended")
        return self.trial

    @property
    def faults(self) -> tuple[Struck, ...]:
        """What was injected.

        Raises:
            MissingEvidence: It was recorded: what went wrong there, nobody planned.
        """
        if self.is_recorded:
            raise MissingEvidence("nobody knows which of its faults were bound to pass")
        return self.struck

    def name(self, call: CallHistory) -> str:
        """A call in words: the site's alias where it is at a fault's site, else its stable id."""
        sites = (struck.fault.site for struck in self.struck)
        return next((site.alias for site in sites if site.covers(call.call_id)), call.call_id)


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
UserOracle = Callable[[Evidence], Sequence[Verdict | str] | Verdict | str | None]
"""An oracle of a scenario's own; a text is an accusation of harm 3 in its name."""
