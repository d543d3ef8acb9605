"""Spoiled answers: well-formed and wrong, one small pure function each, found by name.

Each gives back the very object it was given where there is nothing to spoil, so that a fault
that changed nothing does not count as one that struck. The calls they spoil are the first
ones of an answer.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from robotape.llm.exchange import LLMResponse
from robotape.models.messages import ToolCall, Usage

__all__ = ["REWRITES", "Rewrite"]

Rewrite = Callable[[LLMResponse], LLMResponse]
"""Makes an answer wrong; gives back the same object where there is nothing to spoil."""

UNKNOWN = "no_such_argument"


def _rename_tool(response: LLMResponse) -> LLMResponse:
    return _first(response, lambda call: replace(call, name=f"no_such_{call.name}"))


def _empty_tool_name(response: LLMResponse) -> LLMResponse:
    return _first(response, lambda call: replace(call, name=""))


def _cut_arguments(response: LLMResponse) -> LLMResponse:
    """Cut them in half, as a token limit does."""
    return _first(
        response,
        lambda call: replace(call, arguments=call.arguments[: (len(call.arguments) + 1) // 2]),
    )


def _python_arguments(response: LLMResponse) -> LLMResponse:
    """Write them as a Python literal: single quotes, True, None."""
    return _first(
        response, lambda call: replace(call, arguments=repr(_arguments(call) or {UNKNOWN: True}))
    )


def _listed_arguments(response: LLMResponse) -> LLMResponse:
    """Wrap the object into a list."""
    return _first(response, lambda call: replace(call, arguments=f"[{call.arguments}]"))


def _no_arguments(response: LLMResponse) -> LLMResponse:
    return _first(response, lambda call: replace(call, arguments=""))


def _extra_argument(response: LLMResponse) -> LLMResponse:
    return _rearranged(response, lambda given: {**given, UNKNOWN: 1})


def _missing_argument(response: LLMResponse) -> LLMResponse:
    """Leave the last argument out, as a repaired half of a call does."""
    return _rearranged(response, lambda given: dict(list(given.items())[:-1]))


def _wrongly_typed_argument(response: LLMResponse) -> LLMResponse:
    """Put the first argument into a list of its own."""
    return _rearranged(
        response, lambda given: {**given, **{name: [given[name]] for name in list(given)[:1]}}
    )


def _repeat_call(response: LLMResponse) -> LLMResponse:
    """Ask for the first call once more, under an id of its own."""
    if not response.tool_calls:
        return response
    first = response.tool_calls[0]
    again = replace(first, id=f"{first.id}_again")
    return replace(response, tool_calls=(*response.tool_calls, again))


def _share_call_id(response: LLMResponse) -> LLMResponse:
    """Give every call the id of the first; one call is asked for twice, to share it."""
    if not response.tool_calls:
        return response
    first = response.tool_calls[0]
    calls = response.tool_calls if len(response.tool_calls) > 1 else (first, first)
    return replace(response, tool_calls=tuple(replace(call, id=first.id) for call in calls))


def _empty_call_id(response: LLMResponse) -> LLMResponse:
    return _first(response, lambda call: replace(call, id=""))


def _finish_with_calls(response: LLMResponse) -> LLMResponse:
    """Say that the turn is over, although tools are called."""
    return replace(response, finish_reason="stop") if response.tool_calls else response


def _say_nothing(response: LLMResponse) -> LLMResponse:
    """End the turn with nothing said and nothing asked for."""
    if not (response.text or response.tool_calls):
        return response
    return replace(response, text="", tool_calls=(), finish_reason="stop")


def _count_nothing(response: LLMResponse) -> LLMResponse:
    usage = Usage(0, 0, llm_calls=response.usage.llm_calls)
    return response if response.usage == usage else replace(response, usage=usage)


def _name_another_model(response: LLMResponse) -> LLMResponse:
    return replace(response, model=f"{response.model}-other")


def _first(response: LLMResponse, spoil: Callable[[ToolCall], ToolCall]) -> LLMResponse:
    """Spoil the first call; the others stay."""
    if not response.tool_calls:
        return response
    first, *others = response.tool_calls
    spoiled = spoil(first)
    return response if spoiled == first else replace(response, tool_calls=(spoiled, *others))


def _rearranged(
    response: LLMResponse, spoil: Callable[[dict[str, Any]], dict[str, Any]]
) -> LLMResponse:
    """Spoil the arguments of the first call as an object; what is none stays as it is."""

    def rewritten(call: ToolCall) -> ToolCall:
        given = _arguments(call)
        if given is None:
            return call
        wrong = spoil(given) if given else {UNKNOWN: 1}  # nothing there to leave out or to turn
        text = json.dumps(wrong, ensure_ascii=False, separators=(",", ":"))
        return replace(call, arguments=text)

    return _first(response, rewritten)


def _arguments(call: ToolCall) -> dict[str, Any] | None:
    try:
        given = json.loads(call.arguments)
    except ValueError:
        return None
    return given if isinstance(given, dict) else None


REWRITES: dict[str, Rewrite] = {
    "count_nothing": _count_nothing,
    "cut_arguments": _cut_arguments,
    "empty_call_id": _empty_call_id,
    "empty_tool_name": _empty_tool_name,
    "extra_argument": _extra_argument,
    "finish_with_calls": _finish_with_calls,
    "listed_arguments": _listed_arguments,
    "missing_argument": _missing_argument,
    "name_another_model": _name_another_model,
    "no_arguments": _no_arguments,
    "python_arguments": _python_arguments,
    "rename_tool": _rename_tool,
    "repeat_call": _repeat_call,
    "say_nothing": _say_nothing,
    "share_call_id": _share_call_id,
    "wrongly_typed_argument": _wrongly_typed_argument,
}
