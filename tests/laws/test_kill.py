"""Kill -9 at every write of the tape: nothing is repeated, nothing lost, and doubt is said."""

import io
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from robotape import Tape
from robotape.models.steps import StepStatus, StepType
from tests.laws.scripts import broken_laws

PROGRAM = Path(__file__).with_name("killed_agent.py")
Child = Callable[..., str]


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    """Runs the agent in a folder, up to a write; gives what it said, or `killed`."""
    environment = {**os.environ, "PYTHONPATH": ":".join([str(PROGRAM.parents[2]), *sys.path])}
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def run(folder: Path, write: int = 0, moment: str = "") -> str:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([str(folder), write, moment]) + "\n")
        process.stdin.flush()
        return process.stdout.readline().rstrip("\n")

    yield run
    process.communicate()
    assert process.returncode == 0


def ledger(folder: Path) -> list[str]:
    path = folder / "ledger"
    return path.read_text().splitlines() if path.exists() else []


def completed(tape: Tape) -> Counter[str]:
    """Calls by node that the tape says gave a value."""
    return Counter(
        step.node
        for step in tape
        if step.type is StepType.OBSERVATION
        and step.status is StepStatus.COMPLETED
        and step.node != "llm"
    )


def in_doubt(tape: Tape) -> list[str]:
    """Calls begun and not ended that must not be made again."""
    names = ((call_id, call_id.rsplit("/", 1)[-1]) for call_id in tape.pending)
    return [call_id for call_id, name in names if name.startswith("tool:notify[")]


def left_by(folder: Path) -> Tape:
    data = (folder / "tape.jsonl").read_bytes()
    return Tape.from_jsonl(io.BytesIO(data), recover=True) if b"\n" in data else Tape()


def judged(folder: Path, left: Tape, said: str) -> None:
    """What must hold once the run has been resumed and nobody killed it."""
    effects = Counter(ledger(folder))
    assert effects["notify paid"] <= 1, "repeated"
    assert effects["notify closed"] <= 1, "repeated"
    assert len([line for line in effects if line.startswith(("refund", "close"))]) <= 2, "two keys"
    if in_doubt(left):
        assert said == "in doubt notify"
        return
    assert said == "done"
    assert len(effects) == 5, "lost"
    tape = Tape.load(folder / "tape.jsonl")
    assert broken_laws(tape) == []
    assert completed(tape) == {"look": 1, "refund": 1, "notify": 2, "close": 1}
    assert completed(left) <= completed(tape)


def points(child: Child, folder: Path) -> list[tuple[int, str]]:
    """Every write of a run that nobody kills, header included, and the moments around it."""
    folder.mkdir()
    assert child(folder) == "done"
    number = len((folder / "tape.jsonl").read_bytes().splitlines())
    assert number > 20
    return [(write, moment) for write in range(1, number + 1) for moment in ("before", "after")]


def test_kill_at_every_write(child: Child, tmp_path: Path) -> None:
    doubts = 0
    for write, moment in points(child, tmp_path / "alive"):
        folder = tmp_path / f"{write}{moment}"
        folder.mkdir()
        assert child(folder, write, moment) == "killed"
        left = left_by(folder)
        judged(folder, left, child(folder))
        doubts += bool(in_doubt(left))
        # Whoever resumes once more is told the same.
        judged(folder, left, child(folder))
    assert doubts == 4  # of each of two letters: behind its ACTION, before its end


def test_kill_again_while_resuming(child: Child, tmp_path: Path) -> None:
    for write, moment in points(child, tmp_path / "alive"):
        if moment == "before":
            continue
        for again in (1, 2, 3):
            folder = tmp_path / f"{write}.{again}"
            folder.mkdir()
            assert child(folder, write, moment) == "killed"
            child(folder, again, "after")
            judged(folder, left_by(folder), child(folder))


def test_control_without_its_tape_the_run_repeats_its_effects(child: Child, tmp_path: Path) -> None:
    assert child(tmp_path) == "done"
    (tmp_path / "tape.jsonl").unlink()
    assert child(tmp_path) == "done"
    assert Counter(ledger(tmp_path))["notify paid"] == 2


@pytest.mark.parametrize("moment", ["before", "after"])
def test_control_the_child_dies_where_it_is_told(child: Child, tmp_path: Path, moment: str) -> None:
    assert child(tmp_path, 3, moment) == "killed"
    lines = (tmp_path / "tape.jsonl").read_bytes().splitlines()
    assert len(lines) == (2 if moment == "before" else 3)
