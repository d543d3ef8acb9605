"""Connections shared by all requests of an event loop; what may be asked is decided in `rules`."""

import asyncio
import math
from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from json import JSONEncoder
from types import TracebackType
from typing import Any, Self

import aiohttp
from yarl import URL

from robotape.errors import mark_not_started, mark_permanent
from robotape.http.errors import (
    HttpConnectionError,
    HttpError,
    HttpRedirectError,
    HttpRefusedError,
    HttpTimeoutError,
    HttpTooLargeError,
)
from robotape.http.reply import HttpReply
from robotape.http.rules import HttpLimits, followed, host_name, refusal

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
            timeout: Seconds for the whole, redirects not included; > 0; None takes the limits'.

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
        session = await self._session()
        seconds = self.limits.timeout if timeout is None else timeout
        try:
            async with session.request(
                method,
                url,
                headers=headers,
                data=body if body is None or len(body) < IN_ONE_PIECE else BytesIO(body),
                allow_redirects=False,
                timeout=_timeout(seconds, self.limits.connect_timeout),
            ) as response:
                return await _whole(response, method, self.limits.max_bytes)
        except asyncio.CancelledError:
            # Closing a session cancels whoever waits for one of its connections, though nobody
            # asked for that task to end.
            if not session.closed or _is_asked_to_end():
                raise
            failure: HttpError = HttpConnectionError(method, url, "the pool was closed")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            failure = _translated(error, method, url, seconds)
        raise failure

    async def _session(self) -> aiohttp.ClientSession:
        """The running loop's session; suspends nowhere, so that two callers cannot make two."""
        loop = asyncio.get_running_loop()
        held = self._sessions.get(loop)
        if held is not None and not held.session.closed:
            return held.session
        for other in [other for other in self._sessions if other.is_closed()]:
            await self._sessions.pop(other).holder.aclose()
        session = _opened(self.limits)
        holder = _hold(session)
        await anext(holder)
        self._sessions[loop] = _Session(session, holder)
        return session

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
    return aiohttp.ClientTimeout(
        total=seconds, sock_connect=connect_timeout, ceil_threshold=math.inf
    )


@dataclass(frozen=True, slots=True)
class _Session:
    """One loop's session, and what closes it."""

    session: aiohttp.ClientSession
    holder: AsyncGenerator[aiohttp.ClientSession, None]


async def _hold(session: aiohttp.ClientSession) -> AsyncGenerator[aiohttp.ClientSession, None]:
    """Tie a session to its loop, which ends its asynchronous generators when it shuts down."""
    try:
        yield session
    finally:
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


def _is_asked_to_end() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _translated(error: Exception, method: str, url: URL, seconds: float) -> HttpError:
    """One of our errors for one of aiohttp's; says so if it proves that nothing was sent."""
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return mark_not_started(HttpTimeoutError(method, url, "no connection in time"))
    if isinstance(error, TimeoutError):
        return HttpTimeoutError(method, url, f"no whole answer within {seconds:g} s")
    if isinstance(error, aiohttp.ClientConnectorError):
        return mark_not_started(HttpConnectionError(method, url, str(error)))
    if isinstance(error, aiohttp.ClientResponseError):
        return HttpConnectionError(method, url, f"the answer is not HTTP: {error.message}")
    if isinstance(error, OSError | aiohttp.ClientPayloadError):
        return HttpConnectionError(method, url, f"the connection broke: {error}")
    return HttpConnectionError(method, url, f"the connection broke: {type(error).__name__}")
