"""How long a client waits for a handler: as long as it would wait for the network.

Clients whose timeouts are enforced below the seam would otherwise wait for ever.
"""

import asyncio
from collections.abc import Awaitable, Generator
from typing import Any, Generic, TypeVar

from robotape_harness.seams.body import ExchangeError

__all__ = ["Interrupted", "Patience"]

T = TypeVar("T")


class Interrupted(Exception):
    """Whoever waits is to look up: what it waits for has become pointless."""


class Patience:
    """Waits for one thing after the other, for each no longer than a limit.

    A timer costs more than most answers; there is none unless a wait really suspends where
    it is to be limited.

    Attributes:
        has_interrupts: Whether `interrupt` may be called.
    """

    __slots__ = ("_is_held", "_is_interrupted", "_limit", "_loop", "_timer", "has_interrupts")

    def __init__(self, limit: float | None, *, has_interrupts: bool = False) -> None:
        """Set the limit.

        Args:
            limit: Seconds; None waits for ever, as do clients on another loop than asyncio's.
            has_interrupts: As the attribute.
        """
        self._limit = limit
        self.has_interrupts = has_interrupts
        self._timer: asyncio.Timeout | None = None
        self._is_held = False
        self._is_interrupted = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def wait(self, awaited: Awaitable[T]) -> T:
        """Wait for one thing.

        Raises:
            ExchangeError: "read_timeout": it took too long, and was cancelled.
            Interrupted: Somebody interrupted, and it was cancelled.
        """
        if self._limit is None and not self.has_interrupts:
            return await awaited
        return await _Stepped(awaited, self)

    @property
    def is_needed(self) -> bool:
        """Whether a wait that suspends now must be able to end early."""
        return self.has_interrupts or not self._is_held

    async def timed(self, rest: Awaitable[T]) -> T:
        """Wait for the rest of a thing that has suspended, by the timer."""
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            return await rest  # another library's loop
        try:
            async with asyncio.timeout(None if self._is_held else self._limit) as timer:
                self._timer = timer
                if self._is_interrupted:
                    timer.reschedule(self._loop.time())
                return await rest
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
        self._is_held = True
        if self._timer is not None and not self._is_interrupted:
            self._timer.reschedule(None)

    def go_on(self) -> None:
        """Count again, from the beginning."""
        self._is_held = False
        timer, loop = self._timer, self._loop
        if timer is None or loop is None or self._limit is None or self._is_interrupted:
            return
        if not timer.expired():
            timer.reschedule(loop.time() + self._limit)

    def interrupt(self) -> None:
        """End the wait that is under way, if there is one, and all after it."""
        self._is_interrupted = True
        timer, loop = self._timer, self._loop
        if timer is not None and loop is not None and not timer.expired():
            timer.reschedule(loop.time())


class _Stepped(Generic[T]):
    """Takes the steps of a thing one by one, until it suspends where a timer is needed."""

    __slots__ = ("_awaited", "_patience")

    def __init__(self, awaited: Awaitable[T], patience: Patience) -> None:
        self._awaited = awaited
        self._patience = patience

    def __await__(self) -> Generator[Any, Any, T]:
        steps = self._awaited.__await__()
        try:
            signal = next(steps)
            while not self._patience.is_needed:
                try:
                    sent = yield signal
                except BaseException as error:
                    signal = steps.throw(error)
                else:
                    signal = steps.send(sent)
        except StopIteration as stop:
            value: T = stop.value
            return value
        return (yield from self._patience.timed(_Rest(steps, signal)).__await__())


class _Rest(Generic[T]):
    """What is left of a thing whose last signal has still to be given on."""

    __slots__ = ("_signal", "_steps")

    def __init__(self, steps: Generator[Any, Any, T], signal: object) -> None:
        self._steps = steps
        self._signal = signal

    def __await__(self) -> Generator[Any, Any, T]:
        steps, signal = self._steps, self._signal
        try:
            while True:
                try:
                    sent = yield signal
                except BaseException as error:
                    signal = steps.throw(error)
                else:
                    signal = steps.send(sent)
        except StopIteration as stop:
            value: T = stop.value
            return value
