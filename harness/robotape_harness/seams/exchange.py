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

It raises one error of its own: SuspendedError, a handler really waited under a synchronous client.
"""

import asyncio
import threading
from collections.abc import AsyncIterable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

from robotape.errors import RobotapeError, mark_permanent
from robotape.models.value import quick
from robotape_harness.seams.body import Body, ExchangeError, Failure

__all__ = [
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


class SuspendedError(RobotapeError):
    """A handler awaited something that takes time, under a client that has no event loop."""

    def __str__(self) -> str:
        return (
            "a handler suspended under a synchronous client, where nothing could wake it:"
            " await forward, bodies and `pause` alone, or use an asynchronous client."
        )


@quick
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


@quick
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

        Raises:
            ValueError: `status` has not three digits.

        Example:
            >>> Response.of(200, "{}", [("content-type", "application/json")]).headers
            ((b'content-type', b'application/json'), (b'content-length', b'2'))
        """
        if not 100 <= status <= 999:
            raise ValueError(f"a status has three digits, not {status!r}")
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
