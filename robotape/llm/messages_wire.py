"""The Anthropic messages format: requests into JSON, answers out of it; nothing is sent here.

What a model says is handed on as it is. What is no whole answer is an error, never a short
one.

Source:
    Anthropic API reference, "Messages", and the types of the anthropic SDK 2.12.0.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from robotape.errors import ContentFilterError, ContextLengthError, LLMError, TruncatedReplyError
from robotape.http import HttpReply
from robotape.llm.config import LLMConfig
from robotape.llm.exchange import LLMRequest, LLMResponse
from robotape.llm.output_schema import closed
from robotape.llm.wire_errors import envelope_error, failed, malformed
from robotape.llm.wire_values import count_of, json_object, told_apart
from robotape.models.messages import Message, ToolCall, Usage
from robotape.runtime import derive

__all__ = ["answer", "message_of", "request_body"]

MAX_TOKENS = 4096
_ANSWERED = frozenset({"end_turn", "stop_sequence", "tool_use"})
_CUT_SHORT: dict[str, tuple[type[LLMError], str]] = {
    "max_tokens": (
        TruncatedReplyError,
        "the answer was cut by its token limit: raise max_tokens",
    ),
    "model_context_window_exceeded": (
        ContextLengthError,
        "the answer was cut, for the model's context is full: shorten the conversation",
    ),
    "pause_turn": (
        TruncatedReplyError,
        "the provider paused the turn: its own long-running tools are not supported",
    ),
}


def request_body(config: LLMConfig, request: LLMRequest) -> dict[str, Any]:
    """Write a request, as the JSON object it is sent as.

    Args:
        config: Model and parameters; without `max_tokens`, which is required here, 4,096.
        request: Conversation, tools, and the form of the answer.
    """
    told = [message.content for message in request.messages if message.role == "system"]
    body: dict[str, Any] = {
        "model": config.model,
        "max_tokens": config.max_tokens or MAX_TOKENS,
        "messages": list(_turns(request.messages)),
    }
    if request.output is not None:
        schema = closed(request.output.schema)
        if schema is None:
            told.append(
                "Answer with one JSON object and nothing else. It must fit this JSON Schema: "
                + json.dumps(request.output.schema)
            )
        else:
            body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    if any(told):
        body["system"] = "\n\n".join(text for text in told if text)
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if config.temperature is not None:
        body["temperature"] = config.temperature
    body.update(config.additional_params)
    return body


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    entry = {"name": tool["name"], "input_schema": tool.get("parameters") or {"type": "object"}}
    if tool.get("description"):
        entry["description"] = tool["description"]
    return entry


def _turns(messages: Sequence[Message]) -> Iterator[dict[str, Any]]:
    """The conversation as user and assistant take turns; results go with the next user's text.

    All results of parallel calls must be in one message, before any text.
    """
    spoken = [message for message in messages if message.role != "system"]
    for is_assistant, turn in groupby(spoken, lambda message: message.role == "assistant"):
        said = list(turn)
        blocks = [block for message in said for block in _blocks(message)]
        if not is_assistant:
            if len(said) == 1 and said[0].role == "user":
                yield {"role": "user", "content": said[0].content}
            else:
                yield {"role": "user", "content": blocks}
        elif blocks:  # an answer of nothing would make every later turn fail
            yield {"role": "assistant", "content": blocks}


def _blocks(message: Message) -> Iterator[dict[str, Any]]:
    if message.role == "tool":
        result = {"type": "tool_result", "tool_use_id": message.tool_call_id}
        yield result | {"content": message.content} if message.content else result
        return
    if message.content:
        yield {"type": "text", "text": message.content}
    for call in message.tool_calls:
        entry = {"type": "tool_use", "id": call.id, "name": call.name}
        yield {**entry, "input": _input(call.arguments)}


def _input(arguments: str) -> dict[str, Any]:
    """The arguments of a past call; broken ones are quoted, for the format has no other place.

    Source:
        Anthropic, "Fine-grained tool streaming": invalid JSON goes back under this key.
    """
    try:
        value = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"INVALID_JSON": arguments}


def answer(reply: HttpReply, model: str) -> LLMResponse:
    """Read an answer of status 200.

    Args:
        reply: As it came.
        model: Whom it was asked of, in case it does not say.

    Raises:
        MalformedReplyError: It is no answer: not JSON, no content, a call without a name or
            with another's id, an unknown reason to stop or none.
        TruncatedReplyError: It was cut by its token limit, in its text or in a call, or paused.
        ContextLengthError: It was cut because the context is full.
        ContentFilterError: It is a refusal.
        LLMError: It holds an error instead; the class is the one it names.
    """
    payload = json_object(reply)
    if payload.get("error") or payload.get("type") == "error":
        raise envelope_error(payload, reply)
    return message_of(payload, reply, model)


def message_of(payload: dict[str, Any], reply: HttpReply, model: str) -> LLMResponse:
    """The answer that a message object holds; raises as `answer` does."""
    content = payload.get("content")
    if not isinstance(content, list) or not all(isinstance(block, dict) for block in content):
        raise malformed(reply, "no content")
    reason = str(payload.get("stop_reason") or "")
    _check_ending(reason, payload, reply)
    texts = [block.get("text") for block in content if block.get("type") == "text"]
    asked = [block for block in content if block.get("type") == "tool_use"]
    calls = told_apart([_call(block, index, reply) for index, block in enumerate(asked)], reply)
    if reason == "tool_use" and not calls:
        raise malformed(reply, "it stopped to use tools, and uses none")
    named = payload.get("model")
    return LLMResponse(
        text="".join(text for text in texts if isinstance(text, str)),
        tool_calls=calls,
        usage=_usage(payload.get("usage")),
        model=named if isinstance(named, str) and named else model,
        finish_reason="tool_calls" if calls else "stop",
        raw_response=payload,
    )


def _check_ending(reason: str, payload: Mapping[str, Any], reply: HttpReply) -> None:
    """Refuse what was not ended by the model itself."""
    if reason == "refusal":
        details = payload.get("stop_details")
        why = details.get("explanation") if isinstance(details, dict) else None
        said = f"the model refused: {why}" if why else "the model refused"
        raise failed(ContentFilterError, said, reply)
    if reason in _CUT_SHORT:
        kind, said = _CUT_SHORT[reason]
        raise failed(kind, said, reply)
    if reason not in _ANSWERED:
        raise malformed(reply, f"the answer stopped for an unknown reason: {reason or 'none'}")


def _call(block: Mapping[str, Any], index: int, reply: HttpReply) -> ToolCall:
    name = block.get("name")
    if not isinstance(name, str) or not name:
        raise malformed(reply, "a tool call without a name")
    given = block.get("input")
    # From a stream it is the text that the model wrote, whole or broken.
    arguments = given if isinstance(given, str) else json.dumps({} if given is None else given)
    call_id = block.get("id")
    return ToolCall(
        name, arguments, str(call_id) if call_id else f"call_{derive(reply.body, index)[:24]}"
    )


def _usage(usage: object) -> Usage:
    counts = usage if isinstance(usage, dict) else {}
    # What was read from a cache, or written to it, counts apart.
    parts = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    return Usage(
        input_tokens=sum(count_of(counts.get(part)) for part in parts),
        output_tokens=count_of(counts.get("output_tokens")),
        llm_calls=1,
    )
