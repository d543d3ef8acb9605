"""Server-sent events: from bytes, in whatever pieces they come, to events; it reads no socket.

Stricter than the standard, which replaces bytes that are not UTF-8: here they are an error,
for nobody wants to act on half a letter. An event without its closing blank line is none.

Source:
    WHATWG HTML, "Server-sent events", 9.2.5 and 9.2.6.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from robotape.models.value import quick

__all__ = ["Event", "SseError", "SseParser"]

LARGEST = 4 * 2**20
_BOM = b"\xef\xbb\xbf"


class SseError(ValueError):
    """The bytes are no event stream: not UTF-8, or an event without end."""


@quick
@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        name: Its type; empty where it names none.
        data: Its data lines, joined by line feeds.
    """

    name: str
    data: str


class SseParser:
    r"""Finds the events in a stream of bytes.

    Guarantee: the events do not depend on how the bytes were cut into pieces, and each is
    given as soon as its last byte is here. The cost grows with the bytes, not with the
    number of pieces.

    Example:
        >>> parser = SseParser()
        >>> list(parser.feed(b"event: ping\ndata: {"))
        []
        >>> list(parser.feed(b"}\n\n"))
        [Event(name='ping', data='{}')]
    """

    __slots__ = ("_data", "_is_first", "_limit", "_line", "_name", "_size", "_skips_lf")

    def __init__(self, limit: int = LARGEST) -> None:
        """Begin before the first byte.

        Args:
            limit: Bytes one event may have.
        """
        self._limit = limit
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._name = b""
        self._size = 0
        self._is_first = True
        self._skips_lf = False

    def feed(self, part: bytes) -> Iterator[Event]:
        """Take the next bytes; read all that is given before the next are fed.

        Yields:
            The events that these bytes complete.

        Raises:
            SseError: They are no event stream; no more is to be fed.
        """
        for line in self._lines(part):
            if line:
                self._field(line)
                continue
            if self._data:
                yield self._event()
            self._data.clear()
            self._name = b""
            self._size = 0

    def _lines(self, part: bytes) -> Iterator[bytes]:
        """The lines that these bytes complete, without their ends: LF, CR or both."""
        if not part:
            return
        if self._skips_lf:
            part = part.removeprefix(b"\n")
        # A line is over at its CR: whether a LF follows is seen when it does.
        self._skips_lf = part.endswith(b"\r")
        lines = part.splitlines()
        rest = lines.pop() if lines and not part.endswith((b"\n", b"\r")) else b""
        for line in lines:
            yield self._whole(line)
        if rest:
            self._line.append(rest)
            self._grow(len(rest))

    def _whole(self, line: bytes) -> bytes:
        if self._line:
            line = b"".join((*self._line, line))
            self._size -= sum(map(len, self._line))
            self._line.clear()
        if self._is_first:
            line = line.removeprefix(_BOM)
            self._is_first = False
        return line

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self._limit:
            raise SseError(f"an event is larger than {self._limit} bytes")

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name == b"data":
            self._grow(len(line))
            self._data.append(value.removeprefix(b" "))
        elif name == b"event":
            self._name = value.removeprefix(b" ")
        # Comments, which keep a connection alive, have no name; `id` and `retry` are for those
        # who connect again.

    def _event(self) -> Event:
        try:
            return Event(self._name.decode(), b"\n".join(self._data).decode())
        except UnicodeDecodeError:
            raise SseError("an event is not UTF-8") from None
