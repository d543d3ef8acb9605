"""The real exchange behind aiohttp's seam: over a connection of the client's own connector."""

import asyncio
import copy
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
from aiohttp.connector import Connection
from aiohttp.http import HttpVersion11, StreamWriter
from yarl import URL

from robotape_harness.seams.aiohttp_errors import failure_of
from robotape_harness.seams.aiohttp_framing import framing_of, joined
from robotape_harness.seams.aiohttp_upload import Upload
from robotape_harness.seams.body import Body
from robotape_harness.seams.exchange import Request, Response
from robotape_harness.seams.patience import Patience
from robotape_harness.seams.standing import Standing, below, standing

__all__ = ["Connect", "Fetch"]

Connect = Callable[[aiohttp.ClientRequest], Coroutine[Any, Any, Connection]]
BODILESS = frozenset({"HEAD"})


class Fetch:
    """Makes the real exchange for one request of a client, once or more often."""

    def __init__(
        self,
        native: aiohttp.ClientRequest,
        seen: Request,
        upload: Upload,
        connect: Connect,
        *,
        parameters: dict[str, Any],
        now: Standing,
        patience: Patience,
    ) -> None:
        """Stand ready.

        Args:
            native: The client's request.
            seen: The same, as the handlers see it.
            upload: The same, as the client wrote it.
            connect: Gives a real connection.
            parameters: How the client wants its answer parsed.
            now: What is in force around it.
            patience: Held while the client's own limits count.
        """
        self._native = native
        self._seen = seen
        self._upload = upload
        self._connect = connect
        self._parameters = parameters
        self._now = now
        self._patience = patience
        self._last: tuple[Response, Any] | None = None

    def parsed(self, response: Response) -> Any:
        """Head and body of a real answer as aiohttp's parser gave them, if they may be used.

        They may if nobody has touched the answer, and nothing has to be decompressed.
        """
        if self._last is None or self._last[0] is not response or response.body.is_begun:
            return None
        message, payload = self._last[1]
        is_coded = message.compression is not None and self._parameters.get("auto_decompress")
        return None if is_coded else (message, payload)

    async def __call__(self, request: Request) -> Response:
        """Make the exchange.

        Raises:
            ExchangeError: With the client's own error.
        """
        token = standing.set(below(self._now))
        self._patience.hold()
        try:
            return await self._exchanged(request)
        except Exception as error:
            raise failure_of(error) from error
        finally:
            self._patience.go_on()
            standing.reset(token)

    async def _exchanged(self, request: Request) -> Response:
        native = self._native_of(request)
        try:
            connection = await self._connect(native)
        except TimeoutError as error:
            text = f"Connection timeout to host {native.url}"
            raise aiohttp.ConnectionTimeoutError(text) from error
        exchange = _Open(connection, native)
        try:
            head = self._head(request, native)
            response, parsed = await exchange.answer(request, head, self._parameters)
        except BaseException:
            await exchange.aclose()
            raise
        self._last = response, parsed
        return response

    def _native_of(self, request: Request) -> aiohttp.ClientRequest:
        if request is self._seen:
            return self._native
        changed = copy.copy(self._native)
        changed.url = URL(request.url, encoded=True)
        changed.method = request.method
        return changed

    def _head(self, request: Request, native: aiohttp.ClientRequest) -> bytes:
        """As the client wrote it, unless a handler, or a proxy, has changed it."""
        if request is self._seen and native.proxy is None:
            return self._upload.head or b""
        is_plain_proxy = native.proxy is not None and not native.is_ssl()
        target = str(native.url) if is_plain_proxy else native.url.raw_path_qs
        headers = request.headers
        wanted = native.headers.get("Proxy-Authorization")
        if wanted is not None:
            headers = (*headers, (b"Proxy-Authorization", wanted.encode("latin-1")))
        return joined(f"{request.method} {target} HTTP/1.1".encode(), headers)


class _Open:
    """One real connection in use."""

    def __init__(self, connection: Connection, native: aiohttp.ClientRequest) -> None:
        self._connection = connection
        self._native = native
        self._protocol: Any = connection.protocol
        self._uploading: asyncio.Task[None] | None = None

    async def answer(
        self, request: Request, head: bytes, parameters: dict[str, Any]
    ) -> tuple[Response, Any]:
        protocol = self._protocol
        is_bodiless = request.method in BODILESS
        raw = {**parameters, "auto_decompress": False, "skip_payload": is_bodiless}
        protocol.set_response_params(**raw)
        self._send(request, head)
        message, payload = await protocol.read()
        while 100 <= message.code < 200 and message.code != 101:
            message, payload = await protocol.read()
        payload.on_eof(self._released)
        response = Response(
            message.code,
            message.raw_headers,
            Body(_Arriving(payload), on_close=self.aclose),
            message.reason,
            "HTTP/1.1" if message.version == HttpVersion11 else "HTTP/1.0",
        )
        return response, (message, payload)

    def _send(self, request: Request, head: bytes) -> None:
        framing = framing_of(request.headers)
        known = request.body.known
        if known is not None:
            self._protocol.transport.write(head + framing.whole(known))
            self._protocol.start_timeout()
            return
        self._protocol.transport.write(head)
        self._uploading = asyncio.get_running_loop().create_task(self._upload(request))

    async def _upload(self, request: Request) -> None:
        framing = framing_of(request.headers)
        protocol = self._protocol
        writer = StreamWriter(protocol, asyncio.get_running_loop())
        async for chunk in request.body:
            protocol.transport.write(framing.framed(chunk))
            await writer.drain()
        protocol.transport.write(framing.end)
        protocol.start_timeout()

    def _released(self) -> None:
        if self._uploading is None or self._uploading.done():
            self._connection.release()

    async def aclose(self) -> None:
        """Hang up, unless the answer was whole and the connection has gone back to its pool."""
        uploading = self._uploading
        if uploading is not None and not uploading.done():
            uploading.cancel()
            await asyncio.wait([uploading])
        self._connection.close()


class _Arriving:
    """The chunks of a real answer, as they are read."""

    __slots__ = ("_payload",)

    def __init__(self, payload: aiohttp.StreamReader) -> None:
        self._payload = payload

    def __aiter__(self) -> "_Arriving":
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await self._payload.readany()
        except Exception as error:
            raise failure_of(error) from error
        if not chunk:
            raise StopAsyncIteration
        return chunk
