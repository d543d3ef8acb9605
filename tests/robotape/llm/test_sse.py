"""The event stream parser, against one that has all bytes at once."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape.llm.sse import Event, SseError, SseParser


def reference(data: bytes, errors: str = "strict") -> list[Event]:
    """The standard, read top to bottom, with the whole stream in hand."""
    lines = re.split(r"\r\n|\r|\n", data.decode(errors=errors).removeprefix("\ufeff"))
    events, name, found = [], "", list[str]()
    for line in lines[:-1]:
        field, colon, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if found:
                events.append(Event(name, "\n".join(found)))
            name, found = "", []
        elif colon and not field:
            continue
        elif field == "data":
            found.append(value)
        elif field == "event":
            name = value
    return events


def parsed(data: bytes, cuts: list[int]) -> list[Event]:
    parser = SseParser()
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    parts = [data[start:end] for start, end in pairwise(edges)]
    return [event for part in parts for event in parser.feed(part)]


ENDS = st.sampled_from(["\n", "\r", "\r\n", "\n\n", "\r\r", "\r\n\r\n", "\r\n\n", "\n\r"])
TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(list(":\ufeff {}ü\0")))
FIELDS = st.sampled_from(["data", "data:", "data: ", "event: ", "event", "id: ", "retry:", ":", ""])
STREAMS = st.lists(st.tuples(FIELDS, TEXT, ENDS)).map(
    lambda lines: "".join(map("".join, lines)).encode()
)


@given(st.sampled_from([b"", b"\xef\xbb\xbf"]), STREAMS, st.lists(st.integers(0, 10**6)))
def test_the_events_do_not_depend_on_how_the_bytes_were_cut(
    start: bytes, data: bytes, cuts: list[int]
) -> None:
    assert parsed(start + data, cuts) == reference(start + data)


@given(STREAMS)
def test_byte_by_byte_each_event_comes_with_its_last_byte(data: bytes) -> None:
    parser = SseParser()
    seen: list[Event] = []
    for length in range(len(data)):
        seen += parser.feed(data[length : length + 1])
        # A letter of which not all bytes are here is part of no whole line yet.
        assert seen == reference(data[: length + 1], errors="ignore")


@given(st.binary(), st.lists(st.integers(0, 10**6)))
def test_any_bytes_are_events_or_an_error(data: bytes, cuts: list[int]) -> None:
    try:
        parsed(data, cuts)
    except SseError:
        with pytest.raises(UnicodeDecodeError):
            data.decode()


def test_a_letter_cut_in_two_is_whole_again() -> None:
    data = "data: Grüß Gott\n\n".encode()
    for cut in range(len(data)):
        assert parsed(data, [cut]) == [Event("", "Grüß Gott")]


def test_bytes_that_are_no_text_are_an_error_where_they_come() -> None:
    feeding = SseParser().feed(b"data: 1\n\ndata: \xff\n\n")
    assert next(feeding) == Event("", "1")
    with pytest.raises(SseError, match="not UTF-8"):
        next(feeding)


def test_an_unfinished_event_is_none() -> None:
    assert parsed(b"data: 1\n\ndata: 2\n", []) == [Event("", "1")]


def test_nothing_fed_changes_nothing() -> None:
    parser = SseParser()
    assert [list(parser.feed(part)) for part in (b"data: 1\r", b"", b"\n", b"", b"\r")] == [
        *([[]] * 4),
        [Event("", "1")],
    ]


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize(
    "line", [b"data: x\n", b"data: " + b"x" * 200, b"x" * 200], ids=["lines", "a line", "no field"]
)
def test_an_event_without_end_is_an_error(line: bytes, size: int) -> None:
    parser = SseParser(limit=100)
    data = line * 20
    with pytest.raises(SseError, match="larger than 100 bytes"):
        for start in range(0, len(data), size):
            list(parser.feed(data[start : start + size]))


def test_control_many_events_and_comments_are_no_large_one() -> None:
    parser = SseParser(limit=100)
    data = b": a comment that keeps the connection alive\n" * 50 + b"data: 1234567890\n\n" * 50
    assert len(list(parser.feed(data))) == 50


def test_a_long_line_in_small_parts_costs_no_more_than_its_bytes() -> None:
    parser = SseParser()
    for _ in range(200_000):  # joined anew each time, this would take minutes
        list(parser.feed(b"x"))
    assert list(parser.feed(b"\n\ndata: 1\n\n")) == [Event("", "1")]
