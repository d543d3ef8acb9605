"""Waiting: real threads for which a simulated loop waits, while virtual time stands still."""

import asyncio
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextvars import Context
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from robotape_harness.simulation.allowances import carry
from robotape_harness.simulation.inside import Inside, enter
from robotape_harness.simulation.watchdog import BlockedThreadError, StillBlocked, blocked

__all__ = ["RealThreads", "settle"]

PATIENCE = 0.9  # of the limit: the watchdog, who comes later, could only name the waiting loop


@dataclass(slots=True)
class _Job:
    """A function that a real thread was given."""

    number: int
    future: "asyncio.Future[Any]"
    work: Callable[[], Any]
    thread: int = 0

    def deliver(self) -> None:
        """Give the future what the function returned or raised."""
        if not self.future.done():
            settle(self.future, self.work)


@dataclass(frozen=True, slots=True)
class _Call:
    """What another thread wants the loop to call."""

    handle: asyncio.Handle
    callback: Callable[..., object]
    args: tuple[Any, ...]
    context: Context | None


class RealThreads:
    """The threads that one loop waits for.

    Guarantee: results come in the order in which the functions were begun, whichever thread is
    the first; they come when the last of them is done.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._jobs: dict[int, _Job] = {}
        self._done: list[_Job] = []
        self._begun = 0
        self._helpers: set[int] = set()
        self._grace = 0.0
        self._arrivals: SimpleQueue[_Job | _Call] = SimpleQueue()

    @property
    def are_waited_for(self) -> bool:
        """Whether time must not jump before somebody has listened."""
        return bool(self._jobs or self._grace)

    def hear(self, grace: float) -> None:
        """Let any thread wake the loop from now on.

        Args:
            grace: For so many real seconds it is waited for when nothing else is left to do.
        """
        self._grace = max(self._grace, grace)

    def may_wake(self, thread: int) -> bool:
        """Whether a thread may have the loop call something."""
        return bool(self._grace) or thread in self._helpers

    def wake(
        self, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None
    ) -> asyncio.Handle:
        """Have the loop call something, once it has nothing else left to do."""
        handle = asyncio.Handle(callback, args, self._loop, context)
        self._arrivals.put(_Call(handle, callback, args, context))
        return handle

    def begin(
        self,
        executor: Executor | None,
        future: "asyncio.Future[Any]",
        work: Callable[[], Any],
        inside: Inside,
    ) -> None:
        """Begin a function in a thread of an executor, or in one of its own.

        Args:
            executor: None for a thread of its own.
            future: Gets what the function returns or raises.
            work: The function; it sees an empty context.
            inside: The run, for which the thread counts as waited for.
        """
        job = _Job(self._begun, future, work)
        self._begun += 1
        self._jobs[job.number] = job
        run = Inside(
            inside.loop, inside.entropy.of_thread(job.number), inside.note, is_waited_for=True
        )
        context = carry(Context())
        outside = enter(None)  # the thread is the loop's own doing, and no escape
        try:
            if isinstance(executor, ProcessPoolExecutor):
                executor.submit(work).add_done_callback(lambda done: self._end(job, done.result))
            elif executor is not None:
                executor.submit(context.run, self._run, job, run)
            else:
                # A daemon: one that never ends must not keep the process.
                threading.Thread(
                    target=context.run, args=(self._run, job, run), daemon=True
                ).start()
        finally:
            enter(outside)

    def listen(self, limit: float | None) -> bool:
        """Wait for what the threads bring.

        Args:
            limit: Real seconds; None for no limit.

        Returns:
            Whether they brought something.

        Raises:
            BlockedThreadError: A function took longer than that.
        """
        if not self._jobs:
            return self._hear_out(self._grace)
        while self._jobs:
            arrival = self._next(limit)
            if isinstance(arrival, _Call):
                self._admit(arrival)
                return True
            if self._jobs.pop(arrival.number, None) is not None:  # else given up before
                self._done.append(arrival)
        for job in sorted(self._done, key=lambda each: each.number):
            job.deliver()
        self._done.clear()
        return True

    def _run(self, job: _Job, run: Inside) -> None:
        """Be the thread."""
        before = enter(run)
        job.thread = threading.get_ident()
        self._helpers.add(job.thread)
        result: Future[Any] = Future()
        try:
            result.set_result(job.work())
        except BaseException as error:
            result.set_exception(error)
        finally:
            self._helpers.discard(job.thread)
            enter(before)
            self._end(job, result.result)

    def _end(self, job: _Job, result: Callable[[], Any]) -> None:
        job.work = result
        self._arrivals.put(job)

    def _next(self, limit: float | None) -> _Job | _Call:
        try:
            return self._arrivals.get(timeout=None if limit is None else limit * PATIENCE)
        except Empty:
            assert limit is not None
            error = self._blocked(limit)
            self._jobs.clear()
            raise error from None

    def _blocked(self, limit: float) -> BlockedThreadError:
        thread = next(iter(self._jobs.values())).thread
        return blocked(sys._current_frames().get(thread), limit)

    def _hear_out(self, grace: float) -> bool:
        """Take what has come, or comes within a time, from whoever may wake the loop."""
        try:
            arrival = self._arrivals.get(timeout=grace)
        except Empty:
            return False
        if isinstance(arrival, _Call):
            self._admit(arrival)
        return True

    def _admit(self, call: _Call) -> None:
        if not call.handle.cancelled():
            self._loop.call_soon(call.callback, *call.args, context=call.context)


def settle(future: "asyncio.Future[Any]", work: Callable[[], Any]) -> None:
    """Give a future what a function returns or raises, as a thread pool does."""
    try:
        result = work()
    except StopIteration as error:
        stopped = RuntimeError("the function raised StopIteration, which no future can carry")
        stopped.__cause__ = error
        future.set_exception(stopped)
    except (BlockedThreadError, StillBlocked):
        future.cancel()  # the error itself comes out of the run
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
