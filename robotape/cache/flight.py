"""Flights: one piece of work that several callers wait for; it ends when nobody waits any more.

It keeps no answer for later and knows no keys.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from robotape.cache.twins import twin

__all__ = ["Flight"]

Give = Callable[[], Any]

# The flights that the code here is part of, so that none waits for itself.
_aloft: ContextVar[tuple["Flight", ...]] = ContextVar("robotape_aloft", default=())


class Flight:
    """Work in a task of its own, so that it outlives the caller that began it.

    Guarantee: a caller that is cancelled leaves the others alone. When the last one is,
    the work is cancelled too, and that caller waits until it has ended, as if it had
    awaited it directly: no task is left. Each caller gets an error of its own.
    """

    __slots__ = ("_gives", "_is_told", "_on_over", "_task", "_waiting")

    def __init__(
        self,
        work: Callable[[], Awaitable[Give]],
        on_over: Callable[["Flight", Give | None], None],
    ) -> None:
        """Begin the work.

        Args:
            work: Is awaited once; gives what gives the answer out to each caller.
            on_over: Told once, as soon as there is nothing to join any more: the flight,
                and what gives the answer out, or None if there is no answer.
        """
        self._waiting: dict[asyncio.Future[None], None] = {}
        self._gives: Give | None = None
        self._is_told = False
        self._on_over: Callable[[Flight, Give | None], None] | None = on_over
        self._task = asyncio.get_running_loop().create_task(self._fly(work))
        self._task.add_done_callback(self._landed)

    @property
    def is_around(self) -> bool:
        """Whether the code that asks is part of the work."""
        return self in _aloft.get()

    async def _fly(self, work: Callable[[], Awaitable[Give]]) -> Give:
        _aloft.set((*_aloft.get(), self))
        return await work()

    async def join(self) -> Any:
        """Wait for the answer.

        Raises:
            asyncio.CancelledError: The caller was cancelled, or the work was by others.
            Exception: What the work raised.
        """
        waiter = asyncio.get_running_loop().create_future()
        self._waiting[waiter] = None
        try:
            await waiter
        except asyncio.CancelledError:
            self._waiting.pop(waiter, None)
            if not self._waiting and not self._task.done():
                await self._abandon()
            raise
        return self._answer()

    def _landed(self, task: "asyncio.Task[Give]") -> None:
        if not task.cancelled() and task.exception() is None:
            self._gives = task.result()
        self._over()
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    def _over(self) -> None:
        on_over, self._on_over = self._on_over, None
        if on_over is not None:
            on_over(self, self._gives)

    def _answer(self) -> Any:
        if self._gives is not None:
            return self._gives()
        error = asyncio.CancelledError() if self._task.cancelled() else self._task.exception()
        assert error is not None
        # The first keeps the original; it has waiters in the order in which they came.
        if self._is_told:
            error = twin(error)
        self._is_told = True
        raise error

    async def _abandon(self) -> None:
        """End work that nobody waits for; a caller that comes now begins anew."""
        self._over()
        self._task.cancel()
        while not self._task.done():
            try:
                await asyncio.wait((self._task,))
            except asyncio.CancelledError:
                self._task.cancel()
