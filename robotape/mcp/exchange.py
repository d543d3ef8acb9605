"""What HTTP said during one call: the SDK loses status, wait and cause, and has no caps.

A transport below the SDK's HTTP client notes them for the call that is under way, and turns
what would bring the whole connection down (a reset) or keep it busy for ever (a stream that
ends and is asked for again and again) into answers the SDK can live with.
"""

import asyncio
import email.utils
import json
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass

import httpx2

from robotape.errors import mark_not_started
from robotape.mcp.errors import (
    McpAuthenticationError,
    McpConnectionError,
    McpError,
    McpProtocolError,
    McpRequestError,
    McpResultTooLargeError,
    McpServerError,
)
from robotape.runtime import wall_clock

__all__ = ["Exchange", "Guard", "http_client", "under_way"]

# Connection closed, as the SDK says it itself; only the words matter, nobody reads the code.
_CLOSED = -32000
GOODBYE = 2.0  # seconds a server has to take note that a session ends


@dataclass(slots=True)
class Exchange:
    """What is known of one call over HTTP, beside what the SDK says of it.

    Attributes:
        is_call: Whether somebody waits for an answer; False for the connection itself.
        failure: Why there is no answer, if HTTP knows.
        streams: How often a stream was asked for.
    """

    is_call: bool = True
    failure: McpError | None = None
    streams: int = 0


# The SDK sends a message in the context of who asked for it, so it is found there.
under_way: ContextVar[Exchange | None] = ContextVar("robotape_mcp_exchange", default=None)


class Guard(httpx2.AsyncBaseTransport):
    """Passes requests on, notes what comes back, and keeps to the caps."""

    def __init__(
        self,
        inner: httpx2.AsyncBaseTransport,
        *,
        server: str,
        max_bytes: int,
        max_reconnects: int,
    ) -> None:
        """Stand before a transport.

        Args:
            inner: Does the work.
            server: Name for errors.
            max_bytes: Of one answer.
            max_reconnects: How often one call may ask for its stream again, and how often the
                connection may for its stream of notifications, in all.
        """
        self._inner = inner
        self._server = server
        self._max_bytes = max_bytes
        self._max_reconnects = max_reconnects

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; see the class."""
        exchange = under_way.get() or Exchange(is_call=False)
        if request.method == "GET" and self._is_once_too_often(exchange):
            return self._gave_up(request, exchange)
        # What is packed may be any size when it is unpacked.
        request.headers["accept-encoding"] = "identity"
        try:
            async with asyncio.timeout(GOODBYE if request.method == "DELETE" else None):
                response = await self._inner.handle_async_request(request)
        except (httpx2.TransportError, TimeoutError) as error:
            exchange.failure = _broken(self._server, error)
            return httpx2.Response(503, request=request)
        if response.status_code >= 400 and request.method == "POST":
            exchange.failure = _refused(self._server, response)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            exchange.failure = McpProtocolError(self._server, "an answer packed unasked for")
            return httpx2.Response(502, request=request)
        response.stream = _Counted(response.stream, exchange, self._server, self._max_bytes)
        return response

    def _is_once_too_often(self, exchange: Exchange) -> bool:
        exchange.streams += 1
        # The connection's first stream, of notifications, is no reconnection.
        return exchange.streams > self._max_reconnects + (not exchange.is_call)

    def _gave_up(self, request: httpx2.Request, exchange: Exchange) -> httpx2.Response:
        if not exchange.is_call:
            return httpx2.Response(405, request=request)
        words = f"its stream ended {exchange.streams} times without an answer"
        exchange.failure = McpConnectionError(self._server, words)
        # The SDK would wait and ask again; this it takes for the answer to the call.
        error = {"jsonrpc": "2.0", "id": 0, "error": {"code": _CLOSED, "message": words}}
        return httpx2.Response(
            200,
            headers={"content-type": "text/event-stream"},
            content=f"event: message\ndata: {json.dumps(error)}\n\n".encode(),
            request=request,
        )

    async def aclose(self) -> None:
        """Close the transport behind."""
        await self._inner.aclose()


class _Counted(httpx2.AsyncByteStream):
    """A body that ends early, and says why, when it is too large or breaks."""

    def __init__(self, inner: object, exchange: Exchange, server: str, max_bytes: int) -> None:
        assert isinstance(inner, httpx2.AsyncByteStream)
        self._inner = inner
        self._exchange = exchange
        self._server = server
        self._left = max_bytes
        self._max_bytes = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._inner:
                self._left -= len(chunk)
                if self._left < 0:
                    self._exchange.failure = McpResultTooLargeError(self._server, self._max_bytes)
                    return
                yield chunk
        except httpx2.TransportError as error:
            self._exchange.failure = _broken(self._server, error)

    async def aclose(self) -> None:
        await self._inner.aclose()


def http_client(
    *, server: str, headers: dict[str, str], max_bytes: int, max_reconnects: int
) -> httpx2.AsyncClient:
    """An HTTP client for one connection; its time limits are the caller's."""
    inner = httpx2.AsyncHTTPTransport()
    guard = Guard(inner, server=server, max_bytes=max_bytes, max_reconnects=max_reconnects)
    return httpx2.AsyncClient(transport=guard, headers=headers, timeout=None, trust_env=False)


def _refused(server: str, response: httpx2.Response) -> McpError:
    status = response.status_code
    words = f"HTTP {status} {response.reason_phrase}".strip()
    if status in (401, 403):
        return McpAuthenticationError(server, words, status=status)
    wait = _wait(response.headers.get("retry-after", ""))
    if status == 429:
        return mark_not_started(McpServerError(server, words, status=status, retry_after=wait))
    if status >= 500 or status == 408:
        return McpServerError(server, words, status=status, retry_after=wait)
    if status == 404:  # the session is not known there any more
        return mark_not_started(McpConnectionError(server, words, status=status))
    return McpRequestError(server, words, status=status)


def _wait(text: str) -> float | None:
    """Retry-After: seconds, or a date."""
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - wall_clock())
    except ValueError:
        return None


def _broken(server: str, error: Exception) -> McpError:
    """Why a request brought nothing; only a network's own words are safe to repeat."""
    if isinstance(error, httpx2.LocalProtocolError | httpx2.UnsupportedProtocol):
        return McpRequestError(server, f"the request cannot be sent ({type(error).__name__})")
    words = f": {error}" if isinstance(error, httpx2.NetworkError) and str(error) else ""
    failure = McpConnectionError(server, f"{type(error).__name__}{words}")
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        mark_not_started(failure)
    return failure
