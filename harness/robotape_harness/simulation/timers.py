"""Timers: what fires when, first set first fired at one instant; whose clock it is, is the loop's.

asyncio's own heap orders handles by instant alone, and on virtual time ties are the rule.
"""

import asyncio
import heapq
from collections.abc import Iterator
from math import inf, isnan

__all__ = ["Timers"]

MANY = 100
"""From so many on, cancelled timers are cleared away once they are the greater part.

Source: `_MIN_SCHEDULED_TIMER_HANDLES` and its fraction in asyncio.base_events.
"""


class Timers:
    """The timers of one loop."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._number = 0
        self._cancelled = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, when: float, timer: asyncio.TimerHandle) -> None:
        """Set a timer; one at infinity never fires.

        Raises:
            ValueError: The instant is not a number.
        """
        if isnan(when):
            raise ValueError("a timer cannot be set to NaN")
        heapq.heappush(self._heap, (when, self._number, timer))
        self._number += 1

    def next_at(self) -> float:
        """When the next timer fires; infinity when none does."""
        heap = self._heap
        while heap and heap[0][2].cancelled():
            heapq.heappop(heap)
        return heap[0][0] if heap else inf

    def pop_due(self, now: float) -> Iterator[asyncio.TimerHandle]:
        """Take off the timers that are due, in the order of firing."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            timer = heapq.heappop(heap)[2]
            if not timer.cancelled():
                yield timer

    def pending(self) -> list[tuple[float, asyncio.TimerHandle]]:
        """Instant and handle of the timers that are set, in the order of firing."""
        return [(when, timer) for when, _, timer in sorted(self._heap) if not timer.cancelled()]

    def note_cancelled(self) -> None:
        """Hear that some timer was cancelled, fired or not; costs constant time on average."""
        self._cancelled += 1
        if len(self._heap) > MANY and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if not entry[2].cancelled()]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def clear(self) -> None:
        """Drop all of them."""
        self._heap.clear()
