"""Answers and requests as the bytes of HTTP/1.1."""

from dataclasses import dataclass
from typing import Literal

from robotape_harness.seams.exchange import Headers, Response

__all__ = ["Framing", "framing_of", "head_of", "joined"]

LAST = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Framing:
    """How one tells where a body ends.

    Attributes:
        kind: By chunks, by its length, or by the end of the connection.
    """

    kind: Literal["chunked", "length", "eof"]

    def framed(self, chunk: bytes) -> bytes:
        """A chunk as it goes over the wire."""
        return b"%x\r\n%b\r\n" % (len(chunk), chunk) if self.kind == "chunked" else chunk

    @property
    def end(self) -> bytes:
        """What says that it is over; empty if no bytes do."""
        return LAST if self.kind == "chunked" else b""

    def whole(self, chunks: tuple[bytes, ...]) -> bytes:
        """A body as it goes over the wire, with its end."""
        if self.kind != "chunked":
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)
        return b"".join([self.framed(chunk) for chunk in chunks]) + LAST


def framing_of(headers: Headers) -> Framing:
    """How a body with these headers is framed."""
    kind: Literal["chunked", "length", "eof"] = "eof"
    for name, value in headers:
        lowered = name.lower()
        if lowered == b"transfer-encoding" and value.lower().endswith(b"chunked"):
            return Framing("chunked")
        if lowered == b"content-length":
            kind = "length"
    return Framing(kind)


def head_of(response: Response) -> bytes:
    """Status line and headers; another version than 1.0 is said to be 1.1."""
    version = "HTTP/1.0" if response.http_version == "HTTP/1.0" else "HTTP/1.1"
    line = f"{version} {response.status} {response.reason}".encode("latin-1")
    return joined(line, response.headers)


def joined(line: bytes, headers: Headers) -> bytes:
    """A first line, headers, and the empty line."""
    return b"\r\n".join((line, *(b"%b: %b" % pair for pair in headers), b"", b""))
