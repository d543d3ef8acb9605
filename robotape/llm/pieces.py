"""A model's answer in pieces: what they are, and the stream they come in; no wire format."""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Self

from robotape.errors import StreamInterruptedError
from robotape.llm.exchange import LLMResponse
from robotape.models.value import quick
from robotape.stream import Stream

__all__ = [
    "LLMChunk",
    "LLMStream",
    "ToolCallDelta",
    "answered",
    "pieces_of",
    "streamed",
    "words_of",
]


@quick
@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """Some more of a tool call: to be shown, never to be carried out.

    Attributes:
        index: Which call of the answer it belongs to; 0-based.
        id: The provider's name for the call; empty but in the call's first piece.
        name: Tool name; empty but in the call's first piece.
        arguments: The next part of the JSON text; alone it need not parse.
    """

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@quick
@dataclass(frozen=True, slots=True)
class LLMChunk:
    """One piece of an answer: some more text, or some more of a tool call.

    Attributes:
        text: The next part of the text; empty in a piece of a tool call.
        tool_call: The next part of a tool call, or None.
    """

    text: str = ""
    tool_call: ToolCallDelta | None = None


class LLMStream:
    """The answer to one question, as it comes; asked when it is entered or first read.

    Guarantee: reading to the end without an error means that the answer is whole.
    Whatever cuts it short is raised, also after the last piece. Nothing is tried again once
    a piece has been given away.

    Example:
        >>> import asyncio
        >>> from robotape_harness import ScriptedLLM, say
        >>> async def main():
        ...     async with ScriptedLLM(say("Hi there")).stream("Hello") as stream:
        ...         said = [piece.text async for piece in stream]
        ...     return said, stream.whole.text
        >>> asyncio.run(main())
        (['Hi ', 'there'], 'Hi there')
    """

    def __init__(self, ask: Callable[[], Awaitable[Stream[LLMChunk]]]) -> None:
        """Ask nothing yet; made by `BaseLLM.stream`."""
        self._ask = ask
        self._is_asked = False
        self._stream: Stream[LLMChunk] | None = None

    async def _open(self) -> Stream[LLMChunk]:
        if self._is_asked:
            raise RuntimeError("this question has been asked; call stream() anew to ask again")
        self._is_asked = True
        self._stream = await self._ask()
        return self._stream

    @property
    def whole(self) -> LLMResponse:
        """The whole answer.

        Raises:
            RuntimeError: The stream has not been read to its end.
        """
        if self._stream is None:
            raise RuntimeError("read the stream to its end first; nothing has been read yet")
        answer: LLMResponse = self._stream.whole
        return answer

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> LLMChunk:
        stream = self._stream
        if stream is None:
            stream = await self._open()
        return await stream.__anext__()

    async def aclose(self) -> None:
        """End the answer early; more than once does nothing more."""
        self._is_asked = True
        if self._stream is not None:
            await self._stream.aclose()

    async def __aenter__(self) -> Self:
        if self._stream is None:
            await self._open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def streamed(source: AsyncGenerator[LLMChunk | LLMResponse, None]) -> Stream[LLMChunk]:
    """A stream from a source whose terminal marker is the whole answer itself.

    Args:
        source: Gives pieces, then one `LLMResponse`. If that does not come, it was cut short.
    """
    wholes: list[LLMResponse] = []

    async def pieces() -> AsyncGenerator[LLMChunk, None]:
        try:
            async for item in source:
                if isinstance(item, LLMChunk):
                    yield item
                else:
                    wholes.append(item)
        finally:
            await source.aclose()
        if not wholes:
            raise StreamInterruptedError("the stream ended without its whole answer")

    return Stream(pieces(), lambda: wholes[-1])


def answered(response: LLMResponse) -> Stream[LLMChunk]:
    """A stream of an answer that is there already, from the tape say."""

    async def source() -> AsyncGenerator[LLMChunk | LLMResponse, None]:
        for piece in pieces_of(response):
            yield piece
        yield response

    return streamed(source())


def pieces_of(response: LLMResponse) -> Iterator[LLMChunk]:
    """The answer, with its text in one piece and one for each call."""
    if response.text:
        yield LLMChunk(response.text)
    yield from _calls_of(response)


def words_of(response: LLMResponse) -> Iterator[LLMChunk]:
    """The answer, with its text word by word."""
    for word in re.findall(r"\s*\S+\s*|\s+", response.text):
        yield LLMChunk(word)
    yield from _calls_of(response)


def _calls_of(response: LLMResponse) -> Iterator[LLMChunk]:
    for index, call in enumerate(response.tool_calls):
        yield LLMChunk(tool_call=ToolCallDelta(index, call.id, call.name, call.arguments))
