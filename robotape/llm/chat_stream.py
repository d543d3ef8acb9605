"""The OpenAI chat completions stream: chunks put together to the completion they are parts of.

Servers that call themselves compatible differ most in how they number parallel calls; what
they mean is decided by names and ids, never by mending arguments.

Source:
    OpenAI API reference, "Streaming"; deviations from reference/faults.md §4.4 and §4.5.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from robotape.http import HttpReply
from robotape.llm.assembly import Assembly
from robotape.llm.chat_wire import CUT_SHORT, response_of, text_of
from robotape.llm.exchange import LLMResponse
from robotape.llm.pieces import LLMChunk, ToolCallDelta
from robotape.llm.sse import Event
from robotape.llm.wire_errors import envelope_error, interrupted, malformed

__all__ = ["ChatAssembly"]


@dataclass(slots=True)
class _Call:
    """A tool call as it grows."""

    ordinal: int
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)

    def is_complete(self) -> bool:
        try:
            return isinstance(json.loads("".join(self.arguments)), dict)
        except (ValueError, RecursionError):
            return False


class ChatAssembly(Assembly):
    """A completion from its chunks.

    Whole is what has a reason to have ended and then `[DONE]`, or, from servers that leave
    that out, an end that the transport vouches for. Reasons may come more than once: only
    the end ends.
    """

    def __init__(self, head: HttpReply, model: str) -> None:
        """Begin before the first byte."""
        super().__init__(head, model)
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._calls: list[_Call] = []
        self._at: dict[int, _Call] = {}
        self._reason = ""
        self._facts: dict[str, Any] = {}

    def _take(self, event: Event) -> Sequence[LLMChunk]:
        if event.data.strip() == "[DONE]":
            self.is_ended = True
            return ()
        chunk = self._object(event)
        if chunk.get("object") == "error":
            raise envelope_error(chunk, self.head)
        for name in ("id", "model", "usage"):
            if chunk.get(name):
                self._facts[name] = chunk[name]
        choices = chunk.get("choices")
        if not isinstance(choices, list):
            return ()
        return [
            piece
            for choice in choices
            if isinstance(choice, dict) and not choice.get("index")
            for piece in self._choice(choice)
        ]

    def _choice(self, choice: dict[str, Any]) -> Sequence[LLMChunk]:
        if choice.get("error"):
            raise envelope_error(choice, self.head)
        reason = str(choice.get("finish_reason") or "")
        if reason and self._reason.lower() not in CUT_SHORT:
            self._reason = reason
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            return ()
        if delta.get("refusal"):
            self._refusal.append(str(delta["refusal"]))
        pieces = []
        text = text_of(delta.get("content"), self.head)
        if text is not None:
            self._text.append(text)
        if text:
            pieces.append(LLMChunk(text))
        pieces.extend(LLMChunk(tool_call=self._call(entry)) for entry in self._entries(delta))
        return pieces

    def _entries(self, delta: dict[str, Any]) -> list[Any]:
        entries = delta.get("tool_calls") or []
        if not isinstance(entries, list):
            raise malformed(self.head, "tool_calls is no list")
        return entries

    def _call(self, entry: object) -> ToolCallDelta:
        function = (entry.get("function") or {}) if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(function, dict):
            raise malformed(self.head, "a piece of a tool call without a function")
        name, given = str(function.get("name") or ""), str(entry.get("id") or "")
        arguments = function.get("arguments")
        if not isinstance(arguments, str):
            arguments = "" if arguments is None else json.dumps(arguments)
        call = self._current(entry.get("index"), given, name)
        if name and call.name not in {"", name}:
            raise malformed(self.head, "a tool call with two names")
        is_first = not call.arguments
        call.arguments.append(arguments)
        call.name = call.name or name
        call.id = call.id or given
        delta = ToolCallDelta(call.ordinal, arguments=arguments)
        return replace(delta, id=call.id, name=call.name) if is_first else delta

    def _current(self, index: object, given: str, name: str) -> _Call:
        """The call that a piece belongs to; a new one if it begins one."""
        if type(index) is int:
            call = self._at.get(index)
        else:
            call = self._calls[-1] if self._calls else None
        if call is None or _begins_another(call, given, name):
            call = _Call(len(self._calls))
            self._calls.append(call)
        if type(index) is int:
            self._at[index] = call
        return call

    def whole(self, *, is_delimited: bool) -> LLMResponse:
        """The completion; raises as `Assembly.whole` does."""
        if not self._reason:
            raise interrupted(self.head, "the stream ended before the answer did")
        if not (self.is_ended or is_delimited):
            raise interrupted(self.head, "the connection ended before the stream's [DONE]")
        message: dict[str, Any] = {
            "role": "assistant",
            "content": "".join(self._text) if self._text else None,
        }
        if self._refusal:
            message["refusal"] = "".join(self._refusal)
        if self._calls:
            message["tool_calls"] = [_entry(call) for call in self._calls]
        choice = {"index": 0, "message": message, "finish_reason": self._reason}
        payload = {**self._facts, "object": "chat.completion", "choices": [choice]}
        body = json.dumps(payload).encode()
        return response_of(payload, replace(self.head, body=body), self.model)


def _begins_another(call: _Call, given: str, name: str) -> bool:
    """Whether a piece with a call's index is part of another call all the same.

    litellm puts all parallel calls at index 0, each with its own id and name (its #37792).
    It, and LM Studio, also give one call another id in every piece (its #40040): then the
    name is missing or the same, and the arguments so far are not complete.
    """
    if not name or not given or given == call.id:
        return False
    return name != call.name or call.is_complete()


def _entry(call: _Call) -> dict[str, Any]:
    function = {"name": call.name, "arguments": "".join(call.arguments)}
    return {"id": call.id, "type": "function", "function": function}
