"""What aiohttp writes to a connection, read back as a request: the other end of its wire.

Knows HTTP/1.1 as aiohttp writes it, and no other.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from typing import Any

from robotape_harness.seams.aiohttp_framing import Framing, framing_of
from robotape_harness.seams.body import Body
from robotape_harness.seams.exchange import Headers

__all__ = ["Upload", "Wire"]

END_OF_HEAD = b"\r\n\r\n"
CONTENT_LENGTH = b"content-length"
HIGH_WATER = 2**16


class Upload:
    """A request as far as it has been written.

    Attributes:
        head: Its bytes up to the empty line, or None as long as they are not complete.
        headers: As written; empty without a head.
        framing: As the headers say.
        is_complete: Whether the whole body is here.
        is_broken: Whether nothing more will come.
    """

    def __init__(self) -> None:
        self.head: bytes | None = None
        self.headers: Headers = ()
        self.framing = Framing("eof")
        self.is_complete = False
        self.is_broken = False
        self._bytes = b""
        self._left = 0  # of a body whose length was announced
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None

    @property
    def is_high(self) -> bool:
        """Whether so much lies here untaken that writing should pause."""
        return self._size > HIGH_WATER

    def feed(self, written: bytes) -> None:
        """Take in what is written."""
        self._bytes += written
        if self.head is None:
            self._read_head()
        if self.head is not None and not self.is_complete:
            if self.framing.kind == "chunked":
                self._read_chunks()
            else:
                self._read_plain()
        if self._waiter is not None:
            self._wake()

    def _read_head(self) -> None:
        head, found, rest = self._bytes.partition(END_OF_HEAD)
        if not found:
            return
        self.head, self._bytes = head + found, rest
        lines = head.split(b"\r\n")
        pairs: list[Any] = [line.partition(b": ")[::2] for line in lines[1:]]
        self.headers = tuple(pairs)
        self.framing = framing_of(self.headers)
        if self.framing.kind == "length":
            [self._left] = [int(value) for name, value in pairs if name.lower() == CONTENT_LENGTH]

    def _read_plain(self) -> None:
        taken, self._bytes = self._bytes[: self._left], b""
        if taken:
            self._keep(taken)
            self._left -= len(taken)
        self.is_complete = self._left == 0

    def _read_chunks(self) -> None:
        while not self.is_complete:
            size, found, rest = self._bytes.partition(b"\r\n")
            if not found:
                return
            length = int(size.split(b";")[0], 16)
            if len(rest) < length + 2:
                return
            if length:
                self._keep(rest[:length])
            self._bytes = rest[length + 2 :]
            self.is_complete = length == 0

    def _keep(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._size += len(chunk)

    async def begun(self) -> None:
        """Wait for the head, or for the writer to break."""
        if not self.is_complete:
            await asyncio.sleep(0)  # a writer that has just begun writes now
        while self.head is None and not self.is_broken:
            await self._progress()

    def break_off(self) -> None:
        """Nothing more will come."""
        self.is_broken = True
        self._wake()

    def body(self, wire: "Wire") -> Body:
        """The body, which may still be being written."""
        if self.is_complete:
            return Body(tuple(self._chunks))
        return Body(_Written(self, wire))

    async def take(self) -> bytes | None:
        """The next chunk, or None behind the last."""
        while not self._chunks:
            if self.is_complete:
                return None
            await self._progress()
        chunk = self._chunks.popleft()
        self._size -= len(chunk)
        return chunk

    async def _progress(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class _Written:
    """The chunks of a body as they are written; taking them lets the writer go on."""

    def __init__(self, upload: Upload, wire: "Wire") -> None:
        self._upload = upload
        self._wire = wire

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self._upload.take()
        self._wire.relieve()
        if chunk is None:
            raise StopAsyncIteration
        return chunk


class Wire(asyncio.Transport):
    """A transport whose other end is an `Upload`; there is no socket.

    Attributes:
        upload: The other end.
    """

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.upload = Upload()
        self._protocol: Any = protocol
        self._is_closing = False
        self._is_paused = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Hand bytes to the other end; pauses the writer if nobody takes them."""
        if self._is_closing:
            return
        upload = self.upload
        upload.feed(bytes(data))
        if not upload.is_complete and upload.is_high and not self._is_paused:
            self._is_paused = True
            self._protocol.pause_writing()

    def relieve(self) -> None:
        """Let the writer go on if there is room again."""
        if self._is_paused and not self.upload.is_high:
            self._is_paused = False
            self._protocol.resume_writing()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Hand several pieces to the other end, as one write."""
        self.write(b"".join(list_of_data))

    def is_closing(self) -> bool:
        """Whether nothing more can be written."""
        return self._is_closing

    def disconnect(self) -> None:
        """Forget the protocol, which nobody needs to stop any more."""
        self._is_closing = True
        self._is_paused = False
        self._protocol = None

    def close(self) -> None:
        """Take nothing more."""
        self._is_closing = True

    def abort(self) -> None:
        """Take nothing more."""
        self._is_closing = True

    def pause_reading(self) -> None:
        """Do nothing: an answer comes when it is asked for."""

    def resume_reading(self) -> None:
        """Do nothing: an answer comes when it is asked for."""
