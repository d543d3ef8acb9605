"""Chunks put together; what servers send that is odd, or broken, are rows in fixtures/wire."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from yarl import URL

from robotape.errors import LLMError, StreamInterruptedError
from robotape.http import HttpReply
from robotape.llm import LLMResponse
from robotape.llm.chat_stream import ChatAssembly
from robotape.llm.chat_wire import answer

HEAD = HttpReply(200, CIMultiDict[str](), b"", URL("https://h.example/"))
DONE = b"data: [DONE]\n\n"


def event(delta: Any, reason: Any = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return f"data: {json.dumps({'choices': [choice], **more})}\n\n".encode()


def assembled(*events: bytes, is_delimited: bool = False) -> LLMResponse:
    assembly = ChatAssembly(HEAD, "asked")
    for data in events:
        list(assembly.feed(data))
    return assembly.whole(is_delimited=is_delimited)


CALLS = st.lists(st.tuples(st.text(min_size=1), st.lists(st.text(), max_size=4)), max_size=4)


@given(st.lists(st.text(), max_size=5), CALLS, st.randoms(use_true_random=False))
def test_a_stream_adds_up_to_what_the_server_would_have_sent_whole(
    texts: list[str], calls: list[tuple[str, list[str]]], order: Any
) -> None:
    begun: list[dict[str, Any]] = [
        {"index": n, "id": f"c{n}", "function": {"name": name, "arguments": ""}}
        for n, (name, _) in enumerate(calls)
    ]
    rest: list[dict[str, Any]] = [
        {"index": n, "function": {"arguments": part}}
        for n, (_, parts) in enumerate(calls)
        for part in parts
    ]
    order.shuffle(places := [entry["index"] for entry in rest])
    queues = {n: [e for e in rest if e["index"] == n] for n in range(len(calls))}
    mixed = [queues[place].pop(0) for place in places]
    reason = "tool_calls" if calls else "stop"
    events = [event({"content": text}) for text in ["", *texts]]
    events += [event({"tool_calls": [entry]}) for entry in (*begun, *mixed)]
    message = {
        "content": "".join(texts),
        "tool_calls": [
            {"id": f"c{n}", "function": {"name": name, "arguments": "".join(parts)}}
            for n, (name, parts) in enumerate(calls)
        ],
    }
    body = json.dumps({"choices": [{"message": message, "finish_reason": reason}]}).encode()
    whole = answer(HttpReply(200, HEAD.headers, body, HEAD.url), "asked")
    streamed = assembled(*events, event({}, reason), DONE)
    assert (streamed.text, streamed.tool_calls) == (whole.text, whole.tool_calls)
    assert streamed.finish_reason == whole.finish_reason


def test_an_id_made_up_is_the_same_for_the_same_answer_and_another_for_another() -> None:
    def made(arguments: str) -> str:
        entry = {"index": 0, "function": {"name": "now", "arguments": arguments}}
        return assembled(event({"tool_calls": [entry]}, "tool_calls"), DONE).tool_calls[0].id

    assert made("{}") == made("{}") != made('{"a":1}')


def test_counts_and_names_come_from_whichever_chunk_has_them() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    streamed = assembled(
        event({"content": "Hi"}, model="m-1", id="c"),
        event({}, "stop", usage=usage),
        event({}, "stop", usage=None),
        DONE,
    )
    assert (streamed.usage.input_tokens, streamed.usage.output_tokens) == (3, 4)
    assert (streamed.model, streamed.raw_response["id"]) == ("m-1", "c")


@pytest.mark.parametrize("reason", ["length", "content_filter", "max_tokens"])
@pytest.mark.parametrize("later", ["stop", "tool_calls"])
def test_no_later_reason_makes_good_what_was_cut(reason: str, later: str) -> None:
    with pytest.raises(LLMError):
        assembled(event({"content": "Hi"}, reason), event({}, later), DONE)


@pytest.mark.parametrize("is_delimited", [True, False])
def test_without_a_reason_it_is_not_whole_however_it_ended(is_delimited: bool) -> None:
    with pytest.raises(StreamInterruptedError):
        assembled(event({"content": "Hi"}), DONE, is_delimited=is_delimited)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
ODD = st.fixed_dictionaries(
    {},
    optional={
        "choices": JSON
        | st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "index": JSON,
                    "finish_reason": JSON | st.just("stop"),
                    "delta": JSON
                    | st.fixed_dictionaries(
                        {},
                        optional={
                            "content": JSON,
                            "refusal": JSON,
                            "tool_calls": JSON
                            | st.lists(
                                st.fixed_dictionaries(
                                    {},
                                    optional={
                                        "index": JSON,
                                        "id": JSON,
                                        "function": JSON
                                        | st.fixed_dictionaries(
                                            {}, optional={"name": JSON, "arguments": JSON}
                                        ),
                                    },
                                )
                            ),
                        },
                    ),
                },
            )
        ),
        "usage": JSON,
        "model": JSON,
        "error": JSON,
    },
)


@given(st.lists(ODD, max_size=4))
def test_whatever_json_comes_it_is_an_answer_or_a_typed_error(chunks: list[Any]) -> None:
    events = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    with contextlib.suppress(LLMError):
        assert isinstance(assembled(*events, DONE), LLMResponse)
