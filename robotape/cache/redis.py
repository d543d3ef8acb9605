"""The store on a Redis server, for processes on several machines; needs the `redis` extra.

The server decides what goes when its memory is full; here nothing is counted.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from weakref import WeakKeyDictionary

from robotape.cache.errors import CacheStoreError
from robotape.secrets import keep_secret

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["RedisStore"]

PAGE = 500  # keys that `clear` deletes at a time


class RedisStore:
    """A store on a Redis server.

    Guarantee: an operation ends within `timeout` seconds, is never tried again and raises
    `CacheStoreError` whatever fails; the URL's password shows nowhere.

    A loop's connections belong to that loop: `await store.aclose()` before it ends.
    """

    def __init__(self, url: str, *, prefix: str = "robotape:cache:", timeout: float = 1.0) -> None:
        """Name the server; nothing is connected yet.

        Args:
            url: `redis://`, `rediss://` (TLS) or `unix://`, as redis-py takes it.
            prefix: What the names of all keys begin with; `clear` deletes these alone.
            timeout: Seconds for one operation; > 0.

        Raises:
            ImportError: The redis library is not there: `pip install robotape[redis]`.
            ValueError: The URL has no such scheme, the prefix is empty, or `timeout` is not > 0.
        """
        import redis.asyncio as library  # optional dependency: the redis extra
        from redis.asyncio.retry import Retry  # optional dependency: the redis extra
        from redis.backoff import NoBackoff  # optional dependency: the redis extra

        parts = urlsplit(url)
        if parts.scheme not in {"redis", "rediss", "unix"}:
            raise ValueError("want a URL that begins with redis://, rediss:// or unix://")
        if not prefix or timeout <= 0:
            raise ValueError(f"want a prefix and timeout > 0 s, got {prefix!r} and {timeout}")
        if parts.password:
            keep_secret("redis_password", unquote(parts.password))
        self._place = f"{parts.hostname or parts.path}:{parts.port or 6379}"
        self._prefix = prefix
        self._timeout = timeout
        self._failures = (library.RedisError, OSError, TimeoutError)
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Redis] = WeakKeyDictionary()
        self._connect: Callable[[], Redis] = lambda: library.Redis.from_url(
            url, retry=Retry(NoBackoff(), 0), socket_connect_timeout=timeout
        )

    def __repr__(self) -> str:
        return f"RedisStore({self._place!r})"

    async def get(self, key: str) -> bytes | None:
        """See `CacheStore.get`."""
        value: bytes | None = await self._ask("get", self._prefix + key)
        return value

    async def set(self, key: str, value: bytes, ttl: float | None) -> None:
        """See `CacheStore.set`."""
        milliseconds = None if ttl is None else max(1, round(ttl * 1000))
        await self._ask("set", self._prefix + key, value, px=milliseconds)

    async def delete(self, key: str) -> None:
        """See `CacheStore.delete`."""
        await self._ask("unlink", self._prefix + key)

    async def clear(self) -> None:
        """See `CacheStore.clear`; page by page, so that the server serves others between."""
        pattern = _literal(self._prefix) + "*"
        cursor = 0
        while True:
            cursor, names = await self._ask("scan", cursor, match=pattern, count=PAGE)
            if names:
                await self._ask("unlink", *names)
            if not cursor:
                return

    async def aclose(self) -> None:
        """Close the running loop's connections; they are made anew when they are needed."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    async def _ask(self, command: str, *args: Any, **options: Any) -> Any:
        """Make one request, within the timeout."""
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = self._connect()
        try:
            async with asyncio.timeout(self._timeout):
                return await getattr(client, command)(*args, **options)
        except TimeoutError as error:
            raise CacheStoreError(self._place, f"no answer within {self._timeout:g} s") from error
        except self._failures as error:
            raise CacheStoreError(self._place, f"{type(error).__name__}: {error}") from error


def _literal(text: str) -> str:
    """A text that matches itself alone in a Redis pattern."""
    return "".join(f"\\{letter}" if letter in "*?[]\\^-" else letter for letter in text)
