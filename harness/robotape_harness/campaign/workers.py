"""Workers: processes of this machine that run cases; what comes of them is given back in order.

A worker is a fork: it has any scenario, one that a test made for itself included, the hash seed
of its parent, and what the parent has measured. What a case comes to depends on nothing else, so
it does not matter who runs it.
"""

import multiprocessing
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Protocol, cast

from robotape.errors import RobotapeError
from robotape_harness.campaign.outcome import Outcome
from robotape_harness.campaign.proposal import Proposal

__all__ = ["Alone", "Crew", "Examine", "Workers", "WorkersUnavailable", "check_workers"]

Examine = Callable[[Proposal], Outcome]
"""Runs a case and judges it."""

CHUNK = 8  # cases a worker is given at a time, at most
PARTING = 5.0  # real seconds that a worker has to end by itself


class WorkersUnavailable(RobotapeError):
    """This system has no fork."""

    def __init__(self) -> None:
        super().__init__("this system cannot fork a process: leave workers at 1")


class Crew(Protocol):
    """Whoever runs cases."""

    def outcomes(self, proposals: Sequence[Proposal]) -> Iterator[Outcome]:
        """Run cases; their outcomes come in the order of the cases, each as soon as it can."""
        ...


class Alone:
    """Runs every case in this process."""

    def __init__(self, examine: Examine) -> None:
        self._examine = examine

    def outcomes(self, proposals: Sequence[Proposal]) -> Iterator[Outcome]:
        """Run one case when the outcome of it is asked for."""
        return map(self._examine, proposals)


def check_workers(count: int) -> None:
    """Find out before any work that there can be so many workers.

    Raises:
        ValueError: The count is below 1.
        WorkersUnavailable: More than one is wanted, and the system has no fork.
    """
    if count < 1:
        raise ValueError(f"workers must be >= 1, got {count}")
    if count > 1 and "fork" not in multiprocessing.get_all_start_methods():
        raise WorkersUnavailable


class Workers:
    """A crew of processes; they are there from the first case to the end of the block.

    A worker that dies takes down the case it was at, which is `unjudged`, and no other: a new
    worker goes on. An agent that raises KeyboardInterrupt does so in the parent.
    """

    def __init__(self, examine: Examine, count: int) -> None:
        """Prepare.

        Args:
            examine: What a worker does with a case; it has it by being a fork.
            count: Workers; >= 1.
        """
        self._examine = examine
        self._count = count
        self._crew: dict[Connection, _Worker] = {}

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._crew.values():
            worker.dismiss(is_urgent=kind is not None or bool(worker.assigned))
        self._crew.clear()

    def outcomes(self, proposals: Sequence[Proposal]) -> Iterator[Outcome]:
        """Run cases on all workers.

        Raises:
            KeyboardInterrupt: An agent raised it.
        """
        todo = list(range(len(proposals)))[::-1]
        done: dict[int, Outcome | None] = {}
        for number in range(len(proposals)):
            while number not in done:
                self._hand_out(proposals, todo)
                for ready in wait(list(self._crew)):
                    self._receive(cast(Connection, ready), todo, done)
            outcome = done.pop(number)
            if outcome is None:
                raise KeyboardInterrupt
            yield outcome

    def _hand_out(self, proposals: Sequence[Proposal], todo: list[int]) -> None:
        """Give every idle worker something to do, in small pieces towards the end."""
        while todo and len(self._crew) < self._count:
            worker = _Worker(self._examine, list(self._crew))
            self._crew[worker.connection] = worker
        for worker in self._crew.values():
            if todo and not worker.assigned:
                size = max(1, min(CHUNK, len(todo) // (2 * self._count)))
                worker.assign([(number, proposals[number]) for number in _cut(todo, size)])

    def _receive(
        self, connection: Connection, todo: list[int], done: dict[int, Outcome | None]
    ) -> None:
        worker = self._crew[connection]
        try:
            number, outcome = connection.recv()
        except (EOFError, OSError):
            lost, *others = worker.assigned
            done[lost] = Outcome(state="unjudged", trouble=worker.obituary())
            todo.extend(reversed(others))
            del self._crew[connection]
            return
        worker.assigned.remove(number)
        done[number] = outcome


def _cut(todo: list[int], size: int) -> list[int]:
    """Take the next cases, lowest first, off a list that has them last."""
    taken = todo[: -size - 1 : -1]
    del todo[-size:]
    return taken


class _Worker:
    """One process, and what it is at."""

    def __init__(self, examine: Examine, others: Sequence[Connection]) -> None:
        context = multiprocessing.get_context("fork")
        self.connection, theirs = context.Pipe()
        self.assigned: list[int] = []
        ours = [*others, self.connection]
        self._process = context.Process(target=_serve, args=(theirs, ours, examine), daemon=True)
        with warnings.catch_warnings():
            # A worker uses nothing that a thread of its parent could hold.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        theirs.close()

    def assign(self, cases: list[tuple[int, Proposal]]) -> None:
        self.assigned = [number for number, _ in cases]
        with suppress(OSError):  # it has died, which `recv` tells
            self.connection.send(cases)

    def obituary(self) -> str:
        self.dismiss(is_urgent=True)
        return f"the process that ran it ended with exit code {self._process.exitcode}"

    def dismiss(self, *, is_urgent: bool) -> None:
        self.connection.close()
        if is_urgent:
            self._process.terminate()
        self._process.join(PARTING)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _serve(connection: Connection, parents: Sequence[Connection], examine: Examine) -> None:
    """Be a worker, until the parent closes its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    for each in parents:
        each.close()  # or nobody would notice that the parent is gone
    with suppress(EOFError, OSError):
        while True:
            cases: list[tuple[int, Any]] = connection.recv()
            for number, proposal in cases:
                connection.send((number, _examined(examine, proposal)))


def _examined(examine: Examine, proposal: Proposal) -> Outcome | None:
    try:
        return examine(proposal)
    except KeyboardInterrupt:
        return None
