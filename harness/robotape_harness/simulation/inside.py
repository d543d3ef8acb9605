"""Inside: which simulated run the calling thread is in, and what it may have of the real world.

What is replaced while runs last (clocks, entropy, sockets) asks here whether the caller sees
the real thing; nothing is replaced here.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, NoReturn, Protocol

from robotape_harness.simulation.allowances import Kind, allowances
from robotape_harness.simulation.asking import asking_module, place
from robotape_harness.simulation.entropy import Entropy
from robotape_harness.simulation.escapes import EscapeError

__all__ = ["Draw", "Inside", "SimulatedLoop", "enter", "fence", "inside", "listening"]

OURS = "robotape_harness.simulation."


class SimulatedLoop(Protocol):
    """What a run's loop does for those who see it from inside."""

    def time(self) -> float:
        """Virtual seconds since the loop was made."""

    def pass_time(self, seconds: float) -> None:
        """Let time pass within a step."""

    def hear_threads(self, grace: float) -> None:
        """Wait for other threads before time jumps."""

    def refuse(self, error: EscapeError) -> NoReturn:
        """Keep the error and raise it."""


class Draw(NamedTuple):
    """Something that code took from a clock or from entropy.

    Attributes:
        kind: `clock` or `entropy`.
        call: What was called, such as `time.time`.
        where: file:line of the innermost code of the user's.
        is_real: Whether the real one answered.
    """

    kind: str
    call: str
    where: str
    is_real: bool


class Inside:
    """A simulated run as code inside it sees it; each thread of the run has its own.

    Attributes:
        loop: Whose clock it is.
        entropy: What chance is drawn from.
        note: Told of every draw, if somebody listens.
        is_waited_for: Whether this is a real thread, for which the loop stands still.
        began_at: The real instant at which such a thread first looked at a clock.
    """

    __slots__ = ("began_at", "entropy", "is_waited_for", "loop", "note")

    def __init__(
        self,
        loop: SimulatedLoop,
        entropy: Entropy,
        note: Callable[[Draw], None] | None = None,
        *,
        is_waited_for: bool = False,
    ) -> None:
        self.loop = loop
        self.entropy = entropy
        self.note = note or _here.note
        self.is_waited_for = is_waited_for
        self.began_at: float | None = None


class _Here(threading.local):
    run: Inside | None = None
    note: Callable[[Draw], None] | None = None


_here = _Here()


def enter(run: Inside | None) -> Inside | None:
    """Put the calling thread inside a run, or outside all of them.

    Returns:
        Where it was before; for `enter`, in a `finally`.
    """
    before, _here.run = _here.run, run
    return before


@contextmanager
def listening(note: Callable[[Draw], None]) -> Iterator[None]:
    """Be told of every draw in the runs that this thread makes in this block."""
    before, _here.note = _here.note, note
    try:
        yield
    finally:
        _here.note = before


def inside(kind: Kind, call: str) -> Inside | None:
    """The run that the calling thread is in; None where the code that asks gets the real thing."""
    run = _here.run
    if run is None:
        return None
    is_real = bool(allowances()) and _is_allowed(kind)
    if run.note is not None:
        run.note(Draw(kind, call, place(), is_real))
    return None if is_real else run


def fence(kind: Kind | None, call: str, hint: str) -> Inside | None:
    """Refuse a call that would leave the run, unless it is allowed. To be asked by a stand-in.

    Args:
        kind: What may be allowed; None for what only a thread may that the loop waits for.
        call: What is called.
        hint: What to do instead.

    Returns:
        The run that may be left; None outside all of them.

    Raises:
        EscapeError: It is not allowed.
    """
    run = _here.run
    # The simulation itself may: its watchdog starts a thread.
    if run is None or str(sys._getframe(2).f_globals.get("__name__", "")).startswith(OURS):
        return None
    if not (run.is_waited_for if kind is None else _is_allowed(kind)):
        run.loop.refuse(EscapeError(call, hint, place()))
    return run


def _is_allowed(kind: str) -> bool:
    held = allowances()
    return bool(held) and any(allowance.covers(kind, asking_module()) for allowance in held)
