"""The tape's file: whole lines or nothing, and every damage named with its line."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from robotape.errors import TapeFormatError
from robotape.journal import FORMAT, Journal, header, read, replace_file, whole_length
from robotape.models.record import Record, encode
from robotape.models.steps import StepStatus, StepType

HEAD = header("run", 7, "desk", None)
LINE = Record(StepType.THOUGHT, StepStatus.COMPLETED, "a", "a", "", 0, 0.0, encode("x")).line()


def entries(data: bytes, *, recover: bool = False) -> list[Any]:
    return list(read(io.BytesIO(data), source="my.jsonl", recover=recover))


def test_a_header_is_read_back() -> None:
    [fields] = entries(HEAD)
    assert fields == {"tape_id": "run", "seed": 7, "author": "desk", "parent_id": None}


def test_lines_are_read_one_at_a_time() -> None:
    class Counting(io.BytesIO):
        taken = 0

        def __next__(self) -> bytes:
            self.taken += 1
            return super().__next__()

    lines = Counting(HEAD + LINE * 5)
    found = read(lines, source="x", recover=False)
    next(found)
    next(found)
    assert lines.taken == 2


def changed(**fields: object) -> bytes:
    return json.dumps({**json.loads(HEAD), **fields}).encode() + b"\n"


DAMAGED: dict[str, tuple[bytes, int, str]] = {
    "empty header": (b"\n" + LINE, 1, "Expecting value"),
    "no tape": (b'{"a": 1}\n', 1, "no tape"),
    "a list": (b"[]\n", 1, "no tape"),
    "a line in place of the header": (LINE, 1, "no tape"),
    "newer": (changed(format=FORMAT + 1) + LINE, 1, "Update robotape"),
    "older": (changed(format=0), 1, "format 0"),
    "lacks the seed": (HEAD.replace(b'"seed"', b'"sead"'), 1, "lacks seed"),
    "a seed that is none": (changed(seed="7"), 1, "seed"),
    "an id that is none": (changed(tape_id=7), 1, "tape_id"),
    "an author that is none": (changed(author=None), 1, "author"),
    "a parent that is none": (changed(parent_id=7), 1, "parent_id"),
    "line 2 cut": (HEAD + LINE[:20] + b"\n" + LINE, 2, "."),
    "line 3 no JSON": (HEAD + LINE + b"garbage\n" + LINE, 3, "Expecting value"),
    "line 3 empty": (HEAD + LINE + b"\n" + LINE, 3, "Expecting value"),
    "line 4 a header": (HEAD + LINE * 2 + HEAD + LINE, 4, "not a step"),
    "line 2 no UTF-8": (HEAD + b"\xff\xfe\n", 2, "decode"),
    "line 2 NUL bytes": (HEAD + b"\x00" * 80 + b"\n", 2, "."),
    "last line cut": (HEAD + LINE + LINE[:-9], 3, "."),
}


@pytest.mark.parametrize(("data", "line", "words"), DAMAGED.values(), ids=DAMAGED)
def test_damage_is_named_with_its_line(data: bytes, line: int, words: str) -> None:
    with pytest.raises(TapeFormatError, match=words) as raised:
        entries(data)
    assert (raised.value.source, raised.value.line) == ("my.jsonl", line)


def test_recovering_lets_a_cut_last_line_go_and_nothing_else() -> None:
    for cut in range(1, len(LINE)):
        assert len(entries(HEAD + LINE + LINE[:cut], recover=True)) == 2
    with pytest.raises(TapeFormatError):
        entries(HEAD + LINE[:20] + b"\n" + LINE, recover=True)


def test_whole_lines_are_counted_in_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert whole_length(path) == 0
    path.write_bytes(b"one\ntw")
    assert whole_length(path) == 4


# -- appending -------------------------------------------------------------------------------------


def test_a_line_is_in_the_file_when_write_returns(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    journal = Journal(path)
    for count in range(1, 4):
        journal.write(b"line\n")
        assert path.read_bytes() == b"line\n" * count
    journal.close()
    journal.close()


def test_writing_goes_on_behind_the_last_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"one\ntwo, cut sho")
    journal = Journal(path)
    journal.write(b"three\n")
    journal.close()
    assert path.read_bytes() == b"one\nthree\n"


def test_the_disk_is_waited_for_if_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.setattr(os, "fsync", calls.append)
    for wanted, expected in ((True, 2), (False, 0)):
        calls.clear()
        journal = Journal(tmp_path / "a.jsonl", fsync=wanted)
        journal.write(b"one\n")
        journal.write(b"two\n")
        journal.close()
        assert len(calls) == expected


class FullDisk:
    """A file on a disk that takes a few bytes of one write, or none, then works again."""

    def __init__(self, file: Any, taken: int | None) -> None:
        self._file = file
        self._taken = taken
        self._has_failed = False

    def write(self, data: bytes) -> int:
        if self._has_failed:
            return int(self._file.write(data))
        self._has_failed = True
        if self._taken is None:
            raise OSError(28, "No space left on device")
        return int(self._file.write(data[: self._taken]))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@pytest.mark.parametrize("taken", [None, 0, 3])
def test_a_full_disk_leaves_no_part_of_a_line(tmp_path: Path, taken: int | None) -> None:
    path = tmp_path / "a.jsonl"
    journal = Journal(path)
    journal.write(b"first\n")
    vars(journal)["_file"] = FullDisk(vars(journal)["_file"], taken)
    with pytest.raises(OSError, match=r"."):
        journal.write(b"second\n")
    journal.write(b"third\n")
    journal.close()
    assert path.read_bytes() == b"first\nthird\n"


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    replace_file(path, [b"one\n", b"two\n"])
    assert path.read_bytes() == b"one\ntwo\n"

    def broken() -> Iterator[bytes]:
        yield b"three\n"
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        replace_file(path, broken())
    assert path.read_bytes() == b"one\ntwo\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_journal_knows_where_the_next_line_begins(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"first\npart of the sec")
    journal = Journal(path)
    assert journal.position == 6
    journal.write(b"second\n")
    assert journal.position == 13 == path.stat().st_size
    journal.close()
