"""Connections shared by all requests of an event loop; what may be asked is decided in `rules`."""

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from json import JSONEncoder
from types import TracebackType
from typing import Any, Self

import aiohttp
from yarl import URL

from robotape.errors import mark_not_started, mark_permanent
from robotape.http.errors import HttpRedirectError, HttpRefusedError, HttpTooLargeError
from robotape.http.failures import FAILURES, failure_of
from robotape.http.reply import HttpReply
from robotape.http.rules import HttpLimits, followed, host_name, refusal
from robotape.http.streamed import HttpStream

__all__ = ["HttpPool"]

MAX_REDIRECTS = 5
# aiohttp writes larger bodies in pieces if it is given a file, and warns if it is not.
IN_ONE_PIECE = 2**19
# Made once: `json.dumps` with options makes an encoder for each call.
_encoded = JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class HttpPool:
    """Connections shared by all requests of an event loop, one session for each loop.

    HTTPS only, but for loopback; no proxy, cookie or credential is taken from the
    surroundings. A pool may serve several loops, also in several threads. Its sessions
    close with `aclose`, or else when their loop shuts down, as at the end of
    `asyncio.run`.
    """

    def __init__(
        self,
        *,
        allow_hosts: Collection[str] | None = None,
        allow_http: bool = False,
        limits: HttpLimits | None = None,
    ) -> None:
        """Lay down the rules; nothing is opened before the first request.

        Args:
            allow_hosts: Host names that may be reached, without port; None for any.
            allow_http: Whether plain HTTP may leave this machine.
            limits: None for the defaults.
        """
        if isinstance(allow_hosts, str):
            raise TypeError("allow_hosts is a collection of names, not one name")
        self.limits = limits or HttpLimits()
        self._allow_http = allow_http
        self._hosts = None if allow_hosts is None else frozenset(map(host_name, allow_hosts))
        self._sessions: dict[asyncio.AbstractEventLoop, _Session] = {}

    async def request(
        self,
        method: str,
        url: str | URL,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        body: bytes | None = None,
        timeout: float | None = None,
    ) -> HttpReply:
        """Make one request.

        A redirect is followed for GET and HEAD within the same origin only, so that
        nothing of the request, credentials included, reaches another.

        Args:
            method: In any case.
            url: Absolute; without user and password, which belong into headers.
            headers: Sent to this origin alone.
            json: Sent as the body if it is not None, with its content type.
            body: Sent as it is.
            timeout: Seconds for each exchange, so that a redirect starts anew; > 0; None takes
                the limits', `math.inf` is for a caller with a timer of its own.

        Returns:
            A whole answer; an error status is an answer, too.

        Raises:
            HttpError: There was none; see the subclasses.
            ValueError: `url` is not absolute, `json` and `body` were both given, or `json`
                holds what JSON cannot say.
        """
        method = method.upper()
        where = URL(url) if isinstance(url, str) else url
        self._admit(method, where)
        body, headers = _content(json, body, headers)
        for _ in range(MAX_REDIRECTS + 1):
            reply = await self._exchange(method, where, headers, body, timeout)
            location = followed(method, reply, has_body=body is not None)
            if location is None:
                return reply
            where = location
        reason = f"more than {MAX_REDIRECTS} redirects"
        raise mark_permanent(
            HttpRedirectError(method, reply.url, reason, status=reply.status, location=where)
        )

    def _admit(self, method: str, url: URL) -> None:
        reason = refusal(url, self._hosts, allow_http=self._allow_http)
        if reason:
            raise mark_permanent(mark_not_started(HttpRefusedError(method, url, reason)))

    async def _exchange(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str] | None,
        body: bytes | None,
        timeout: float | None,
    ) -> HttpReply:
        """One request and its answer; raises none but our own errors, with no other behind them."""
        held = self._held() or await self._open()
        session = held.session
        seconds = self.limits.timeout if timeout is None else timeout
        try:
            async with session.request(
                method,
                url,
                headers=headers,
                data=_in_one_piece(body),
                allow_redirects=False,
                timeout=_timeout(seconds, self.limits.connect_timeout),
            ) as response:
                held.reading.add(response)
                try:
                    return await _whole(response, method, self.limits.max_bytes)
                finally:
                    held.reading.discard(response)
        except FAILURES as error:
            failure = failure_of(error, session, method, url, seconds)
        raise failure

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str | URL,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        body: bytes | None = None,
    ) -> AsyncIterator[HttpStream]:
        """Make one request whose answer is read as it comes; no redirect is followed.

        It has no time limit but for the connection: whoever reads has a timer. What has not
        been read to its end, or finished, at the end of the block is hung up on.

        Args:
            method: In any case.
            url: Absolute; without user and password.
            headers: Sent to this origin alone.
            json: Sent as the body if it is not None, with its content type.
            body: Sent as it is.

        Yields:
            An answer of whatever status.

        Raises:
            HttpError: There was none; see the subclasses.
            ValueError: As for `request`.
        """
        method = method.upper()
        where = URL(url) if isinstance(url, str) else url
        self._admit(method, where)
        body, headers = _content(json, body, headers)
        held = self._held() or await self._open()
        response = await self._headed(held.session, method, where, headers, body)
        held.reading.add(response)
        try:
            reply = HttpStream(response, held.session, method, self.limits.max_stream_bytes)
            followed("POST", reply.head, has_body=True)  # raises where the answer points elsewhere
            yield reply
        finally:
            held.reading.discard(response)
            response.release()

    async def _headed(
        self,
        session: aiohttp.ClientSession,
        method: str,
        url: URL,
        headers: Mapping[str, str] | None,
        body: bytes | None,
    ) -> aiohttp.ClientResponse:
        """One request, and the head of its answer."""
        try:
            return await session.request(
                method,
                url,
                headers=headers,
                data=_in_one_piece(body),
                allow_redirects=False,
                timeout=_timeout(math.inf, self.limits.connect_timeout),
            )
        except FAILURES as error:
            failure = failure_of(error, session, method, url, math.inf)
        raise failure

    def _held(self) -> "_Session | None":
        """The running loop's session, if it has one that is open."""
        held = self._sessions.get(asyncio.get_running_loop())
        return None if held is None or held.session.closed else held

    async def _open(self) -> "_Session":
        """A session for the running loop; suspends nowhere, so that two callers cannot make two."""
        loop = asyncio.get_running_loop()
        for other in [other for other in self._sessions if other.is_closed()]:
            await self._sessions.pop(other).holder.aclose()
        session, reading = _opened(self.limits), set[aiohttp.ClientResponse]()
        holder = _hold(session, reading)
        await anext(holder)
        held = self._sessions[loop] = _Session(session, holder, reading)
        return held

    async def aclose(self) -> None:
        """Close the running loop's connections; requests under way there fail.

        May be called twice, and the pool may be used again: it opens anew.
        """
        held = self._sessions.pop(asyncio.get_running_loop(), None)
        if held is not None:
            await held.holder.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


