"""Events put together; what is odd, or broken, are rows in fixtures/wire/anthropic_stream.toml."""

import contextlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from yarl import URL

from robotape.errors import LLMError
from robotape.http import HttpReply
from robotape.llm import LLMResponse
from robotape.llm.messages_stream import MessagesAssembly

HEAD = HttpReply(200, CIMultiDict[str](), b"", URL("https://h.example/"))


def assembled(*events: Any) -> LLMResponse:
    assembly = MessagesAssembly(HEAD, "asked")
    for data in events:
        list(assembly.feed(f"data: {json.dumps(data)}\n\n".encode()))
    return assembly.whole(is_delimited=True)


def block(index: int, kind: str, parts: list[str]) -> list[dict[str, Any]]:
    name, field = {
        "text": ("text_delta", "text"),
        "tool_use": ("input_json_delta", "partial_json"),
    }[kind]
    start = (
        {"type": kind, "text": ""}
        if kind == "text"
        else {"type": kind, "id": f"c{index}", "name": "t", "input": {}}
    )
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *(
            {"type": "content_block_delta", "index": index, "delta": {"type": name, field: part}}
            for part in parts
        ),
        {"type": "content_block_stop", "index": index},
    ]


KINDS = st.sampled_from(["text", "tool_use"])


@given(st.lists(st.tuples(KINDS, st.lists(st.text(), max_size=4)), max_size=5))
def test_blocks_come_out_as_they_were_sent(blocks: list[tuple[str, list[str]]]) -> None:
    events = [event for n, (kind, parts) in enumerate(blocks) for event in block(n, kind, parts)]
    calls = [n for n, (kind, _) in enumerate(blocks) if kind == "tool_use"]
    answer = assembled(
        {"type": "message_start", "message": {"model": "m-1", "usage": {"input_tokens": 2}}},
        *events,
        {"type": "message_delta", "delta": {"stop_reason": "tool_use" if calls else "end_turn"}},
        {"type": "message_stop"},
    )
    assert answer.text == "".join("".join(parts) for kind, parts in blocks if kind == "text")
    assert [(call.id, call.arguments) for call in answer.tool_calls] == [
        (f"c{n}", "".join(blocks[n][1]) or "{}") for n in calls
    ]
    assert (answer.model, answer.usage.input_tokens) == ("m-1", 2)


def test_counts_are_running_totals() -> None:
    answer = assembled(
        {"type": "message_start", "message": {"usage": {"input_tokens": 2, "output_tokens": 1}}},
        {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 5, "input_tokens": None}},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": 9},
        },
        {"type": "message_stop"},
    )
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (2, 9)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
TYPES = st.sampled_from(
    ["message_start", "content_block_start", "content_block_delta", "message_delta", "ping"]
)
INNER = JSON | st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["text", "tool_use", "thinking"]) | JSON,
        "text": JSON,
        "id": JSON,
        "name": JSON,
        "input": JSON,
        "partial_json": JSON,
        "usage": JSON,
        "content": JSON,
        "stop_reason": JSON | st.just("end_turn"),
    },
)
ODD = st.fixed_dictionaries(
    {"type": TYPES},
    optional={
        "index": st.integers(0, 1) | JSON,
        "message": INNER,
        "content_block": INNER,
        "delta": INNER,
        "usage": JSON,
    },
)


@given(st.lists(ODD, max_size=5))
def test_whatever_json_comes_it_is_an_answer_or_a_typed_error(events: list[Any]) -> None:
    with contextlib.suppress(LLMError):
        assert isinstance(assembled(*events, {"type": "message_stop"}), LLMResponse)
