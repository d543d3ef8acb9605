"""Executors: functions handed to threads, as a step of the loop or in real ones it waits for."""

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import nullcontext
from contextvars import Context, copy_context
from functools import partial, wraps
from types import ModuleType
from typing import Any, TypeVar, TypeVarTuple

from robotape_harness.simulation.allowances import carry, grace, is_given
from robotape_harness.simulation.asking import place
from robotape_harness.simulation.asyncio_internals import run_outside
from robotape_harness.simulation.entropy import Entropy
from robotape_harness.simulation.escapes import EscapeError, NoRealIO
from robotape_harness.simulation.inside import Inside
from robotape_harness.simulation.lineage import LineageLoop
from robotape_harness.simulation.waiting import RealThreads, settle

__all__ = ["ExecutorLoop", "anyio_pairs"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class ExecutorLoop(NoRealIO, LineageLoop):
    """A loop that takes functions, and hears other threads where that is allowed.

    Attributes:
        inside: The run, as its own thread sees it.
    """

    def __init__(self, seed: int, block_limit: float | None) -> None:
        super().__init__()
        self.inside = Inside(self, Entropy(seed))
        self._block_limit = block_limit
        self._thread = threading.get_ident()
        self._threads = RealThreads(self)
        self._takes_functions = True

    def run_forever(self) -> None:
        """Run until `stop` is called, on the calling thread."""
        if not self.is_running():
            self._thread = threading.get_ident()
            self.hear_threads(grace())
        super().run_forever()

    def hear_threads(self, grace: float) -> None:
        """Let other threads wake the loop, and wait for them before time jumps.

        Args:
            grace: For so many real seconds; 0 changes nothing.
        """
        self._threads.hear(grace)

    def pass_time(self, seconds: float) -> None:
        """Let time pass within a step, as code does that blocks its thread.

        Args:
            seconds: Virtual ones; >= 0.

        Raises:
            HangError: The run has not that much time; it comes out of the run, too.
        """
        when = self._now + seconds
        try:
            self.before_jump(when)
        except Exception as error:
            self.fail(error)
            raise
        self._now = when

    def call_soon_threadsafe(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Do as `call_soon`; from another thread only where that is allowed.

        Raises:
            EscapeError: Another thread calls: when, is nothing that replays.
        """
        caller = threading.get_ident()
        if caller == self._thread:
            return self.call_soon(callback, *args, context=context)
        if not self._threads.may_wake(caller):
            hint = (
                "another thread cannot wake a simulated loop; use asyncio.to_thread, or"
                ' allow_real("threads", grace=seconds)'
            )
            self.refuse(EscapeError("loop.call_soon_threadsafe", hint, place()))
        return self._threads.wake(callback, args, context)

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run a function inline, as one step of its own, whatever the executor.

        Like a thread, it sees an empty context and no running loop, and can no longer be
        cancelled once it runs. Unlike a thread, it must not wait for the loop.

        Where `allow_real("executor")` is in force it runs in a real thread instead, of the
        executor if one is given, and virtual time stands still until it is done. There it may
        wait for the loop.
        """
        if executor is None and not self._takes_functions:
            raise RuntimeError("Executor shutdown has been called")
        future: asyncio.Future[T] = self.create_future()
        work = partial(func, *args)
        if is_given("executor"):
            self._threads.begin(executor, future, work, self.inside)
        else:
            self.call_soon(_run_inline, future, work, context=carry(Context()))
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Refuse further functions; there is no pool whose threads would have to end."""
        self._takes_functions = False

    def _jump(self) -> None:
        if not (self._threads.are_waited_for and self._threads.listen(self._block_limit)):
            super()._jump()


def _run_inline(future: asyncio.Future[T], work: Callable[[], T]) -> None:
    """Run a function on the loop's own thread, as another thread would."""
    if not future.cancelled():
        settle(future, partial(run_outside, work))


def anyio_pairs(to_thread: ModuleType) -> Iterator[tuple[object, object]]:
    """`anyio.to_thread.run_sync`, whose own threads would wake the loop from outside.

    Those know `anyio.from_thread`; a function that runs here does not.

    Args:
        to_thread: The module, once somebody has loaded it.
    """
    original = to_thread.run_sync
    anyio = sys.modules["anyio"]

    @wraps(original)
    async def run_sync(
        func: Callable[..., T],
        *args: Any,
        abandon_on_cancel: bool = False,
        cancellable: bool | None = None,
        limiter: Any = None,
    ) -> T:
        loop = asyncio.get_running_loop()
        is_abandoned = abandon_on_cancel if cancellable is None else cancellable
        if not isinstance(loop, ExecutorLoop):
            result: T = await original(func, *args, abandon_on_cancel=is_abandoned, limiter=limiter)
            return result
        await anyio.lowlevel.checkpoint()
        async with limiter or nullcontext():
            work = partial(copy_context().run, func, *args)
            with anyio.CancelScope(shield=not is_abandoned):
                return await loop.run_in_executor(None, work)
        raise AssertionError("neither returned nor raised")

    yield original, run_sync