@lru_cache(maxsize=64)
def _timeout(seconds: float, connect_timeout: float) -> aiohttp.ClientTimeout:
    # By default aiohttp rounds timeouts beyond 5 s up to a whole second.
    total = None if seconds == math.inf else seconds
    return aiohttp.ClientTimeout(total=total, sock_connect=connect_timeout, ceil_threshold=math.inf)


@dataclass(frozen=True, slots=True)
class _Session:
    """One loop's session, what closes it, and the answers that are being read."""

    session: aiohttp.ClientSession
    holder: AsyncGenerator[None, None]
    reading: set[aiohttp.ClientResponse]


async def _hold(
    session: aiohttp.ClientSession, reading: set[aiohttp.ClientResponse]
) -> AsyncGenerator[None, None]:
    """Tie a session to its loop, which ends its asynchronous generators when it shuts down."""
    try:
        yield
    finally:
        # aiohttp forgets to wake whoever reads a body whose connection it closes.
        for response in reading:
            response.content.set_exception(aiohttp.ClientPayloadError("the pool was closed"))
        await session.close()


def _opened(limits: HttpLimits) -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0,
            limit_per_host=limits.connections_per_host,
            keepalive_timeout=limits.keep_alive,
            # By the loop's getaddrinfo, whatever else is installed: a simulated loop has its own.
            resolver=aiohttp.ThreadedResolver(),
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "robotape"},
    )
    # aiohttp sends GET, PUT and DELETE twice when a kept connection turns out dead. Retries have
    # one owner, and it is not this room; aiohttp's own test client switches it off likewise.
    session._retry_connection = False
    return session


def _in_one_piece(body: bytes | None) -> bytes | BytesIO | None:
    return body if body is None or len(body) < IN_ONE_PIECE else BytesIO(body)


def _content(
    value: Any, body: bytes | None, headers: Mapping[str, str] | None
) -> tuple[bytes | None, Mapping[str, str] | None]:
    """Body and headers as they are sent."""
    if value is None:
        return body, headers
    if body is not None:
        raise ValueError("give json or body, not both")
    return _encoded(value).encode(), {"Content-Type": "application/json", **(headers or {})}


async def _whole(response: aiohttp.ClientResponse, method: str, limit: int) -> HttpReply:
    """The answer once it is all here, unless it outgrows the limit."""
    announced = response.content_length or 0
    parts: list[bytes] = []
    is_within = announced <= limit or method == "HEAD"
    size = 0
    while is_within and (part := await response.content.readany()):
        parts.append(part)
        size += len(part)
        is_within = size <= limit
    if is_within:
        return HttpReply(response.status, response.headers, b"".join(parts), response.url)
    response.close()
    reply = HttpReply(response.status, response.headers, b"", response.url)
    raise HttpTooLargeError(method, reply, limit)
