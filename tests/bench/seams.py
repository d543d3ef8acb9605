"""What the HTTP seam costs an exchange, beside the same exchange without it.

aiohttp talks to a peer on loopback that answers with one write, httpx2 to a transport in memory.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import httpx2
from measure import Paired, paired
from table import Row

from robotape_harness.seams import Forward, Request, Response, guard, use

__all__ = ["rows"]

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"answer": "42"}'[
    :-1
]
BODY = b'{"model": "m", "messages": [{"role": "user", "content": "What is the answer?"}]}'
CLOSED = "http://127.0.0.1:9/"  # a guard that nobody meets


async def pass_on(request: Request, forward: Forward) -> Response:
    """The handler that does least."""
    return await forward(request)


class Peer(asyncio.Protocol):
    """Answers whatever it reads; each request comes in one piece here."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer."""
        self.transport.write(ANSWER)


def canned(request: httpx2.Request) -> httpx2.Response:
    """Answer in memory."""
    return httpx2.Response(200, content=b"{}")


@contextmanager
def _attached_elsewhere() -> Iterator[None]:
    """The clients are attached to, on behalf of another context than the one measured."""
    with guard():
        import contextvars

        yield
