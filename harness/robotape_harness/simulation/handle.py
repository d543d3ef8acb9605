"""The handle of a simulated run: what those who stand in it from outside can do to it.

It serves injectors; what a run is and how it ends, `trial` says.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import copy_context

from robotape.tape import Tape
from robotape_harness.simulation.death import LIFE, Moment, Process
from robotape_harness.simulation.loop import SimLoop

__all__ = ["RunHandle"]


class RunHandle:
    """What an interceptor can do to the run it stands in.

    An interceptor that has a method `bind` is given one before the run begins; one whose
    attribute `kills` is True may have its process die.

    Attributes:
        task: The main task of the life that is lived now; None before the first.
        tape: What that life writes on.
    """

    def __init__(self, loop: SimLoop, process: Process | None = None) -> None:
        """Take hold of a run.

        Args:
            loop: On which it runs.
            process: What can die; None where nothing can.
        """
        self._loop = loop
        self._process = process
        self._ends: list[asyncio.Future[None]] = []
        self._asides: list[asyncio.Task[None]] = []
        self.task: asyncio.Task[None] | None = None
        self.tape = Tape()

    @property
    def now(self) -> float:
        """Virtual seconds since the run began."""
        return self._loop.time()

    @property
    def under_way(self) -> tuple[tuple[str, int], ...]:
        """(call id, attempt) of what was begun and has not ended, the oldest first."""
        return tuple(self.tape.pending.items())

    def cancel(self) -> bool:
        """Cancel the run, as whoever waits for it would; False if it has ended already."""
        return self.task is not None and self.task.cancel()

    def after_step(self, number: int, act: Callable[[], object]) -> None:
        """Do something between two steps of the run; see `SimLoop.at_step`."""
        self._loop.at_step(number, act)

    def die_after(self, event: Moment, number: int, told: Callable[[], None]) -> None:
        """Have the run's process die right after something that lasts; see `Process.plan`.

        Raises:
            RuntimeError: The interceptor does not say that it `kills`.
        """
        if self._process is None:
            raise RuntimeError("who has a run's process die says so: its attribute `kills` is True")
        self._process.plan(event, number, told)

    def choose(self, label: str, n: int) -> int:
        """Decide one thing by the run's choices; see `Choices.choose`."""
        return self._loop.choices.choose(label, n)

    def aside(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do something outside the run, which is none of its tasks.

        It goes on when the caller is cancelled and when the run has ended; what it leaves is
        no leftover, and the run is judged when it is done. It stands where the caller stands,
        and shifts the name of no call. An error that comes out of it concerns nobody.
        """
        end: asyncio.Future[None] = self._loop.create_future()
        self._ends.append(end)
        context = copy_context()
        context.run(LIFE.set, None)  # it outlives the caller's process, too
        # A task made by a callback has no parent, so the caller's own tasks keep their places.
        self._loop.call_soon(self._begin, work, end, context=context)

    def _begin(self, work: Callable[[], Awaitable[object]], end: "asyncio.Future[None]") -> None:
        place = self._loop.roots
        name = f"aside-{len(self._asides)}"
        self._asides.append(self._loop.create_task(_done(work, end), name=name))
        self._loop.roots = place  # nor does it take the place of a task that the run begins so

    @property
    def asides(self) -> "list[asyncio.Task[None]]":
        """The tasks in which things are done outside the run, over or not."""
        return self._asides

    @property
    def is_awaited(self) -> bool:
        """Whether anything outside the run is still to be done."""
        return not all(end.done() for end in self._ends)

    async def settle(self) -> None:
        """Wait until everything outside the run is done."""
        while self.is_awaited:
            await asyncio.wait([end for end in self._ends if not end.done()])


async def _done(work: Callable[[], Awaitable[object]], end: "asyncio.Future[None]") -> None:
    try:
        with suppress(Exception):
            await work()
    finally:
        end.set_result(None)
