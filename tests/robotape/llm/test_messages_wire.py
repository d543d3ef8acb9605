"""Requests into Anthropic's JSON; the odd answers are rows in fixtures/wire/anthropic.toml."""

import contextlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from yarl import URL

from robotape.errors import LLMError
from robotape.http import HttpReply
from robotape.llm import LLMConfig, LLMRequest, LLMResponse
from robotape.llm.exchange import OutputFormat
from robotape.llm.messages_wire import answer, request_body
from robotape.models.messages import Message, ToolCall

TALK = (
    Message("system", "Be brief."),
    Message("user", "Hello"),
    Message(
        "assistant", "Let me see.", (ToolCall("now", "", "c1"), ToolCall("pay", '{"a":1}', "c2"))
    ),
    Message("tool", "noon", tool_call_id="c1", name="now"),
    Message("tool", "", tool_call_id="c2", name="pay"),
    Message("user", "And?"),
    Message("assistant", ""),
    Message("user", "Well?"),
)


def written(*messages: Message, config: LLMConfig | None = None, **more: Any) -> dict[str, Any]:
    return request_body(config or LLMConfig(model="m"), LLMRequest(messages, **more))


def test_a_conversation_takes_turns_and_results_come_before_text() -> None:
    body = written(*TALK)
    assert (body["system"], body["max_tokens"]) == ("Be brief.", 4096)
    assert body["messages"] == [
        {"role": "user", "content": "Hello"},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Let me see."},
                {"type": "tool_use", "id": "c1", "name": "now", "input": {}},
                {"type": "tool_use", "id": "c2", "name": "pay", "input": {"a": 1}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": "noon"},
                {"type": "tool_result", "tool_use_id": "c2"},
                {"type": "text", "text": "And?"},
            ],
        },
        # An answer of nothing is left out: it would make every later turn fail.
        {"role": "user", "content": "Well?"},
    ]


def test_broken_arguments_of_the_past_are_quoted_not_mended() -> None:
    for arguments in ('{"a": 1, "to": "al', "[]", "null", "[" * 10**5):
        body = written(Message("assistant", "", (ToolCall("pay", arguments, "c"),)))
        [block] = body["messages"][0]["content"]
        assert block["input"] == {"INVALID_JSON": arguments}


def test_tools_parameters_and_what_is_added() -> None:
    config = LLMConfig(
        model="m", temperature=0.5, max_tokens=7, additional_params={"top_k": 3, "metadata": {}}
    )
    tool = {"name": "now", "description": "The time.", "parameters": {"type": "object"}}
    body = written(Message("user", "Hi"), config=config, tools=(tool, {"name": "bare"}))
    assert (body["temperature"], body["max_tokens"], body["top_k"]) == (0.5, 7, 3)
    assert body["tools"] == [
        {"name": "now", "input_schema": {"type": "object"}, "description": "The time."},
        {"name": "bare", "input_schema": {"type": "object"}},
    ]
    assert "system" not in body


def test_a_form_is_told_as_a_schema_or_in_words() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    body = written(Message("user", "Hi"), output=OutputFormat("A", schema))
    assert body["output_config"] == {
        "format": {"type": "json_schema", "schema": {**schema, "additionalProperties": False}}
    }
    free = {"type": "object", "additionalProperties": {"type": "integer"}}
    body = written(Message("system", "S"), Message("user", "Hi"), output=OutputFormat("A", free))
    assert "output_config" not in body
    assert body["system"].startswith("S\n\nAnswer with one JSON object")
    assert json.dumps(free) in body["system"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
BLOCKS = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["text", "tool_use", "x"]) | JSON},
        optional={"text": JSON, "id": JSON, "name": JSON | st.text(min_size=1), "input": JSON},
    )
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "content": BLOCKS | JSON,
            "stop_reason": st.sampled_from(["end_turn", "tool_use", "refusal"]) | JSON,
            "stop_details": JSON,
            "usage": JSON,
            "model": JSON,
            "error": JSON,
            "type": JSON,
        },
    )
)
def test_whatever_json_comes_it_is_an_answer_or_a_typed_error(payload: dict[str, Any]) -> None:
    body = json.dumps(payload).encode()
    reply = HttpReply(200, CIMultiDict[str](), body, URL("https://h.example/"))
    with contextlib.suppress(LLMError):
        assert isinstance(answer(reply, "asked"), LLMResponse)
