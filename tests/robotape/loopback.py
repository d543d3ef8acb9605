"""Real servers on loopback for one test: well-behaved ones, and ones that speak raw bytes."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def answering(handler: Handler) -> AsyncIterator[str]:
    """Serve every method and path with one handler; yields the origin, such as http://127.0.0.1:1."""
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


class Raw:
    """A server that answers the n-th request with the n-th bytes; the last go for all further ones.

    Attributes:
        requests: How many it has read.
        hung_up: Set when a client closed a connection that this side had left open.
    """

    def __init__(self, *wire: bytes, end: str = "close") -> None:
        self._wire = wire
        self._end = end
        self._writers: list[asyncio.StreamWriter] = []
        self.requests = 0
        self.hung_up = asyncio.Event()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        try:
            while await _read_request(reader):
                wire = self._wire[min(self.requests, len(self._wire) - 1)]
                self.requests += 1
                writer.write(wire)
                await writer.drain()
                is_last = self.requests >= len(self._wire)
                if is_last and self._end != "stay":
                    break
            else:
                self.hung_up.set()
        except ConnectionError:
            self.hung_up.set()
        finally:
            _hang_up(writer, self._end)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve for the length of a block; yields the origin."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()[:2]
        try:
            yield f"http://{host}:{port}"
        finally:
            server.close()
            for writer in self._writers:
                writer.close()
            await asyncio.gather(
                *(writer.wait_closed() for writer in self._writers), return_exceptions=True
            )


async def _read_request(reader: asyncio.StreamReader) -> bool:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                await reader.readexactly(int(line.split(b":")[1]))
    except asyncio.IncompleteReadError:
        return False
    return True


def _hang_up(writer: asyncio.StreamWriter, end: str) -> None:
    if end == "reset":
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
    else:
        writer.close()


def unused_port() -> int:
    """A port of loopback that refuses connections: bound a moment ago, and free again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
