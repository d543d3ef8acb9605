"""How long a client waits for a handler: as long as it would wait for the network.

Clients whose timeouts are enforced below the seam would otherwise wait for ever.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from robotape_harness.seams.body import ExchangeError

__all__ = ["Interrupted", "Patience"]

T = TypeVar("T")


class Interrupted(Exception):
    """Whoever waits is to look up: what it waits for has become pointless."""


class Patience:
    """Waits for one thing after the other, for each no longer than a limit."""

    __slots__ = ("_is_interrupted", "_limit", "_loop", "_timer")

    def __init__(self, limit: float | None) -> None:
        """Set the limit.

        Args:
            limit: Seconds; None waits for ever, as do clients on another loop than asyncio's.
        """
        self._limit = limit
        self._timer: asyncio.Timeout | None = None
        self._is_interrupted = False
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None

    async def wait(self, awaited: Awaitable[T]) -> T:
        """Wait for one thing.

        Raises:
            ExchangeError: "read_timeout": it took too long, and was cancelled.
            Interrupted: Somebody interrupted, and it was cancelled.
        """
        if self._loop is None:
            return await awaited
        try:
            async with asyncio.timeout(self._limit) as timer:
                self._timer = timer
                return await awaited
        except TimeoutError as error:
            if not timer.expired():
                raise
            if self._is_interrupted:
                raise Interrupted from error
            raise ExchangeError("read_timeout") from error
        finally:
            self._timer = None

    def hold(self) -> None:
        """Do not count what comes now: the client itself limits it."""
        if self._timer is not None:
            self._timer.reschedule(None)

    def go_on(self) -> None:
        """Count again, from the beginning."""
        timer, loop = self._timer, self._loop
        if timer is None or loop is None or self._limit is None or self._is_interrupted:
            return
        if not timer.expired():
            timer.reschedule(loop.time() + self._limit)

    def interrupt(self) -> None:
        """End the wait that is under way, if there is one, and all after it."""
        timer, loop = self._timer, self._loop
        self._is_interrupted = True
        if timer is not None and loop is not None and not timer.expired():
            timer.reschedule(loop.time())
