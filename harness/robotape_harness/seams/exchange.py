"""One HTTP exchange in no client's words, and the interface of whatever stands in its way.

A *handler* sees the request before it leaves and gives the answer: its own, the real one
that `forward` fetches, or a failure. Recording, replay, faults, scripted answers and blocking
are all handlers. Values only; `scope` puts handlers in force, one module per client attaches them.

The same handler serves asynchronous and synchronous clients. It is a coroutine function, and
under a synchronous client every step of it is taken at once, without an event loop: `forward`,
`Body.read`, iterating a `Body` and `pause` never suspend there. A handler that awaits something
else under a synchronous client fails: with a `SuspendedError`, or with what asyncio says when
it has no loop.

Handlers nest as `robotape.intercept` has it: a later one stands nearer to the network, so that
the outermost sees the request first and the answer last.

* Errors
  * ExchangeError       how an exchange failed; each client raises its own error for it
  * BodySpentError      a body's chunks were taken already, and not kept
  * SuspendedError      a handler really waited under a synchronous client
"""

import asyncio
import threading
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
)
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal, Protocol, TypeVar, get_args

from robotape.errors import RobotapeError, mark_permanent

__all__ = [
    "Body",
    "BodySpentError",
    "ExchangeError",
    "Failure",
    "Forward",
    "Handler",
    "Headers",
    "Request",
    "Response",
    "SuspendedError",
    "drive",
    "pause",
]

T = TypeVar("T")

Headers = tuple[tuple[bytes, bytes], ...]
"""Names and values in the order of the wire, repeated names and their case included."""

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


class SuspendedError(RobotapeError):
    """A handler awaited something that takes time, under a client that has no event loop."""

    def __str__(self) -> str:
        return (
            "a handler suspended under a synchronous client, where nothing could wake it:"
            " await forward, bodies and `pause` alone, or use an asynchronous client."
        )


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
        self._source: Iterable[bytes] | AsyncIterable[bytes] = ()
        if isinstance(chunks, bytes):
            self._chunks = (chunks,) if chunks else ()
        elif isinstance(chunks, list | tuple):
            self._chunks = tuple(chunk for chunk in chunks if chunk)
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
        source, self._source = self._source, ()
        close = getattr(source, "aclose", None)
        if close is not None:
            # A generator that is being closed from within its own frame ends by itself.
            with suppress(RuntimeError):
                await close()
        elif hasattr(source, "close"):
            with suppress(ValueError):
                source.close()
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


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """What a client is about to send; to change it, forward a `dataclasses.replace` of it.

    Attributes:
        method: In upper case, as sent.
        url: Absolute, as the client wrote it; without a fragment.
        headers: As sent, those the client adds by itself included.
        body: Read once; empty for most GETs.
        client: "aiohttp", "httpx" or "httpx2".
        is_sync: Whether the client is synchronous, so that nothing may suspend.
        read_timeout: Seconds the client waits for each piece of an answer; None for ever.
    """

    method: str
    url: str
    headers: Headers = ()
    body: Body = field(default_factory=Body)
    client: str = ""
    is_sync: bool = False
    read_timeout: float | None = None

    def header(self, name: str) -> str | None:
        """The first value of a header, in whatever case; None if it is not there."""
        return _first(self.headers, name)


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """An answer, as it comes off the wire.

    Headers say how the body is framed and coded, and must fit it: a client decodes the gzip
    that they announce, and takes a body shorter than its content-length for cut off. Without
    content-length and transfer-encoding it goes on until the connection closes. `of` makes
    one whose headers fit.

    Attributes:
        status: 100 to 999.
        headers: In the order of the wire.
        body: Its chunks, and how it ends.
        reason: The phrase of the status line.
        http_version: Such as "HTTP/1.1".
    """

    status: int
    headers: Headers = ()
    body: Body = field(default_factory=Body)
    reason: str = ""
    http_version: str = "HTTP/1.1"

    def __post_init__(self) -> None:
        if not 100 <= self.status <= 999:
            raise ValueError(f"a status has three digits, not {self.status!r}")

    @classmethod
    def of(
        cls,
        status: int,
        body: bytes | str | Iterable[bytes] | AsyncIterable[bytes] = b"",
        headers: Iterable[tuple[str, str]] = (),
        *,
        end: Failure | None = None,
    ) -> "Response":
        """Make an answer from what people write, with headers that fit the body.

        Args:
            status: As the attribute.
            body: Text is sent as UTF-8. Bytes and text get a content-length, anything else
                goes out chunked, unless `headers` say how they are framed.
            headers: In order.
            end: How the body fails behind its last chunk; None for a clean end.

        Example:
            >>> Response.of(200, "{}", [("content-type", "application/json")]).headers
            ((b'content-type', b'application/json'), (b'content-length', b'2'))
        """
        content = body.encode() if isinstance(body, str) else body
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        if not any(name.lower() in FRAMING for name, _ in pairs) and status not in BODILESS:
            pairs.append(
                (b"content-length", str(len(content)).encode())
                if isinstance(content, bytes)
                else (b"transfer-encoding", b"chunked")
            )
        return cls(status, tuple(pairs), Body(content, end=end), _phrase(status))

    def header(self, name: str) -> str | None:
        """The first value of a header, in whatever case; None if it is not there."""
        return _first(self.headers, name)


FRAMING = (b"content-length", b"transfer-encoding")
BODILESS = (204, 304)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _first(headers: Headers, name: str) -> str | None:
    wanted = name.lower().encode("latin-1")
    for key, value in headers:
        if key.lower() == wanted:
            return value.decode("latin-1")
    return None


Forward = Callable[[Request], Coroutine[Any, Any, Response]]
"""Send a request on: to the handlers nearer to the network, then over it."""


class Handler(Protocol):
    """Whatever stands in the way of an exchange."""

    async def __call__(self, request: Request, forward: Forward) -> Response:
        """Answer a request, pass it on, or fail it.

        An answer that `forward` gave may be returned as it is, which costs least, or wrapped:
        `replace(answer, body=Body(tee(answer.body)))`. One that is not returned is closed.

        Args:
            request: What the client sends; one call for each exchange, so that redirects
                and retries are calls of their own.
            forward: Fetches the real answer; may be awaited never, once or more often.

        Returns:
            What the client gets to see.

        Raises:
            ExchangeError: The exchange fails; the client raises its own error.
            Exception: Anything else is the handler's own failure: it goes through the
                client as it is, and out of the scope's end even if the client swallows it.
        """
        ...


def drive(steps: Coroutine[Any, Any, T]) -> T:
    """Take every step of a coroutine at once, for a synchronous client.

    Raises:
        SuspendedError: It awaited something that takes time.
    """
    try:
        steps.send(None)
    except StopIteration as stop:
        value: T = stop.value
        return value
    steps.close()
    raise mark_permanent(SuspendedError())


async def pause(request: Request, seconds: float) -> None:
    """Let time pass within an exchange, under either kind of client.

    An asynchronous client waits on its loop's clock, and its own timeouts strike; a
    synchronous one blocks its thread, at most for as long as it would wait for an answer.

    Args:
        request: The exchange's.
        seconds: >= 0.

    Raises:
        ExchangeError: "read_timeout": a synchronous client waits no longer.
    """
    if not request.is_sync:
        await asyncio.sleep(seconds)
        return
    limit = request.read_timeout
    threading.Event().wait(seconds if limit is None else min(seconds, limit))
    if limit is not None and seconds > limit:
        raise ExchangeError("read_timeout")
