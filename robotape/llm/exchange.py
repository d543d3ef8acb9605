"""One exchange with a model, as values, and what the tape keeps of it; no wire format."""

from dataclasses import dataclass, field
from typing import Any

from robotape.models.messages import Message, ToolCall, Usage
from robotape.models.record import json_of
from robotape.models.value import quick

__all__ = ["LLMRequest", "LLMResponse", "OutputFormat", "described", "restored", "told"]


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """What the text of an answer must be: JSON of one shape.

    Attributes:
        name: Of the shape; letters, digits, `_` and `-`.
        schema: Its JSON Schema; the root is an object.
    """

    name: str
    schema: dict[str, Any]


@quick
@dataclass(frozen=True, slots=True)
class LLMRequest:
    """What a model is asked.

    Attributes:
        messages: The conversation, oldest first.
        tools: JSON definitions of the tools it may call: name, description, parameters.
        known: How many of the messages an earlier call of the same conversation has put on
            the tape; they are not written again.
        output: What the text of the answer must be; None for any text.
    """

    messages: tuple[Message, ...]
    tools: tuple[dict[str, Any], ...] = ()
    known: int = 0
    output: OutputFormat | None = None


_NONE_COUNTED = Usage()


@quick
@dataclass(frozen=True, slots=True)
class LLMResponse:
    """A whole answer of a model.

    Attributes:
        text: What it said; empty if it only calls tools.
        tool_calls: What it asks for, in its order.
        usage: What the provider counted.
        model: The model that answered, as the provider names it.
        finish_reason: `stop` or `tool_calls`.
        raw_response: The provider's JSON, for what is not modelled here; not on the tape. Of
            a stream, what its pieces add up to.
        output: The text as an instance of the model that `generate` was asked for, else None.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = _NONE_COUNTED
    model: str = ""
    finish_reason: str = "stop"
    raw_response: dict[str, Any] = field(default_factory=dict)
    output: Any = None


def described(model: str, request: LLMRequest) -> bytes:
    """What the tape says was asked, as JSON: the messages that are new to it."""
    asked: dict[str, Any] = {
        "model": model,
        "messages": [_message(message) for message in request.messages[request.known :]],
    }
    if request.known:
        asked["after"] = request.known
    elif request.tools:
        asked["tools"] = [tool["name"] for tool in request.tools]
    if request.output is not None:
        asked["output"] = request.output.name
    return json_of(asked)


def told(response: LLMResponse) -> tuple[bytes, bytes]:
    """What the model said, and what else came back with it; both as JSON."""
    said: dict[str, Any] = {"text": response.text}
    if response.tool_calls:
        said["tool_calls"] = [_call(call) for call in response.tool_calls]
    usage = response.usage
    return json_of(said), json_of(
        {
            "finish_reason": response.finish_reason,
            "model": response.model,
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
        }
    )


def restored(said: Any, facts: Any) -> LLMResponse:
    """The answer that `told` was told of, but for its raw form."""
    return LLMResponse(
        text=said["text"],
        tool_calls=tuple(ToolCall(**call) for call in said.get("tool_calls", ())),
        usage=Usage(facts["input_tokens"], facts["output_tokens"], llm_calls=1),
        model=facts["model"],
        finish_reason=facts["finish_reason"],
    )


def _message(message: Message) -> dict[str, Any]:
    entry: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        entry["tool_calls"] = [_call(call) for call in message.tool_calls]
    if message.role == "tool":
        entry["name"] = message.name
        entry["tool_call_id"] = message.tool_call_id
    return entry


def _call(call: ToolCall) -> dict[str, str]:
    return {"name": call.name, "arguments": call.arguments, "id": call.id}
