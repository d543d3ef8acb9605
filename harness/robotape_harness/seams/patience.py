"""How long a client waits for a handler: as long as it would wait for the network.

Clients whose timeouts are enforced below the seam would otherwise wait for ever.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from robotape_harness.seams.body import ExchangeError

__all__ = ["Patience"]

T = TypeVar("T")


class Patience:
    """Waits for one thing after the other, for each no longer than a limit."""

    __slots__ = ("_limit", "_timer")

    def __init__(self, limit: float | None) -> None:
        """Set the limit.

        Args:
            limit: Seconds; None waits for ever, as do clients on another loop than asyncio's.
        """
        self._limit = limit
        self._timer: asyncio.Timeout | None = None
        if limit is not None:
            try:
                asyncio.get_running_loop()
            except RuntimeError:
                self._limit = None

    async def wait(self, awaited: Awaitable[T]) -> T:
        """Wait for one thing.

        Raises:
            ExchangeError: "read_timeout": it took too long, and was cancelled.
        """
        if self._limit is None:
            return await awaited
        try:
            async with asyncio.timeout(self._limit) as timer:
                self._timer = timer
                return await awaited
        except TimeoutError as error:
            if not timer.expired():
                raise
            raise ExchangeError("read_timeout") from error
        finally:
            self._timer = None

    def hold(self) -> None:
        """Do not count what comes now: the client itself limits it."""
        if self._timer is not None:
            self._timer.reschedule(None)

    def go_on(self) -> None:
        """Count again, from the beginning."""
        if self._timer is not None and self._limit is not None and not self._timer.expired():
            self._timer.reschedule(asyncio.get_running_loop().time() + self._limit)
