"""An answer whose body is read as it comes; how it is asked for is the pool's business."""

import asyncio
import math
from collections.abc import Mapping

import aiohttp
from yarl import URL

from robotape.http.errors import HttpTooLargeError
from robotape.http.failures import FAILURES, failure_of
from robotape.http.reply import HttpReply

__all__ = ["HttpStream"]

LEFTOVER = 2**16
PATIENCE = 0.1


class HttpStream:
    """An answer that has begun: its head is here, its body is still coming.

    Guarantee: a body that breaks off where its framing can tell raises; where it ends with
    the connection, nobody can tell, and `is_delimited` says so.

    Attributes:
        head: Status, headers and URL, with an empty body.
        is_delimited: Whether the end of the body is marked, by its length or its last chunk.
    """

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        session: aiohttp.ClientSession,
        method: str,
        limit: int,
    ) -> None:
        """Take over a response; made by `HttpPool.stream`."""
        headers = response.headers
        coding = headers.get("Transfer-Encoding", "").lower()
        self.head = HttpReply(response.status, headers, b"", response.url)
        self.is_delimited = "Content-Length" in headers or "chunked" in coding
        self._response = response
        self._session = session
        self._method = method
        self._limit = limit
        self._size = 0

    @property
    def status(self) -> int:
        """As sent."""
        return self.head.status

    @property
    def headers(self) -> Mapping[str, str]:
        """Names are found in any case."""
        return self.head.headers

    @property
    def url(self) -> URL:
        """Where it came from."""
        return self.head.url

    async def part(self) -> bytes:
        """The next bytes, as many as are there; empty at the end.

        Raises:
            HttpConnectionError: The connection broke, or ended before the body.
            HttpTooLargeError: The body outgrew its limit.
        """
        try:
            part = await self._response.content.readany()
        except FAILURES as error:
            failure = failure_of(error, self._session, self._method, self.url, math.inf)
        else:
            self._size += len(part)
            if self._size <= self._limit:
                return part
            self._response.close()
            failure = HttpTooLargeError(self._method, self.head, self._limit)
        raise failure

    async def read(self, limit: int) -> HttpReply:
        """The whole answer, from where it has been read.

        Args:
            limit: Bytes it may have.

        Raises:
            HttpError: As `part` does.
        """
        self._limit = min(limit, self._limit)
        parts = []
        while part := await self.part():
            parts.append(part)
        return HttpReply(self.status, self.headers, b"".join(parts), self.url)

    async def finish(self) -> None:
        """Let go of an answer that is whole, whatever little may still follow.

        If it ends within a moment its connection is kept for the next request.
        """
        content = self._response.content
        left = LEFTOVER
        try:
            async with asyncio.timeout(PATIENCE):
                while left > 0 and (part := await content.readany()):
                    left -= len(part)
        except (aiohttp.ClientError, OSError):  # a TimeoutError is an OSError
            self._response.close()
