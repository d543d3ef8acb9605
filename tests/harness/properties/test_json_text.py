"""JSON text: the same value in many spellings, and what is no JSON any more."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape.errors import ToolInputError
from robotape_harness.properties.arguments import json_values
from robotape_harness.properties.json_text import Literal, Twins, as_sent, pieces, spellings, write
from tests.harness.properties.kinds import tool_of


@given(json_values())
def test_sound_values_are_written_as_json_writes_them(value: Any) -> None:
    assert write(value) == json.dumps(value)


@given(json_values())
def test_every_spelling_means_the_same(value: Any) -> None:
    assert all(json.loads(text) == value for text in spellings(value))


def test_what_json_has_not_is_written_all_the_same() -> None:
    assert write({"a": [Literal("NaN"), Twins((("b", 1), ("b", 2)))]}) == (
        '{"a": [NaN, {"b": 1, "b": 2}]}'
    )


@given(st.text("aé\U0001f600", max_size=6), st.lists(st.integers(0, 99)))
def test_pieces_are_the_text_again(text: str, cuts: list[int]) -> None:
    assert b"".join(pieces(text, cuts)).decode() == text


def test_control_a_piece_may_end_within_a_character() -> None:
    assert pieces("é", [1]) == [b"\xc3", b"\xa9"]


@given(st.data())
def test_what_is_no_json_object_is_refused(data: st.DataObject) -> None:
    text, _ = data.draw(as_sent({"value": 7, "other": 1}))
    with pytest.raises(ToolInputError):
        tool_of(int).parser.parse(text)
