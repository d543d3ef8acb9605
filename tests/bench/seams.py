"""What the HTTP seam costs an exchange, beside the same exchange without it.

aiohttp talks to a peer on loopback that answers in one write, httpx2 to a transport in memory.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

import aiohttp
import httpx2
from measure import paired
from table import Row
from yarl import URL

from robotape_harness.seams import Forward, Request, Response, use
from robotape_harness.seams.clients import attached

__all__ = ["rows"]

CONTENT = b'{"answer": "42"}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
    len(CONTENT),
    CONTENT,
)
BODY = b'{"model": "m", "messages": [{"role": "user", "content": "What is the answer?"}]}'
TIMES, ROUNDS = 100, 40

Exchange = Callable[[], Awaitable[object]]


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
    return httpx2.Response(200, content=CONTENT)


async def pass_on(request: Request, forward: Forward) -> Response:
    """The handler that does least."""
    return await forward(request)


async def _seconds(exchange: Exchange, around: AbstractContextManager[object]) -> float:
    with around:
        await exchange()
        start = time.process_time()
        for _ in range(TIMES):
            await exchange()
        return (time.process_time() - start) / TIMES


async def _over(exchange: Exchange, around: Callable[[], AbstractContextManager[object]]) -> float:
    """Microseconds beyond the bare exchange: best batch less best batch, measured in turn.

    What is looked for is a hundredth of an exchange; medians of whole ones hide it.
    """
    subject, floor = [], []
    for _ in range(ROUNDS):
        subject.append(await _seconds(exchange, around()))
        floor.append(await _seconds(exchange, nullcontext()))
    return (min(subject) - min(floor)) * 1e6


async def _measured() -> list[Row]:
    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    transport = httpx2.MockTransport(canned)
    async with (
        aiohttp.ClientSession() as session,
        httpx2.AsyncClient(transport=transport) as client,
    ):

        async def by_aiohttp() -> None:
            async with session.post(url, data=BODY) as response:
                await response.read()

        async def by_httpx2() -> None:
            await client.post(url, content=BODY)

        measured = []
        for name, exchange in (("aiohttp", by_aiohttp), ("httpx2", by_httpx2)):
            passing = await _over(exchange, lambda: use(pass_on))
            what = f"HTTP seam on {name}, a handler that passes on, CPU"
            measured.append(Row(what, passing, 30, "us"))
    server.close()
    return measured


async def _idle() -> list[Row]:
    """The replaced methods beside the client's own, called directly: an exchange would hide it."""
    ready, outgoing = httpx2.Response(200), httpx2.Request("GET", "http://a.test/")
    transport = httpx2.MockTransport(lambda request: ready)
    connector, wanted = aiohttp.TCPConnector(), aiohttp.ClientTimeout()
    asked = aiohttp.ClientRequest("GET", URL("http://a.test/"), loop=asyncio.get_running_loop())
    own, own_connect = httpx2.MockTransport.handle_request, aiohttp.BaseConnector.connect
    with attached():
        seen, seen_connect = httpx2.MockTransport.handle_request, aiohttp.BaseConnector.connect
        pairs = {
            "httpx2": paired(
                lambda: seen(transport, outgoing), lambda: own(transport, outgoing), times=20_000
            ),
            "aiohttp": paired(
                lambda: seen_connect(connector, asked, [], wanted).close(),
                lambda: own_connect(connector, asked, [], wanted).close(),
                times=20_000,
            ),
        }
    await connector.close()
    return [
        Row(f"HTTP seam on {name}, nothing active, CPU", (it.seconds - it.floor) * 1e6, 1, "us")
        for name, it in pairs.items()
    ]


def rows() -> Iterator[Row]:
    """What is added per exchange."""
    yield from asyncio.run(_idle())
    yield from asyncio.run(_measured())
