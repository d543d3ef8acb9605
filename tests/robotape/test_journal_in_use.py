"""A journal has one writer: another run, in this process or another, is refused."""

import subprocess
import sys
from pathlib import Path

import pytest

from robotape import Tape
from robotape.journal import JournalInUse

OTHER = """
import sys
from robotape import Tape
from robotape.journal import JournalInUse
try:
    Tape.journaled(sys.argv[1])
except JournalInUse:
    print("refused")
else:
    print("let in")
"""


def in_another_process(path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", OTHER, path], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_second_writer_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    first = Tape.journaled(path)
    before = path.read_bytes()
    with pytest.raises(JournalInUse, match=r"run\.jsonl is being written by another run"):
        Tape.journaled(path)
    assert in_another_process(path) == "refused"
    assert path.read_bytes() == before
    first.close()


def test_control_after_the_first_is_closed_the_next_is_let_in(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    Tape.journaled(path).close()
    assert in_another_process(path) == "let in"
    Tape.journaled(path).close()
