"""Cuts: a run is cancelled, or its process dies, at every instant at which that differs.

A cut is a fault at the boundary `run`. Who tries them, and what is wrong about what comes
out, campaign and oracles say.

Source:
    Exhaustive cuts in place of sampled ones: ALICE (OSDI 2014) for crashes at every write.
"""

from collections.abc import Callable
from typing import Any, Protocol

from robotape.calls import Call, CallNext
from robotape_harness.faults.catalogue import kind_of
from robotape_harness.faults.fault import Fault, Site
from robotape_harness.faults.inject import FaultInjector, Struck
from robotape_harness.simulation.death import Moment
from robotape_harness.simulation.life import NotResumable
from robotape_harness.simulation.trial import Trial

__all__ = ["Cutter", "cuts_of", "injector_of", "not_cut"]

BETWEEN = ("", 0)  # where no call was under way


def cuts_of(baseline: Trial) -> tuple[Fault, ...]:
    """Every cut of a fault-free run.

    `await#k` cancels the run between its k-th step and the next, a step being one turn of a
    task or one callback of its loop: between two such instants nothing can be cancelled. At
    `write#k` its process dies with the k-th record just written, at `commit#k` with the k-th
    effect just done and its reply not yet received; another process then resumes from the
    tape, in the same world. Together these are all the states of tape and ledger in which a
    process can die. Effects that a single step commits count as one state, for in between
    nobody but the service is at work.

    A scenario whose services answer at once suspends nowhere, so nothing can be cancelled
    there: give them latency. Writes to other files of the agent's own, a cache or a store of
    tapes, are no events here.

    Args:
        baseline: A fault-free run, first in, first out; the cuts are for its seed.

    Returns:
        The cancellations in the order of time, then the deaths at writes, then those at
        commits; no deaths where the run cannot be resumed: see `not_cut`.
    """
    events = [("cancellation", "await", baseline.awaits)]
    if baseline.is_resumable:
        events += [
            ("crash", "write", len(baseline.tape)),
            ("crash", "commit", len(baseline.ledger)),
        ]
    return tuple(
        Fault(kind, _site(event, number), "before_commit", "once")
        for kind, event, count in events
        for number in range(1, count + 1)
    )


def not_cut(baseline: Trial) -> str:
    """Why the process of a run cannot die at its writes, as a sentence; empty if it can."""
    return "" if baseline.is_resumable else str(NotResumable())


def _site(event: str, number: int) -> Site:
    alias = f"{event}#{number}"
    return Site("run", alias, alias)


class UncutRun(Protocol):
    """A run as far as a cutter needs it."""

    @property
    def now(self) -> float:
        """Virtual seconds since the run began."""

    @property
    def under_way(self) -> tuple[tuple[str, int], ...]:
        """(call id, attempt) of what was begun and has not ended."""

    def cancel(self) -> bool:
        """Cancel the run; False if it has ended already."""

    def after_step(self, number: int, act: Callable[[], object]) -> None:
        """Do something between two steps."""

    def die_after(self, event: Moment, number: int, told: Callable[[], None]) -> None:
        """Have the run's process die."""


class Cutter:
    """One cut in one run; stands in it as a middleware that lets every call pass.

    Attributes:
        fault: What it carries out.
        kills: Whether a process dies of it.
        cancelled_at: Virtual seconds after which it cancelled the run, or None.
    """

    def __init__(self, fault: Fault) -> None:
        """Load.

        Raises:
            ValueError: The catalogue has no such cut, or says that it cannot happen.
        """
        self._kind = kind_of(fault)
        event, _, number = fault.site.alias.partition("#")
        if not number.isdigit() or int(number) < 1:
            raise ValueError(f"{fault.site.alias} is no place for a cut; one looks like await#1")
        self.fault = fault
        self.kills = self._kind.does == "crash"
        self.cancelled_at: float | None = None
        self._event: Moment = "commit" if event == "commit" else "write"
        self._number = int(number)
        self._run: UncutRun | None = None
        self._met: tuple[tuple[str, int], ...] = ()

    @property
    def fired(self) -> int:
        """1 once the run is cut."""
        return int(bool(self._met))

    @property
    def struck(self) -> Struck:
        """The attempts that were under way; ("", 0) where none was."""
        return Struck(self.fault, self._met, self._kind.transient)

    def bind(self, run: UncutRun) -> None:
        """Learn which run to cut; `simulate` tells."""
        self._run = run
        if self.kills:
            run.die_after(self._event, self._number, self._note)
        else:
            run.after_step(self._number, self._cancel)

    async def __call__(self, call: Call, call_next: CallNext) -> Any:
        """Let the call pass."""
        return await call_next(call)

    def _note(self) -> None:
        assert self._run is not None
        self._met = self._run.under_way or (BETWEEN,)

    def _cancel(self) -> None:
        assert self._run is not None
        under_way, now = self._run.under_way, self._run.now
        if self._run.cancel():
            self._met = under_way or (BETWEEN,)
            self.cancelled_at = now


def injector_of(fault: Fault) -> FaultInjector | Cutter:
    """What carries a fault out, made anew for each run.

    Raises:
        ValueError: The catalogue has no such fault, or says that it cannot happen.
    """
    return Cutter(fault) if fault.site.boundary == "run" else FaultInjector(fault)
