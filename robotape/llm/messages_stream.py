"""The Anthropic messages stream: events put together to the message they are parts of.

Source:
    Anthropic API reference, "Streaming messages"; deviations from reference/faults.md §4.4.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from robotape.http import HttpReply
from robotape.llm.assembly import Assembly
from robotape.llm.exchange import LLMResponse
from robotape.llm.messages_wire import message_of
from robotape.llm.pieces import LLMChunk, ToolCallDelta
from robotape.llm.sse import Event
from robotape.llm.wire_errors import interrupted, malformed

__all__ = ["MessagesAssembly"]


class MessagesAssembly(Assembly):
    """A message from its events; whole is what `message_stop` ends, whatever the transport says."""

    def __init__(self, head: HttpReply, model: str) -> None:
        """Begin before the first byte."""
        super().__init__(head, model)
        self._message: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._blocks: dict[int, dict[str, Any]] = {}
        self._said: dict[int, list[str]] = {}
        self._calls: dict[int, int] = {}
        self._takes: dict[str, Callable[[dict[str, Any]], Sequence[LLMChunk]]] = {
            "message_start": self._start,
            "content_block_start": self._begin,
            "content_block_delta": self._grow,
            "message_delta": self._change,
            "message_stop": self._stop,
        }

    def _take(self, event: Event) -> Sequence[LLMChunk]:
        data = self._object(event)
        take = self._takes.get(str(data.get("type")))
        # Pings, ends of blocks, and whatever is new.
        return () if take is None else take(data)

    def _start(self, data: dict[str, Any]) -> Sequence[LLMChunk]:
        message = self._inner(data, "message")
        self._message = {**message, **self._message}
        self._count(message.get("usage"))
        return ()

    def _begin(self, data: dict[str, Any]) -> Sequence[LLMChunk]:
        index, block = self._index(data), self._inner(data, "content_block")
        if index in self._blocks:
            raise malformed(self.head, "two blocks at one place")
        self._blocks[index] = dict(block)
        self._said[index] = []
        if block.get("type") == "tool_use":
            ordinal = self._calls[index] = len(self._calls)
            named = ToolCallDelta(ordinal, str(block.get("id") or ""), str(block.get("name") or ""))
            return (LLMChunk(tool_call=named),)
        text = block.get("text")
        return self._add(index, text) if isinstance(text, str) and text else ()

    def _grow(self, data: dict[str, Any]) -> Sequence[LLMChunk]:
        index, delta = self._index(data), self._inner(data, "delta")
        if index not in self._blocks:
            raise malformed(self.head, "a piece of a block that was not begun")
        more = delta.get("text") if index not in self._calls else delta.get("partial_json")
        # What else blocks are made of, thoughts and their signatures say, nobody is shown.
        return self._add(index, more) if isinstance(more, str) and more else ()

    def _add(self, index: int, more: str) -> Sequence[LLMChunk]:
        self._said[index].append(more)
        if index in self._calls:
            return (LLMChunk(tool_call=ToolCallDelta(self._calls[index], arguments=more)),)
        return (LLMChunk(more),) if self._blocks[index].get("type") == "text" else ()

    def _change(self, data: dict[str, Any]) -> Sequence[LLMChunk]:
        self._message.update(self._inner(data, "delta"))
        self._count(data.get("usage"))
        return ()

    def _stop(self, _: dict[str, Any]) -> Sequence[LLMChunk]:
        self.is_ended = True
        return ()

    def _count(self, usage: object) -> None:
        # Counts are running totals: the last one stands.
        if isinstance(usage, dict):
            self._usage.update({key: value for key, value in usage.items() if value is not None})

    def _index(self, data: dict[str, Any]) -> int:
        index = data.get("index")
        if not isinstance(index, int):
            raise malformed(self.head, "a block without a place")
        return index

    def _inner(self, data: dict[str, Any], name: str) -> dict[str, Any]:
        inner = data.get(name)
        if not isinstance(inner, dict):
            raise malformed(self.head, f"an event without its {name}")
        return inner

    def whole(self, *, is_delimited: bool) -> LLMResponse:
        """The message; raises as `Assembly.whole` does."""
        if not self.is_ended:
            raise interrupted(self.head, "the stream ended before its message_stop")
        content = [self._block(index) for index in self._blocks]
        payload = {**self._message, "content": content, "usage": self._usage}
        body = json.dumps(payload).encode()
        return message_of(payload, replace(self.head, body=body), self.model)

    def _block(self, index: int) -> dict[str, Any]:
        block, said = self._blocks[index], "".join(self._said[index])
        if index in self._calls:
            # No text at all is what a tool without arguments is called with.
            return {**block, "input": said or block.get("input") or {}}
        return {**block, "text": said} if block.get("type") == "text" else block
