"""A shelf: the answers of one function, tool or model in one run; who asks first, asks for all.

It decides when an answer is given again; what its key is, others have decided.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from robotape.cache.flight import Flight
from robotape.cache.store import CacheStore
from robotape.cache.values import keep
from robotape.secrets import redact, redactor

__all__ = ["Answer", "CacheInfo", "Codec", "Shelf"]

# Quiet unless the application listens.
_log = logging.getLogger("robotape.cache")
_log.addHandler(logging.NullHandler())

ALIASES = 4  # ways of writing one question that are remembered, on average


class CacheInfo(NamedTuple):
    """What a cache has done so far, in one run or event loop.

    Attributes:
        hits: Calls that were answered without entering the function.
        misses: Calls that entered it.
        maxsize: Answers kept in memory at most.
        currsize: Answers kept in memory now; 0 with a store, which keeps its own.
    """

    hits: int
    misses: int
    maxsize: int
    currsize: int


class Codec(NamedTuple):
    """How an answer becomes bytes for a store, and an answer again.

    Attributes:
        dump: An answer -> JSON bytes.
        load: The bytes -> an equal answer.
    """

    dump: Callable[[Any], bytes]
    load: Callable[[bytes], Any]


class Answer:
    """One answer kept.

    Attributes:
        give: Gives it out, once for each caller.
        expires_at: Instant of the loop's clock at which it is over, or None.
    """

    __slots__ = ("expires_at", "give")

    def __init__(self, give: Callable[[], Any], expires_at: float | None) -> None:
        self.give = give
        self.expires_at = expires_at


class Shelf:
    """The answers that one rule applies to, for callers on one loop.

    Guarantee: while an answer is being computed, whoever asks for it waits for that one;
    failures are not kept; never more than `maxsize` answers; an answer is given until its
    time to live has passed since it came, and not at that very instant. A store that fails
    makes answers slower, never wrong and never an error.
    """

    __slots__ = (
        "_aliases",
        "_answers",
        "_flights",
        "_maxsize",
        "_reported",
        "_store",
        "_ttl",
        "hits",
        "misses",
    )

    def __init__(
        self, maxsize: int, ttl: float | None, store: CacheStore | None, reported: set[str]
    ) -> None:
        """Begin empty.

        Args:
            maxsize: As `Caching.maxsize`; so `ttl` and `store`.
            reported: What of the store is known not to work, kept for longer than a run.
        """
        self._maxsize = maxsize
        self._ttl = ttl
        self._store = store
        self._reported = reported
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._aliases: dict[tuple[int, int], str] = {}
        self._flights: dict[str, Flight] = {}
        self.hits = 0
        self.misses = 0

    def info(self) -> CacheInfo:
        """What has happened so far."""
        return CacheInfo(self.hits, self.misses, self._maxsize, len(self._answers))

    def clear(self) -> None:
        """Forget all answers in memory, those on their way too; who waits for them gets them."""
        self._answers.clear()
        self._aliases.clear()
        self._flights.clear()
        self.hits = self.misses = 0

    def know_as(self, alias: tuple[int, int], key: str) -> None:
        """Remember a key under what is quicker to make of the same call."""
        if len(self._aliases) >= ALIASES * self._maxsize:
            self._aliases.clear()
        self._aliases[alias] = key

    def recall_as(self, alias: tuple[int, int]) -> Answer | None:
        """As `recall`, for the key that the alias stands for."""
        key = self._aliases.get(alias)
        if key is None:
            return None
        answer = self._answers.get(key)
        if answer is None or answer.expires_at is not None:
            return self.recall(key)
        self._answers.move_to_end(key)
        self.hits += 1
        return answer

    def recall(self, key: str) -> Answer | None:
        """The answer kept in memory under the key, if there is one."""
        answer = self._answers.get(key)
        if answer is None:
            return None
        expires_at = answer.expires_at
        if expires_at is not None and expires_at <= asyncio.get_running_loop().time():
            del self._answers[key]
            return None
        self._answers.move_to_end(key)
        self.hits += 1
        return answer

    async def fetch(
        self,
        key: str,
        make: Callable[[], Awaitable[Any]],
        codec: Codec | None = None,
        timer: asyncio.Timeout | None = None,
    ) -> Any:
        """Answer from memory, from a call under way, from the store, or by making the call.

        Args:
            make: Makes the call, in a task of its own; it is entered at most once.
            codec: For the store; without one it is not asked.
            timer: How long to wait for a call that another caller began; None for its end.

        Raises:
            RecursionError: The answer is being computed by the very code that asks for it.
            TimeoutError: The timer has expired.
            Exception: What the call raised.
        """
        answer = self.recall(key)
        if answer is not None:
            return answer.give()
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = self._begin(key, make, codec)
            return await flight.join()
        if flight.is_around:
            raise RecursionError("a cached call waits for its own answer: it asks the same again")
        self.hits += 1
        async with timer or asyncio.timeout(None):
            return await flight.join()

    def _begin(self, key: str, make: Callable[[], Awaitable[Any]], codec: Codec | None) -> Flight:
        def over(flight: Flight, give: Callable[[], Any] | None) -> None:
            if self._flights.get(key) is flight:
                del self._flights[key]
                if give is not None and self._store is None:
                    self._put(key, give, asyncio.get_running_loop().time())

        async def work() -> Callable[[], Any]:
            if self._store is not None and codec is not None:
                return await self._through(self._store, key, make, codec)
            self.misses += 1
            return keep(await make())

        return Flight(work, over)

    def offer(self, key: str, value: Any, came_at: float) -> None:
        """Keep an answer that came some other way, unless a store has them.

        Args:
            came_at: When, as an instant of the loop's clock.
        """
        if self._store is None:
            self._put(key, keep(value), came_at)

    def _put(self, key: str, give: Callable[[], Any], came_at: float) -> None:
        expires_at = None if self._ttl is None else came_at + self._ttl
        self._answers[key] = Answer(give, expires_at)
        if len(self._answers) > self._maxsize:
            self._answers.popitem(last=False)

    # -- the store

    async def _through(
        self, store: CacheStore, key: str, make: Callable[[], Awaitable[Any]], codec: Codec
    ) -> Callable[[], Any]:
        """Ask the store; else make the call and tell the store."""
        data = await self._attempt("read", store.get(key))
        if data is not None:
            try:
                value = codec.load(data)
            except Exception as error:
                self._report("decode", error)
                await self._attempt("delete", store.delete(key))
            else:
                self.hits += 1
                return keep(value)
        self.misses += 1
        value = await make()
        data = self._packed(value, codec)
        if data is not None:
            await self._attempt("write", store.set(key, data, self._ttl))
        return keep(value)

    async def _attempt(self, what: str, request: Awaitable[bytes | None]) -> bytes | None:
        try:
            data = await request
        except Exception as error:
            self._report(what, error)
            return None
        self._reported.discard(what)
        return data

    def _packed(self, value: Any, codec: Codec) -> bytes | None:
        """The answer as bytes; None if they would not give it back, or would give a secret away."""
        try:
            data = codec.dump(value)
            restored = codec.load(data)
            if type(restored) is not type(value) or restored != value:
                raise ValueError(
                    f"JSON does not give a {type(value).__qualname__} back as it was: annotate "
                    "what the function returns, or return what JSON can hold"
                )
            if redactor().data(data) is not data:
                raise ValueError("the answer holds a secret, which stays in this process")
        except Exception as error:
            self._report("keep", error)
            return None
        return data

    def _report(self, what: str, error: Exception) -> None:
        """Log a failure of the store, once until that works again."""
        if what not in self._reported:
            self._reported.add(what)
            _log.warning(
                "cache: cannot %s %r, so calls are made: %s",
                what,
                self._store,
                redact(f"{type(error).__name__}: {error}"),
            )
