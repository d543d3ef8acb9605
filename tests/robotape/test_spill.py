"""A tape that spills keeps its newest steps in memory and is, asked anything, the same tape."""

import gc
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from robotape import LLMAgent, Tool
from robotape.errors import TapeFormatError
from robotape.models.steps import StepStatus, StepType
from robotape.spill import Counted, Spill
from robotape.tape import Tape
from robotape_harness import ScriptedLLM, call, say
from tests.laws.scripts import simulated

LENGTHS = (0, 1, 2, 3, 254, 255, 256, 257, 511, 512, 600)


def fill(tape: Tape, start: int, stop: int) -> None:
    for index in range(start, stop):
        tape.record(
            StepType.THOUGHT,
            StepStatus.COMPLETED,
            agent="a",
            node="n",
            content={"n": index},
            facts={"odd": index % 2},
        )


def pair(folder: Path, length: int, keep: int = 3) -> tuple[Tape, Tape]:
    """The same steps on a tape that spills and on one that does not."""
    spilling, whole = Tape.journaled(folder / "t.jsonl", keep=keep), Tape()
    for tape in (spilling, whole):
        fill(tape, 0, length)
    return spilling, whole


@pytest.mark.parametrize("length", LENGTHS)
def test_it_is_the_same_tape(length: int, tmp_path: Path) -> None:
    spilling, whole = pair(tmp_path, length)
    assert len(spilling) == len(whole) == length
    assert list(spilling) == list(whole)
    assert spilling.digest() == whole.digest()
    assert [spilling[index] for index in range(-length, length)] == [*whole, *whole]
    assert spilling.to_bytes() == whole.to_bytes()
    assert spilling.steps == whole.steps
    assert spilling.get_last_step() == whole.get_last_step()
    spilling.close()


@pytest.mark.parametrize("length", [*LENGTHS[1:], 1000])
@pytest.mark.parametrize("keep", [1, 3, 256, 5000])
def test_an_existing_file_is_gone_on_with(length: int, keep: int, tmp_path: Path) -> None:
    first, whole = pair(tmp_path, length)
    first.close()
    again = Tape.journaled(tmp_path / "t.jsonl", keep=keep)
    fill(again, length, length + 3)
    fill(whole, length, length + 3)
    assert list(again) == list(whole)
    assert [again[index].value["n"] for index in range(len(again))] == list(range(length + 3))
    assert again.digest() == whole.digest()
    again.close()


def test_what_a_crash_cut_short_is_dropped_and_written_over(tmp_path: Path) -> None:
    first, whole = pair(tmp_path, 300)
    first.close()
    path = tmp_path / "t.jsonl"
    path.write_bytes(path.read_bytes() + b'{"type":"thou')
    again = Tape.journaled(path, keep=2)
    fill(again, 300, 400)
    fill(whole, 300, 400)
    assert list(again) == list(whole)
    again.close()


def test_a_step_taken_while_one_reads_is_read_too(tmp_path: Path) -> None:
    spilling, _ = pair(tmp_path, 10)
    seen = []
    for entry in spilling:
        seen.append(entry.value["n"])
        if len(spilling) < 20:
            fill(spilling, len(spilling), len(spilling) + 1)
    assert seen == list(range(20))
    spilling.close()


@pytest.mark.parametrize("index", [5, -6, 10**9])
def test_there_is_no_step_beyond_either_end(index: int, tmp_path: Path) -> None:
    spilling, _ = pair(tmp_path, 5)
    with pytest.raises(IndexError, match="the tape has 5 steps"):
        spilling[index]
    spilling.close()


def test_a_branch_holds_what_it_branched_from(tmp_path: Path) -> None:
    spilling, whole = pair(tmp_path, 50)
    assert list(spilling.branch(20)) == list(whole)[:20]
    assert list(spilling.clone()) == list(whole)
    spilling.close()


def test_it_can_be_read_once_it_is_closed(tmp_path: Path) -> None:
    spilling, whole = pair(tmp_path, 50)
    spilling.close()
    assert list(spilling) == list(whole)


def test_a_file_that_somebody_damaged_is_named_with_the_line(tmp_path: Path) -> None:
    spilling, _ = pair(tmp_path, 50)
    spilling.close()
    path = tmp_path / "t.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[10] = b"#" * (len(lines[10]) - 1) + b"\n"
    path.write_bytes(b"".join(lines))
    with pytest.raises(TapeFormatError, match=r"t\.jsonl, line 11") as raised:
        list(spilling)
    assert raised.value.line == 11
    assert spilling[40].value == {"n": 40}


def test_it_keeps_at_least_one_step(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="keep=0"):
        Tape.journaled(tmp_path / "t.jsonl", keep=0)
    assert list(tmp_path.iterdir()) == []


def test_places_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"one\ntwo\n")
    lines = Counted(path)
    assert [(line, lines.position) for line in lines] == [(b"one\n", 4), (b"two\n", 8)]
    assert len(Spill(path, 1, lines)) == 0


async def note(text: str) -> str:
    """Take a note."""
    return text


def agent(turns: int) -> LLMAgent:
    calls = [call("note", text=f"number {turn}") for turn in range(turns)]
    return LLMAgent("clerk", ScriptedLLM(*calls, say("Done.")), tools=[Tool(note)], max_turns=99)


def test_a_run_on_a_spilling_tape_gives_the_same_bytes(tmp_path: Path) -> None:
    tape = Tape.journaled(tmp_path / "t.jsonl", keep=4)
    simulated(agent(20).run("go", tape=tape, seed=5))
    assert tape.to_bytes() == simulated(agent(20).run("go", seed=5)).tape.to_bytes()
    assert tape.to_bytes() == (tmp_path / "t.jsonl").read_bytes()
    tape.close()


def test_an_interrupted_run_goes_on_from_a_spilling_tape(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    whole = simulated(agent(20).run("go", seed=5)).tape.to_bytes()
    lines = whole.splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:41]))  # up to the end of a turn
    tape = Tape.journaled(path, keep=4)
    result: Any = simulated(agent(20).run("go", tape=tape))
    assert result.output == "Done."
    assert tape.digest() == Tape.from_jsonl(lines).digest()
    tape.close()


def held(tape: Tape) -> int:
    gc.collect()
    tracemalloc.start()
    fill(tape, 0, 5000)
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    tape.close()
    return size


def test_memory_does_not_grow_with_the_tape(tmp_path: Path) -> None:
    assert held(Tape.journaled(tmp_path / "t.jsonl", keep=10)) < 50_000


def test_control_without_a_limit_it_does(tmp_path: Path) -> None:
    assert held(Tape.journaled(tmp_path / "t.jsonl")) > 1_000_000
