"""Requests into JSON and answers out of it; the odd answers are rows in test_remote_rows.py."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from yarl import URL

from robotape.errors import LLMError, MalformedReplyError
from robotape.http import HttpReply
from robotape.llm import LLMConfig, LLMRequest, LLMResponse
from robotape.llm.chat_wire import answer, request_body
from robotape.models.messages import Message, ToolCall, Usage

URL_ = URL("https://a.example/v1")


def read(payload: object) -> LLMResponse:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return answer(HttpReply(200, CIMultiDict[str](), body, URL_), "asked")


def completion(message: Any, finish_reason: Any = "stop", **more: Any) -> dict[str, Any]:
    return {"choices": [{"message": message, "finish_reason": finish_reason}], **more}


def calling(*calls: dict[str, Any]) -> dict[str, Any]:
    return completion({"content": None, "tool_calls": list(calls)}, "tool_calls")


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), min_size=1, max_size=5))
def test_tool_calls_come_out_as_they_were_written(calls: list[tuple[str, str]]) -> None:
    payload = calling(
        *(
            {"id": f"c{index}", "function": {"name": name, "arguments": text}}
            for index, (name, text) in enumerate(calls)
        )
    )
    assert read(payload).tool_calls == tuple(
        ToolCall(name, text, f"c{index}") for index, (name, text) in enumerate(calls)
    )


def test_an_id_made_up_is_the_same_for_the_same_answer_and_another_for_another() -> None:
    function = {"name": "now", "arguments": "{}"}
    first, again, other = (
        read({**calling({"function": function}), "created": created}).tool_calls[0].id
        for created in (1, 1, 2)
    )
    assert first == again != other


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, Usage(llm_calls=1)),
        ({}, Usage(llm_calls=1)),
        ([1], Usage(llm_calls=1)),
        ({"prompt_tokens": "7", "completion_tokens": -1}, Usage(llm_calls=1)),
        ({"prompt_tokens": True, "completion_tokens": 2.5}, Usage(llm_calls=1)),
        ({"prompt_tokens": 7, "completion_tokens": 2}, Usage(7, 2, llm_calls=1)),
    ],
)
def test_usage_counts_what_is_a_count(usage: object, expected: Usage) -> None:
    assert read(completion({"content": "Hi"}, usage=usage)).usage == expected


@pytest.mark.parametrize(("named", "model"), [("m-0613", "m-0613"), ("", "asked"), (None, "asked")])
def test_the_model_is_the_one_that_answered(named: object, model: str) -> None:
    assert read(completion({"content": "Hi"}, model=named)).model == model


@given(st.binary())
def test_any_bytes_are_an_answer_or_a_typed_error(body: bytes) -> None:
    with pytest.raises(MalformedReplyError):
        read(body)


ODD: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.none()) | st.just({})
)
CALL = st.fixed_dictionaries(
    {},
    optional={
        "id": ODD,
        "function": ODD | st.fixed_dictionaries({}, optional={"name": ODD, "arguments": ODD}),
    },
)
MESSAGE = st.fixed_dictionaries(
    {}, optional={"content": ODD, "refusal": ODD, "tool_calls": ODD | st.lists(ODD | CALL)}
)
CHOICE = st.fixed_dictionaries(
    {},
    optional={
        "message": ODD | MESSAGE,
        "finish_reason": ODD | st.sampled_from(["stop", "length", "tool_calls"]),
        "error": ODD,
    },
)
PAYLOAD = ODD | st.fixed_dictionaries(
    {}, optional={"choices": ODD | st.lists(ODD | CHOICE), "usage": ODD, "error": ODD, "model": ODD}
)


@given(PAYLOAD)
def test_any_json_is_a_whole_answer_or_a_typed_error(payload: object) -> None:
    try:
        response = read(payload)
    except LLMError:
        return
    assert response.finish_reason == ("tool_calls" if response.tool_calls else "stop")
    assert all(call.name and call.id for call in response.tool_calls)


def test_a_request_says_no_more_than_it_must() -> None:
    request = LLMRequest((Message("user", "Hi"), Message("assistant", "Hello")))
    body = request_body(LLMConfig(model="m"), request, max_tokens_field="max_tokens")
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}],
    }
