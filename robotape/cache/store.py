"""Stores: where answers outlive a run; one protocol, and the store that is a dict in memory.

A store keeps bytes under a name for a time. What they mean, and what happens when it
fails, is the shelf's business.
"""

from collections import OrderedDict
from threading import Lock
from typing import Protocol

from robotape.runtime import wall_clock

__all__ = ["CacheStore", "MemoryStore"]


class CacheStore(Protocol):
    """What keeps bytes under a name for a time; may be shared by runs, loops and processes.

    Its time is the calendar's, for it outlives every loop's clock.
    """

    async def get(self, key: str) -> bytes | None:
        """What was last set under the key, or None if there is nothing or its time is over.

        Raises:
            CacheStoreError: The store cannot be read.
        """

    async def set(self, key: str, value: bytes, ttl: float | None) -> None:
        """Keep a value: wholly or not at all.

        Args:
            ttl: Seconds from now after which it is gone, > 0; None for as long as there is room.

        Raises:
            CacheStoreError: The store cannot be written.
        """

    async def delete(self, key: str) -> None:
        """Forget a key; one that is not there is no error.

        Raises:
            CacheStoreError: The store cannot be written.
        """

    async def clear(self) -> None:
        """Forget everything the store keeps.

        Raises:
            CacheStoreError: The store cannot be written.
        """


class MemoryStore:
    """A store in this process's memory, for answers that several runs may share on purpose.

    Guarantee: never more than `maxsize` values; the least recently used goes first. Threads
    may share it.

    Example:
        >>> import asyncio
        >>> store = MemoryStore(maxsize=1)
        >>> asyncio.run(store.set("a", b"1", None))
        >>> asyncio.run(store.get("a"))
        b'1'
    """

    def __init__(self, maxsize: int = 10_000) -> None:
        """Begin empty.

        Args:
            maxsize: Values kept; >= 1.

        Raises:
            ValueError: `maxsize` is below 1.
        """
        if maxsize < 1:
            raise ValueError(f"maxsize must be >= 1, got {maxsize}")
        self.maxsize = maxsize
        self._values: OrderedDict[str, tuple[bytes, float | None]] = OrderedDict()
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"MemoryStore(maxsize={self.maxsize})"

    def __len__(self) -> int:
        return len(self._values)

    async def get(self, key: str) -> bytes | None:
        """See `CacheStore.get`."""
        now = wall_clock()
        with self._lock:
            value, expires_at = self._values.get(key, (None, None))
            if expires_at is not None and expires_at <= now:
                del self._values[key]
                return None
            if value is not None:
                self._values.move_to_end(key)
            return value

    async def set(self, key: str, value: bytes, ttl: float | None) -> None:
        """See `CacheStore.set`."""
        expires_at = None if ttl is None else wall_clock() + ttl
        with self._lock:
            self._values[key] = (value, expires_at)
            self._values.move_to_end(key)
            if len(self._values) > self.maxsize:
                self._values.popitem(last=False)

    async def delete(self, key: str) -> None:
        """See `CacheStore.delete`."""
        with self._lock:
            self._values.pop(key, None)

    async def clear(self) -> None:
        """See `CacheStore.clear`."""
        with self._lock:
            self._values.clear()
