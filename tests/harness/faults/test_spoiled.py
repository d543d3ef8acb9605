"""Laws of spoiled answers: each is wrong in one way, and what cannot be spoiled stays the same."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape.llm.exchange import LLMResponse
from robotape.models.messages import ToolCall, Usage
from robotape_harness.faults.spoiled import REWRITES, UNKNOWN

ASKED = LLMResponse(
    "Let me pay.",
    (ToolCall("pay", '{"order":1}', "a"), ToolCall("pay", '{"order":2}', "b")),
    usage=Usage(7, 3, llm_calls=1),
    model="m",
    finish_reason="tool_calls",
)
# What spoils an answer even where no tool is called.
OF_ANY_ANSWER = {"count_nothing", "name_another_model", "say_nothing"}
NOT_JSON = {"cut_arguments", "no_arguments", "python_arguments"}
OF_ARGUMENTS = {"extra_argument", "missing_argument", "wrongly_typed_argument"}


def test_only_the_first_call_is_misnamed() -> None:
    first, second = ASKED.tool_calls
    spoiled = REWRITES["rename_tool"](ASKED)
    assert spoiled == replace(ASKED, tool_calls=(replace(first, name="no_such_pay"), second))


def test_only_the_first_calls_arguments_are_cut_and_do_not_parse() -> None:
    first, second = ASKED.tool_calls
    spoiled = REWRITES["cut_arguments"](ASKED)
    assert spoiled == replace(ASKED, tool_calls=(replace(first, arguments='{"orde'), second))


@pytest.mark.parametrize("arguments", ["{}", '{"a":1}', '{"a":{"b":[1,2,3]}}', '{"name":"Zoë"}'])
def test_half_an_object_is_never_json(arguments: str) -> None:
    (call,) = REWRITES["cut_arguments"](
        LLMResponse(tool_calls=(ToolCall("f", arguments),))
    ).tool_calls
    assert arguments.startswith(call.arguments) and call.arguments
    with pytest.raises(json.JSONDecodeError):
        json.loads(call.arguments)


@pytest.mark.parametrize("name", sorted(set(REWRITES) - OF_ANY_ANSWER))
def test_an_answer_without_calls_passes_as_the_same_object(name: str) -> None:
    answer = LLMResponse("It is 3.")
    assert REWRITES[name](answer) is answer


@pytest.mark.parametrize("name", sorted(OF_ANY_ANSWER - {"name_another_model"}))
def test_what_is_spoiled_already_passes_as_the_same_object(name: str) -> None:
    spoiled = REWRITES[name](ASKED)
    assert spoiled != ASKED
    assert REWRITES[name](spoiled) is spoiled


ARGUMENTS = st.dictionaries(
    st.text(max_size=5), st.none() | st.booleans() | st.integers() | st.text(max_size=5), max_size=4
)


@given(ARGUMENTS, st.sampled_from(sorted(set(REWRITES) - {"count_nothing"})))
def test_every_answer_with_calls_is_spoiled(arguments: dict[str, Any], name: str) -> None:
    answer = replace(ASKED, tool_calls=(ToolCall("pay", json.dumps(arguments), "a"),))
    assert REWRITES[name](answer) != answer


@given(ARGUMENTS, st.sampled_from(sorted(NOT_JSON)))
def test_what_is_not_json_does_not_parse(arguments: dict[str, Any], name: str) -> None:
    answer = LLMResponse(tool_calls=(ToolCall("pay", json.dumps(arguments)),))
    with pytest.raises(json.JSONDecodeError):
        json.loads(REWRITES[name](answer).tool_calls[0].arguments)


@given(ARGUMENTS, st.sampled_from(sorted(OF_ARGUMENTS)))
def test_spoiled_arguments_are_another_object(arguments: dict[str, Any], name: str) -> None:
    answer = LLMResponse(tool_calls=(ToolCall("pay", json.dumps(arguments)),))
    spoiled = json.loads(REWRITES[name](answer).tool_calls[0].arguments)
    assert isinstance(spoiled, dict)
    assert spoiled != arguments
    assert len(spoiled.keys() ^ arguments.keys()) <= 1


def test_what_is_asked_for_twice_has_two_ids_and_what_shares_an_id_has_one() -> None:
    again = REWRITES["repeat_call"](ASKED).tool_calls
    assert [(call.name, call.arguments) for call in again] == [
        ("pay", '{"order":1}'),
        ("pay", '{"order":2}'),
        ("pay", '{"order":1}'),
    ]
    assert len({call.id for call in again}) == 3
    one = replace(ASKED, tool_calls=ASKED.tool_calls[:1])
    for answer in (ASKED, one):
        shared = REWRITES["share_call_id"](answer).tool_calls
        assert len(shared) == 2
        assert {call.id for call in shared} == {"a"}


def test_the_end_of_a_turn_that_is_none_says_nothing_or_calls_tools() -> None:
    silent = REWRITES["say_nothing"](ASKED)
    assert (silent.text, silent.tool_calls, silent.finish_reason) == ("", (), "stop")
    ended = REWRITES["finish_with_calls"](ASKED)
    assert (ended.tool_calls, ended.finish_reason) == (ASKED.tool_calls, "stop")


def test_arguments_nobody_knows_and_calls_without_a_name_or_id() -> None:
    def first(name: str) -> ToolCall:
        return REWRITES[name](ASKED).tool_calls[0]

    assert json.loads(first("extra_argument").arguments) == {"order": 1, UNKNOWN: 1}
    assert json.loads(first("wrongly_typed_argument").arguments) == {"order": [1]}
    assert json.loads(first("listed_arguments").arguments) == [{"order": 1}]
    assert first("python_arguments").arguments == "{'order': 1}"
    assert (first("empty_tool_name").name, first("empty_call_id").id) == ("", "")
    assert REWRITES["count_nothing"](ASKED).usage == Usage(0, 0, llm_calls=1)
    assert REWRITES["name_another_model"](ASKED).model == "m-other"
