"""Chunks: lines laid together in order and without gaps; what is missing or altered is named."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape.storage import chunks as module
from robotape.storage.chunks import CHUNK_STEPS, Chunk, checksum, cut, lines_of, stray

LINES = [b'{"n":%d}\n' % number for number in range(CHUNK_STEPS * 2 + 10)]
sizes = st.lists(st.sampled_from([1, 500, 1000, 3000]), max_size=12)


@given(st.integers(0, len(LINES)), st.integers(0, 1000))
def test_lines_come_back_in_order(count: int, first: int) -> None:
    chunks = list(cut(LINES[:count], first))
    assert b"".join(chunk.lines for chunk in chunks) == b"".join(LINES[:count])
    ends = [first, *(chunk.place.first + chunk.place.steps for chunk in chunks)]
    assert [chunk.place.first for chunk in chunks] == ends[:-1]
    assert ends[-1] == first + count
    assert all(0 < chunk.place.steps <= CHUNK_STEPS for chunk in chunks)


@given(sizes)
def test_no_chunk_goes_on_beyond_its_size(sizes: list[int]) -> None:
    lines = [b"x" * (size - 1) + b"\n" for size in sizes]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK_BYTES", 1000)
        chunks = list(cut(lines, 0))
    for chunk in chunks:
        last = chunk.lines.splitlines(keepends=True)[-1]
        assert len(chunk.lines) - len(last) < 1000
    assert list(lines_of(chunks, len(lines))) == lines


@given(st.integers(0, len(LINES)), st.integers(0, len(LINES)))
def test_lines_begin_with_their_beginning(count: int, more: int) -> None:
    kept = [chunk.place for chunk in cut(LINES[:count], 0)]
    assert stray(LINES[: max(count, more)], kept) is None


@given(st.integers(0, 500))
def test_the_first_place_that_differs_is_told(index: int) -> None:
    kept = [chunk.place for chunk in cut(LINES, 0)]
    place = stray([*LINES[:index], b"{}\n", *LINES[index + 1 :]], kept)
    assert place is not None
    assert place.first <= index < place.first + place.steps


CHUNKS = list(cut(LINES, 0))
OTHER = LINES[CHUNK_STEPS].replace(b"n", b"m") + b"".join(LINES[CHUNK_STEPS + 1 : 2 * CHUNK_STEPS])
DAMAGED = {
    "first missing": (CHUNKS[1:], "steps from 0 on are missing"),
    "one missing": ([CHUNKS[0], CHUNKS[2]], f"steps from {CHUNK_STEPS} on are missing"),
    "last missing": (CHUNKS[:2], f"there are {2 * CHUNK_STEPS} steps of {len(LINES)}"),
    "altered": (
        [CHUNKS[0], replace(CHUNKS[1], lines=OTHER), CHUNKS[2]],
        f"steps from {CHUNK_STEPS} on are damaged",
    ),
}


@pytest.mark.parametrize(("chunks", "words"), DAMAGED.values(), ids=DAMAGED)
def test_damage_is_named(chunks: list[Chunk], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        list(lines_of(chunks, len(LINES)))


def test_control_what_is_whole_passes() -> None:
    assert list(lines_of(CHUNKS, len(LINES))) == LINES
    assert checksum(b"a") != checksum(b"b")
