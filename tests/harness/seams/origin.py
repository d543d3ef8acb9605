"""A real server on loopback for one test, in a thread, that counts what reaches it.

Of the standard library alone, so that it is the same beside every version of a client.
"""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMPLETION: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}


def _completion_chunk(text: str) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    chunk = {**COMPLETION, "object": "chat.completion.chunk", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def _text_delta(text: str) -> bytes:
    delta = {"type": "text_delta", "text": text}
    return _event("content_block_delta", index=0, delta=delta)


COMPLETION_STREAM = [_completion_chunk("hel"), _completion_chunk("lo"), b"data: [DONE]\n\n"]
MESSAGE_STREAM = [
    _event("message_start", message={**MESSAGE, "content": [], "stop_reason": None}),
    _event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    _text_delta("hel"),
    _text_delta("lo"),
    _event("content_block_stop", index=0),
    _event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 1}),
    _event("message_stop"),
]
ANSWERS: dict[str, tuple[Any, list[bytes]]] = {
    "/v1/chat/completions": (COMPLETION, COMPLETION_STREAM),
    "/v1/messages": (MESSAGE, MESSAGE_STREAM),
}


class Origin(ThreadingHTTPServer):
    """The server.

    Attributes:
        hits: Method and path of each request that reached it, in order.
        bodies: The bodies that came with them.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hits: list[str] = []
        self.bodies: list[bytes] = []

    @property
    def url(self) -> str:
        """Without a trailing slash."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Origin

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        whole = b""
        while size := int(self.rfile.readline(), 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

    def _answer(self) -> None:
        if self.headers.get("Expect"):
            self.send_response_only(100)
            self.end_headers()
        body = self._body()
        self.server.hits.append(f"{self.command} {self.path}")
        self.server.bodies.append(body)
        if self.path in ANSWERS:
            self._like_a_provider(body)
        elif self.path == "/redirect":
            self._send(302, b"", ("Location", "/plain"), ("Set-Cookie", "seen=yes"))
        elif self.path == "/stream":
            self._stream([b"one", b"two", b"three"], ("X-Kind", "stream"))
        elif self.path == "/gzip":
            self._send(200, gzip.compress(b"zipped"), ("Content-Encoding", "gzip"))
        elif self.path == "/cookie":
            self._send(200, self.headers.get("Cookie", "").encode())
        elif self.path == "/missing":
            self._send(404, b"not here")
        else:
            self._send(200, body or b"plain", ("X-Twice", "a"), ("X-Twice", "b"))

    do_GET = do_POST = do_HEAD = _answer

    def _like_a_provider(self, body: bytes) -> None:
        whole, stream = ANSWERS[self.path]
        if json.loads(body).get("stream"):
            self._stream(stream, ("Content-Type", "text/event-stream"))
        else:
            self._send(200, json.dumps(whole).encode(), ("Content-Type", "application/json"))

    def _send(self, status: int, content: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(content)))):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _stream(self, chunks: list[bytes], *headers: tuple[str, str]) -> None:
        self.send_response(200)
        for name, value in (*headers, ("Transfer-Encoding", "chunked")):
            self.send_header(name, value)
        self.end_headers()
        for chunk in chunks:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")


@contextmanager
def serving() -> Iterator[Origin]:
    """A server for the length of a block."""
    with Origin() as origin:
        thread = threading.Thread(target=origin.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield origin
        finally:
            origin.shutdown()
            thread.join()
