"""Plain values out of answers: what is none is refused or counted as nothing."""

import json
from typing import Any

import pytest
from multidict import CIMultiDict
from yarl import URL

from robotape.errors import MalformedReplyError
from robotape.http import HttpReply
from robotape.llm.wire_values import count_of, json_object, told_apart
from robotape.models.messages import ToolCall


def reply(body: bytes) -> HttpReply:
    return HttpReply(200, CIMultiDict[str](), body, URL("https://h.example/"))


def test_an_object_is_read() -> None:
    assert json_object(reply(json.dumps({"a": "ü"}).encode())) == {"a": "ü"}


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"null", b"{", b'{"a":"\xff"}', b"[" * 10**5])
def test_anything_else_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedReplyError):
        json_object(reply(body))


@pytest.mark.parametrize(
    ("value", "count"), [(3, 3), (0, 0), (-1, 0), (True, 0), (1.5, 0), ("3", 0), (None, 0)]
)
def test_a_count_is_one(value: Any, count: int) -> None:
    assert count_of(value) == count


def test_calls_are_told_apart_by_their_ids() -> None:
    one, other = ToolCall("a", "{}", "1"), ToolCall("a", "{}", "2")
    assert told_apart([one, other], reply(b"")) == (one, other)
    with pytest.raises(MalformedReplyError, match="one id"):
        told_apart([one, ToolCall("b", "{}", "1")], reply(b""))
