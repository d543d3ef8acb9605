"""The OpenAI chat completions format: requests into JSON, answers out of it; nothing is sent here.

What a model says is handed on as it is: tool arguments stay the text it wrote, whole or
broken. What is no whole answer is an error, never a short one.

Source:
    OpenAI API reference, "Create chat completion"; deviations of compatible servers from
    reference/faults.md §4.2 and §4.5.
"""

import json
from collections.abc import Mapping
from typing import Any

from robotape.errors import ContentFilterError, TruncatedReplyError
from robotape.http import HttpReply
from robotape.llm.config import LLMConfig
from robotape.llm.exchange import LLMRequest, LLMResponse, OutputFormat
from robotape.llm.output_schema import is_exact
from robotape.llm.wire_errors import envelope_error, failed, malformed
from robotape.llm.wire_values import count_of, json_object, told_apart
from robotape.models.messages import Message, ToolCall, Usage
from robotape.runtime import derive

__all__ = ["CUT_SHORT", "answer", "request_body", "response_of", "text_of"]

# Compatible servers have their own words; one that nobody knows proves no whole answer.
_ANSWERED = frozenset({"", "end_turn", "eos", "eos_token", "stop", "stop_sequence"})
_CALLING = frozenset({"tool_calls", "tool_use"})
_CUT = frozenset({"length", "max_length", "max_tokens", "model_length"})
_FILTERED = frozenset({"content_filter", "refusal", "safety"})
CUT_SHORT = _CUT | _FILTERED
"""Reasons to end that no later one makes good."""


def request_body(
    config: LLMConfig, request: LLMRequest, *, max_tokens_field: str
) -> dict[str, Any]:
    """Write a request, as the JSON object it is sent as.

    Args:
        config: Model and parameters.
        request: Conversation and tools.
        max_tokens_field: What the server calls `max_tokens`.
    """
    body: dict[str, Any] = {
        "model": config.model,
        "messages": [_message(message) for message in request.messages],
    }
    if request.tools:
        body["tools"] = [{"type": "function", "function": tool} for tool in request.tools]
    if config.temperature is not None:
        body["temperature"] = config.temperature
    if config.max_tokens is not None:
        body[max_tokens_field] = config.max_tokens
    if request.output is not None:
        body["response_format"] = _format(request.output)
    body.update(config.additional_params)
    body.pop("stream_options", None)  # servers refuse it where nothing is streamed
    return body


def _format(output: OutputFormat) -> dict[str, Any]:
    is_strict = is_exact(output.schema)
    named = {"name": output.name, "schema": output.schema, "strict": is_strict}
    return {"type": "json_schema", "json_schema": named}


def _message(message: Message) -> dict[str, Any]:
    entry: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.role == "tool":
        entry["tool_call_id"] = message.tool_call_id
    elif message.tool_calls:
        entry["content"] = message.content or None
        entry["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                # Some servers parse them again, and refuse the empty text some models send.
                "function": {"name": call.name, "arguments": call.arguments or "{}"},
            }
            for call in message.tool_calls
        ]
    return entry


def answer(reply: HttpReply, model: str) -> LLMResponse:
    """Read an answer of status 200.

    Args:
        reply: As it came.
        model: Whom it was asked of, in case it does not say.

    Raises:
        MalformedReplyError: It is no answer: not JSON, no choice, neither text nor calls, a
            call without a name or with another's id, an unknown reason to end.
        TruncatedReplyError: It was cut by its token limit, in its text or in a call.
        ContentFilterError: It was withheld, or is a refusal.
        LLMError: It holds an error instead; the class is the one it names.
    """
    payload = json_object(reply)
    if payload.get("error"):
        raise envelope_error(payload, reply)
    return response_of(payload, reply, model)


def response_of(payload: dict[str, Any], reply: HttpReply, model: str) -> LLMResponse:
    """The answer that a completion object holds; raises as `answer` does."""
    choice = _first_choice(payload, reply)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise malformed(reply, "a choice without a message")
    reason = str(choice.get("finish_reason") or "").lower()
    refused = message.get("refusal")
    if reason != "stop" or refused:
        _check_ending(reason, refused, reply)
    calls = _calls(message, reply)
    text = text_of(message.get("content"), reply)
    if not calls and (reason in _CALLING or (not text and not (text == "" and reason))):
        raise malformed(reply, "neither text nor tool calls")
    named = payload.get("model")
    return LLMResponse(
        text=text or "",
        tool_calls=calls,
        usage=_usage(payload.get("usage")),
        model=named if isinstance(named, str) and named else model,
        finish_reason="tool_calls" if calls else "stop",
        raw_response=payload,
    )


def _first_choice(payload: Mapping[str, Any], reply: HttpReply) -> Mapping[str, Any]:
    choices = payload.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise malformed(reply, "no choices")
    choice: Mapping[str, Any] = choices[0]
    if choice.get("error"):
        raise envelope_error(choice, reply)
    return choice


def _check_ending(reason: str, refused: object, reply: HttpReply) -> None:
    """Refuse what was not ended by the model itself."""
    if reason in _FILTERED or refused:
        why = f"the model refused: {refused}" if refused else "the provider withheld the answer"
        raise failed(ContentFilterError, why, reply)
    if reason in _CUT:
        why = "the answer was cut by its token limit: raise max_tokens"
        raise failed(TruncatedReplyError, why, reply)
    if reason not in _ANSWERED and reason not in _CALLING:
        raise malformed(reply, f"the answer ended for an unknown reason: {reason}")


def text_of(content: object, reply: HttpReply) -> str | None:
    """The text; some servers send it in parts."""
    if content is None or isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str)) or None
    raise malformed(reply, "the content is no text")


def _calls(message: Mapping[str, Any], reply: HttpReply) -> tuple[ToolCall, ...]:
    entries = message.get("tool_calls")
    if not entries:
        return ()
    if not isinstance(entries, list):
        raise malformed(reply, "tool_calls is no list")
    return told_apart([_call(entry, index, reply) for index, entry in enumerate(entries)], reply)


def _call(entry: object, index: int, reply: HttpReply) -> ToolCall:
    function = entry.get("function") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(function, dict):
        raise malformed(reply, "a tool call without a function")
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise malformed(reply, "a tool call without a name")
    arguments = function.get("arguments")
    if not isinstance(arguments, str):
        # Ollama's own format has an object here; nothing at all is what some send for no arguments.
        arguments = "" if arguments is None else json.dumps(arguments)
    # An empty id in the history makes every later turn fail, so one is derived from the answer.
    given = entry.get("id")
    name_of_call = str(given) if given else f"call_{derive(reply.body, index)[:24]}"
    return ToolCall(name, arguments, name_of_call)


def _usage(usage: object) -> Usage:
    counts = usage if isinstance(usage, dict) else {}
    return Usage(
        input_tokens=count_of(counts.get("prompt_tokens")),
        output_tokens=count_of(counts.get("completion_tokens")),
        llm_calls=1,
    )
