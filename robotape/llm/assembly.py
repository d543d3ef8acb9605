"""A streamed answer put together: bytes in, pieces out, then the whole; it reads no socket."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

from robotape.http import HttpReply
from robotape.llm.exchange import LLMResponse
from robotape.llm.pieces import LLMChunk
from robotape.llm.sse import Event, SseError, SseParser
from robotape.llm.wire_errors import envelope_error, malformed

__all__ = ["Assembly"]


class Assembly(ABC):
    """What a provider's stream adds up to; one for each answer.

    Attributes:
        head: Status and headers of the answer.
        model: Whom it was asked of, in case the answer does not say.
        is_ended: Whether its terminal marker is here; nothing behind it counts.
    """

    def __init__(self, head: HttpReply, model: str) -> None:
        """Begin before the first byte."""
        self.head = head
        self.model = model
        self.is_ended = False
        self._events = SseParser()

    def feed(self, part: bytes) -> Iterator[LLMChunk]:
        """Take the next bytes; read all that is given before the next are fed.

        Yields:
            The pieces that these bytes complete.

        Raises:
            MalformedReplyError: They are no stream of this provider's.
            LLMError: They tell of an error; the class is the one they name.
        """
        try:
            for event in self._events.feed(part):
                yield from self._take(event)
                if self.is_ended:
                    return
        except SseError as error:
            raise malformed(self.head, str(error)) from None

    @abstractmethod
    def _take(self, event: Event) -> Sequence[LLMChunk]:
        """The pieces of one event."""

    @abstractmethod
    def whole(self, *, is_delimited: bool) -> LLMResponse:
        """The answer, when no more bytes come.

        Args:
            is_delimited: Whether the transport vouches that none is missing.

        Raises:
            StreamInterruptedError: Some of it is missing.
            LLMError: It was cut, withheld, or is none.
        """

    def _object(self, event: Event) -> dict[str, Any]:
        """An event's data; an error that it tells of is raised."""
        try:
            data = json.loads(event.data)
        except (ValueError, RecursionError):
            raise malformed(self.head, f"a piece is not JSON: {event.data[:200]}") from None
        if not isinstance(data, dict):
            raise malformed(self.head, "a piece is no JSON object")
        if data.get("error") or event.name == "error":
            raise envelope_error(data, self.head)
        return data
