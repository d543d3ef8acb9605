"""An MCP server in raw HTTP on loopback, which misbehaves as its tools are called."""

import asyncio
import gzip
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

TOOLS = (
    "echo",
    "status",
    "reset",
    "half",
    "accepted",
    "bad_json",
    "html",
    "silent",
    "large",
    "packed",
    "elsewhere",
    "rpc_error",
    "sse",
    "sse_cut",
    "sse_resumed",
    "sse_refused",
    "sse_again",
    "sse_large",
    "gone",
)
JSON = "application/json"
SSE = "text/event-stream"


@dataclass
class RawHttp:
    """What the server is like, and what it saw.

    Attributes:
        url: Where it is.
        status: For the tool of that name: the status line, and further headers.
        seen: (method, MCP method or Last-Event-ID) of every request.
        sessions: How many handshakes it made.
        listens: Whether a stream of notifications is given, which ends at once.
        is_lost: Whether it has forgotten its session.
    """

    url: str = ""
    status: str = "500 Internal Server Error"
    seen: list[tuple[str, str]] = field(default_factory=list)
    sessions: int = 0
    listens: bool = False
    is_lost: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await read(reader):
                method, headers, body = request
                asked = json.loads(body) if body else {}
                said = asked.get("method") or headers.get("last-event-id", "")
                self.seen.append((method, said))
                if not await self.answer(method, headers, asked, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def answer(
        self, method: str, headers: dict[str, str], asked: dict[str, Any], writer: Any
    ) -> bool:
        """Answer one request; False to hang up."""
        if method == "GET":
            return self.stream(headers, writer)
        if method == "DELETE" or "id" not in asked:
            return say(writer, "202 Accepted")
        if self.is_lost and asked["method"] != "initialize":
            return say(writer, "404 Not Found")
        if asked["method"] == "tools/call":
            return self.call(asked["id"], asked["params"]["name"], writer)
        return self.list_or_shake_hands(asked, writer)

    def list_or_shake_hands(self, asked: dict[str, Any], writer: Any) -> bool:
        extra = ""
        if asked["method"] == "initialize":
            self.sessions += 1
            self.is_lost = False
            extra = f"mcp-session-id: s{self.sessions}\r\n"
            result: dict[str, Any] = {
                "protocolVersion": "2025-11-25",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "raw", "version": "1"},
            }
        else:
            tools = [{"name": name, "inputSchema": {"type": "object"}} for name in TOOLS]
            result = {"tools": tools}
        return say(writer, "200 OK", reply(asked["id"], result), extra=extra)

    def stream(self, headers: dict[str, str], writer: Any) -> bool:
        last = headers.get("last-event-id", "")
        if last == "resumed":
            return say(writer, "200 OK", event(reply(0, text("resumed"))), kind=SSE)
        if last == "again" or self.listens:
            return say(writer, "200 OK", b"id: again\nretry: 1\ndata:\n\n", kind=SSE)
        return say(writer, "405 Method Not Allowed")

    def call(self, number: int, name: str, writer: Any) -> bool:
        fine = reply(number, text("fine"))
        primed = "id: {}\nretry: 1\ndata:\n\n"
        answers: dict[str, Callable[[], bool]] = {
            "echo": lambda: say(writer, "200 OK", fine),
            "status": lambda: say(
                writer, self.status, b"<html>secret-body</html>", kind="text/html"
            ),
            "reset": lambda: reset(writer),
            "half": lambda: say(writer, "200 OK", fine[:20], length=len(fine)),
            "accepted": lambda: say(writer, "202 Accepted"),
            "bad_json": lambda: say(writer, "200 OK", b"{not json"),
            "html": lambda: say(writer, "200 OK", b"<html>", kind="text/html"),
            "silent": lambda: True,
            "large": lambda: say(writer, "200 OK", reply(number, text("x" * 200_000))),
            "packed": lambda: say(
                writer, "200 OK", gzip.compress(fine), extra="content-encoding: gzip\r\n"
            ),
            "elsewhere": lambda: say(
                writer, "307 Elsewhere", extra="location: http://127.0.0.2:1/\r\n"
            ),
            "rpc_error": lambda: say(writer, "400 Bad Request", rpc_error(number)),
            "sse": lambda: say(writer, "200 OK", event(fine), kind=SSE),
            "sse_cut": lambda: say(writer, "200 OK", b": ping\n\n", kind=SSE),
            "sse_resumed": lambda: say(
                writer, "200 OK", primed.format("resumed").encode(), kind=SSE
            ),
            "sse_refused": lambda: say(
                writer, "200 OK", primed.format("refused").encode(), kind=SSE
            ),
            "sse_again": lambda: say(writer, "200 OK", primed.format("again").encode(), kind=SSE),
            "sse_large": lambda: say(
                writer, "200 OK", event(reply(number, text("x" * 200_000))), kind=SSE
            ),
            "gone": lambda: self.lose(number, writer),
        }
        return answers[name]()

    def lose(self, number: int, writer: Any) -> bool:
        """Forget the session once."""
        if self.sessions == 1:
            self.is_lost = True
            return say(writer, "404 Not Found")
        return say(writer, "200 OK", reply(number, text("fine")))


async def read(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes] | None:
    head = await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b""
    if not head:
        return None
    first, *lines = head.decode().strip().split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    headers = {name.lower(): value for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return first.split()[0], headers, body


def say(
    writer: Any,
    status: str,
    body: bytes = b"",
    *,
    kind: str = JSON,
    extra: str = "",
    length: int | None = None,
) -> bool:
    size = len(body) if length is None else length
    line, _, more = status.partition("|")
    head = f"HTTP/1.1 {line}\r\ncontent-type: {kind}\r\n{extra}{more}content-length: {size}\r\n\r\n"
    writer.write(head.encode() + body)
    return length is None


def reset(writer: Any) -> bool:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return False


def text(said: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": said}]}


def reply(number: int, result: dict[str, Any]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "result": result}).encode()


def rpc_error(number: int) -> bytes:
    error = {"code": -32602, "message": "no such argument"}
    return json.dumps({"jsonrpc": "2.0", "id": number, "error": error}).encode()


def event(data: bytes) -> bytes:
    return b"event: message\ndata: " + data + b"\n\n"


@asynccontextmanager
async def serving(server: RawHttp) -> AsyncIterator[RawHttp]:
    """Serve until the block is left."""
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    server.url = f"http://127.0.0.1:{port}/mcp"
    try:
        yield server
    finally:
        listener.close()
