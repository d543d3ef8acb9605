"""Plain values out of every provider's answers: a JSON object, a count, calls; no format."""

import json
from collections.abc import Sequence
from typing import Any

from pydantic_core import from_json

from robotape.http import HttpReply
from robotape.llm.wire_errors import malformed, page_text
from robotape.models.messages import ToolCall

__all__ = ["count_of", "json_object", "told_apart"]


def json_object(reply: HttpReply) -> dict[str, Any]:
    """The JSON object a whole answer consists of.

    Raises:
        MalformedReplyError: It consists of something else.
    """
    try:
        payload = _parsed(reply.body)
    except UnicodeDecodeError:
        raise malformed(reply, "the body is not UTF-8") from None
    except (ValueError, RecursionError):
        raise malformed(reply, f"the body is not JSON: {page_text(reply)}") from None
    if not isinstance(payload, dict):
        raise malformed(reply, "the body is no JSON object")
    return payload


def _parsed(body: bytes) -> Any:
    try:
        return from_json(body)
    except ValueError:  # not JSON; or half a surrogate pair, or deep, which `json` takes
        return json.loads(body.decode())


def count_of(value: object) -> int:
    """Tokens that a provider counted; 0 for whatever is no count."""
    return value if type(value) is int and value > 0 else 0


def told_apart(calls: Sequence[ToolCall], reply: HttpReply) -> tuple[ToolCall, ...]:
    """The calls, as long as no two have one id.

    Raises:
        MalformedReplyError: The same call twice, or two under one name: their results could
            not be told apart, and carrying out the same one twice could cost somebody money.
    """
    if len({call.id for call in calls}) < len(calls):
        raise malformed(reply, "two tool calls have one id")
    return tuple(calls)
