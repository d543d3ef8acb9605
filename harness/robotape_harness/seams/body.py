"""The content of a request or an answer: its chunks as they come, and how they end.

* Errors
  * ExchangeError       how an exchange failed; each client raises its own error for it
  * BodySpentError      a body's chunks were taken already, and not kept
"""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from typing import Literal, get_args

from robotape.errors import RobotapeError

__all__ = ["Body", "BodySpentError", "ExchangeError", "FAILURES", "Failure"]

Failure = Literal[
    "dns",  # the name could not be resolved
    "refused",  # nobody listens there
    "tls",  # the certificate is not trusted
    "connect_timeout",
    "pool_timeout",  # no connection became free in time
    "write_timeout",
    "read_timeout",  # nothing came for longer than the client waits
    "reset",  # the peer reset the connection (RST)
    "closed",  # the peer closed it before the answer was whole (FIN)
    "malformed",  # what came is not HTTP
    "other",  # only from `forward`: see `ExchangeError.original`
]
"""How an exchange fails. "reset", "closed" and "read_timeout" may strike within a body, too."""

FAILURES: frozenset[str] = frozenset(get_args(Failure))


class ExchangeError(RobotapeError):
    """An exchange failed on its way.

    Raised by a handler, or within a body's chunks, it comes out of the client as what the
    client itself raises in that case. Raised by `forward` it may be let pass: then the
    client's own error comes out, the very object.

    Attributes:
        failure: What happened.
        detail: More about it, for people.
        original: The client's own error if `forward` met it, else None.
    """

    def __init__(
        self, failure: Failure, detail: str = "", *, original: Exception | None = None
    ) -> None:
        """Say what happened.

        Raises:
            ValueError: `failure` is not one that clients can be told; "other" needs an original.
        """
        if failure not in FAILURES or (failure == "other" and original is None):
            known = ", ".join(sorted(FAILURES - {"other"}))
            raise ValueError(f"{failure!r} is no failure a client can be told; these are: {known}")
        super().__init__(failure, detail)
        self.failure: Failure = failure
        self.detail = detail
        self.original = original

    def __str__(self) -> str:
        return f"{self.failure}: {self.detail}" if self.detail else self.failure


class BodySpentError(RobotapeError):
    """The chunks of a body were asked for a second time, and had not been kept."""

    def __str__(self) -> str:
        return (
            "the chunks of this body were taken already: `await body.read()` keeps them,"
            " iterating it does not; to look at chunks as they pass, give the request or the"
            " answer a new Body of what a generator passes on."
        )


NO_SOURCE: tuple[bytes, ...] = ()
Chunks = bytes | Iterable[bytes] | AsyncIterable[bytes]


class Body:
    """The chunks of a request or an answer, their boundaries kept; read once, as they come.

    Iterating (`async for`) takes the chunks away. `read` takes them all and keeps them, so
    that whoever comes next, the client or `forward`, finds them still there. The content is
    what HTTP calls the content: transfer coding (chunked) removed, content coding (gzip) not.

    Attributes:
        end: How it ended: "" as long as it has not, then "clean", or the failure.
    """

    __slots__ = ("_chunks", "_failing", "_is_begun", "_on_close", "_source", "end")

    def __init__(
        self,
        chunks: Chunks = b"",
        *,
        end: Failure | None = None,
        on_close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Hold chunks.

        Args:
            chunks: Bytes are one chunk; an iterable is taken from as it is read. Empty
                chunks are dropped. It may raise `ExchangeError` to say that it breaks there.
            end: Fails in this way behind the last chunk; None for a clean end.
            on_close: Awaited once, at the end of the chunks or at `aclose`, whatever is
                first; must not suspend under a synchronous client.
        """
        self._chunks: tuple[bytes, ...] | None = None
        self._source: Iterable[bytes] | AsyncIterable[bytes] = NO_SOURCE
        if isinstance(chunks, bytes):
            self._chunks = (chunks,) if chunks else ()
        elif isinstance(chunks, list | tuple):
            self._chunks = tuple([chunk for chunk in chunks if chunk])
        else:
            self._source = chunks
        self._failing = None if end is None else ExchangeError(end)
        self._is_begun = False
        self._on_close = on_close
        self.end = "" if self._chunks is None else end or "clean"

    @property
    def known(self) -> tuple[bytes, ...] | None:
        """The chunks if all of them are known and kept, else None."""
        return self._chunks

    @property
    def is_begun(self) -> bool:
        """Whether somebody has begun to take the chunks, or closed it."""
        return self._is_begun

    @property
    def failing(self) -> ExchangeError | None:
        """What comes behind the last of the known chunks, if they do not end clean."""
        return self._failing

    async def read(self) -> bytes:
        """Take all chunks, keep them, and join them.

        Raises:
            ExchangeError: The body breaks; the chunks before that are kept, and so is this.
            BodySpentError: Chunks were taken from it before.
        """
        if self._chunks is None:
            await self._keep()
        if self._failing is not None:
            raise self._failing
        chunks = self._chunks or ()
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def _keep(self) -> None:
        taken: list[bytes] = []
        try:
            async for chunk in self:
                taken.append(chunk)
        except ExchangeError as error:
            self._failing = error
        self._chunks = tuple(taken)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Begin to take the chunks.

        Raises:
            BodySpentError: They were taken before, and not kept.
        """
        if self._chunks is not None:
            return _Taking(self, iter(self._chunks))
        if self._is_begun:
            raise BodySpentError
        self._is_begun = True
        source = self._source
        if isinstance(source, AsyncIterable):
            return _Taking(self, aiter(source))
        return _Taking(self, iter(source))

    async def aclose(self) -> None:
        """Let go of what the chunks come from; may be called twice, and at any time."""
        self._is_begun = True
        source, self._source = self._source, NO_SOURCE
        if source is not NO_SOURCE:
            await _close(source)
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            await on_close()

    async def _ended(self) -> None:
        """Behind the last chunk; raises if the body is to fail there."""
        if self._failing is not None:
            raise self._failing
        self.end = "clean"
        await self.aclose()

    async def _broke(self, error: BaseException) -> None:
        if isinstance(error, ExchangeError):
            self.end = error.failure
        await self.aclose()


async def _close(source: object) -> None:
    close = getattr(source, "aclose", None)
    if close is not None:
        # A generator that is being closed from within its own frame ends by itself.
        with suppress(RuntimeError):
            await close()
    elif hasattr(source, "close"):
        with suppress(ValueError):
            source.close()


class _Taking:
    """One walk along a body's chunks; no generator, so that nothing is left if it is dropped."""

    __slots__ = ("_body", "_iterator")

    def __init__(self, body: Body, iterator: Iterator[bytes] | AsyncIterator[bytes]) -> None:
        self._body = body
        self._iterator = iterator

    def __aiter__(self) -> "_Taking":
        return self

    async def __anext__(self) -> bytes:
        try:
            while True:
                chunk = await self._one()
                if chunk:
                    return chunk
                if chunk is None:
                    await self._body._ended()
                    break
        except BaseException as error:
            await self._body._broke(error)
            raise
        raise StopAsyncIteration

    async def _one(self) -> bytes | None:
        """The next chunk, or None behind the last."""
        iterator = self._iterator
        if isinstance(iterator, Iterator):
            return next(iterator, None)
        try:
            return await anext(iterator)
        except StopAsyncIteration:
            return None
