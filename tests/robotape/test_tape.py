"""The tape: append-only, lawful, the same bytes for the same run, and safe in its file."""

import asyncio
import itertools
import json
import os
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape.errors import ProtocolError, TapeFormatError
from robotape.models.record import Record, encode
from robotape.models.steps import StepStatus, StepType
from robotape.runtime import Run, Scope
from robotape.tape import Step, StepMetadata, Tape, tape_of
from tests.laws.scripts import broken_laws, simulated

ACTION, THOUGHT = StepType.ACTION, StepType.THOUGHT
OBSERVATION, ERROR = StepType.OBSERVATION, StepType.ERROR
PENDING, COMPLETED = StepStatus.PENDING, StepStatus.COMPLETED


def write(tape: Tape, type: StepType, content: object = None, **options: Any) -> Record:
    status = PENDING if type is ACTION else COMPLETED
    return tape.record(
        type, status, **{"agent": "desk", "node": "a", "content": content, **options}
    )


def timeless(seed: int) -> Run:
    async def begun() -> Run:
        return Run(seed)

    return simulated(begun())


def filled(number: int = 3, *, tape: Tape | None = None) -> Tape:
    tape = Tape() if tape is None else tape
    if not tape.tape_id:
        tape.attach(timeless(7), "desk")
    for index in range(len(tape) // 2, len(tape) // 2 + number):
        write(tape, ACTION, {"n": index}, call_id=f"c{index}", attempt=1)
        write(tape, OBSERVATION, {"é": [index]}, call_id=f"c{index}", attempt=1)
    return tape


# -- protocol --------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [OBSERVATION, ERROR])
def test_an_attempt_has_one_terminator(end: StepType) -> None:
    tape = Tape()
    write(tape, ACTION, call_id="c", attempt=1)
    assert tape.pending == {"c": 1}
    write(tape, end, call_id="c", attempt=1)
    assert tape.pending == {}
    for again in (OBSERVATION, ERROR):
        with pytest.raises(ProtocolError, match=r"attempt 1 is not open"):
            write(tape, again, call_id="c", attempt=1)


@pytest.mark.parametrize("end", [OBSERVATION, ERROR])
def test_an_attempt_that_has_ended_is_not_begun_again(end: StepType) -> None:
    tape = Tape()
    for attempt in (1, 2):
        write(tape, ACTION, call_id="c", attempt=attempt)
        write(tape, end, call_id="c", attempt=attempt)
    for again in (1, 2):
        with pytest.raises(ProtocolError, match=rf"attempt {again} was made before: .* was 2"):
            write(tape, ACTION, call_id="c", attempt=again)
    assert len(tape) == 4
    assert Tape.from_jsonl(tape.jsonl()).pending == {}


def test_a_file_in_which_an_attempt_is_made_twice_is_damaged() -> None:
    tape = filled(1)
    head, *pair = tape.jsonl()
    with pytest.raises(TapeFormatError, match="line 4: c0: attempt 1 was made before"):
        Tape.from_jsonl([head, *pair, *pair])


def test_a_tape_that_lets_go_of_its_steps_remembers_the_newest_calls(tmp_path: Path) -> None:
    with closing(Tape.journaled(tmp_path / "a.tape.jsonl", keep=4)) as tape:
        write(tape, ACTION, call_id="open", attempt=1)
        filled(100, tape=tape)
        assert tape.pending == {"open": 1}
        for index in range(96, 100):
            with pytest.raises(ProtocolError, match="was made before"):
                write(tape, ACTION, call_id=f"c{index}", attempt=1)
        assert len(tape._attempts._last) <= 10


def test_what_the_journal_refuses_has_not_happened(tmp_path: Path) -> None:
    tape = Tape.journaled(tmp_path / "a.tape.jsonl")
    write(tape, ACTION, call_id="c", attempt=1)
    tape.close()
    for type, attempt in ((ACTION, 1), (OBSERVATION, 1)):
        with pytest.raises((ValueError, OSError, ProtocolError)):
            write(tape, type, call_id="d" if type is ACTION else "c", attempt=attempt)
    assert tape.pending == {"c": 1}
    assert len(tape) == 1


def test_an_attempt_is_not_begun_twice() -> None:
    tape = Tape()
    write(tape, ACTION, call_id="c", attempt=1)
    with pytest.raises(ProtocolError, match="no terminator yet"):
        write(tape, ACTION, call_id="c", attempt=2)


@pytest.mark.parametrize("type", [OBSERVATION, ERROR, THOUGHT])
def test_nothing_comes_of_an_attempt_that_was_not_begun(type: StepType) -> None:
    tape = Tape()
    with pytest.raises(ProtocolError):
        write(tape, type, call_id="c", attempt=1)
    write(tape, ACTION, call_id="c", attempt=1)
    with pytest.raises(ProtocolError):
        write(tape, type, call_id="c", attempt=2)
    assert len(tape) == 1


moves = st.lists(
    st.tuples(
        st.sampled_from([ACTION, OBSERVATION, ERROR, THOUGHT]),
        st.sampled_from("ab"),
        st.integers(1, 2),
    ),
    max_size=20,
)


@given(moves)
def test_whatever_is_tried_the_tape_stays_lawful(tried: list[tuple[StepType, str, int]]) -> None:
    tape = Tape()
    for type, call_id, attempt in tried:
        try:
            write(tape, type, call_id=call_id, attempt=attempt)
        except ProtocolError:
            continue
    assert [law for law in broken_laws(tape) if "no terminator" not in law] == []
    assert Tape.from_jsonl(tape.jsonl()).pending == tape.pending


def test_control_the_judge_of_protocols_sees_what_is_wrong() -> None:
    def judged(*types: StepType) -> list[str]:
        status = {ACTION: PENDING}
        return broken_laws(
            Record(type, status.get(type, COMPLETED), "a", "n", "c", 1, 0.0, b"1") for type in types
        )

    assert judged(ACTION, OBSERVATION) == []
    assert judged(ACTION) == ["c: no terminator"]
    assert judged(ACTION, OBSERVATION, ERROR) == ["c: a terminator of nothing"]
    assert judged(ACTION, ACTION, OBSERVATION) == ["c: begun twice"]


def test_what_is_written_down_does_not_change_with_its_source() -> None:
    content = {"amounts": [1]}
    tape = Tape()
    write(tape, THOUGHT, content)
    content["amounts"].append(2)
    assert tape[0].value == {"amounts": [1]}
    tape.steps[0].content["amounts"].append(3)
    assert tape.steps[0].content == {"amounts": [1]}


# -- identity, digest ------------------------------------------------------------------------------


def test_same_run_same_bytes() -> None:
    assert filled().to_bytes() == filled().to_bytes()


def test_control_another_seed_gives_other_bytes_and_the_same_digest() -> None:
    other = Tape()
    other.attach(timeless(8), "desk")
    filled(tape=other)
    assert other.to_bytes() != filled().to_bytes()
    assert other.digest() == filled().digest()


def test_the_digest_ignores_times_and_ids_and_sees_contents() -> None:
    async def late(seed: int, said: str) -> str:
        tape = Tape()
        tape.attach(Run(seed), "desk")
        await asyncio.sleep(seed)
        write(tape, ACTION, {"said": said}, call_id=f"c{seed}", attempt=1, facts={"key": str(seed)})
        return tape.digest()

    assert simulated(late(1, "x")) == simulated(late(2, "x"))
    assert simulated(late(1, "x")) != simulated(late(1, "y"))


def test_the_digest_does_not_depend_on_the_order_of_keys() -> None:
    left, right = Tape(), Tape()
    write(left, THOUGHT, {"a": 1, "b": 2})
    write(right, THOUGHT, {"b": 2, "a": 1})
    assert left.digest() == right.digest()


def test_instants_count_from_the_runs_start() -> None:
    async def main() -> list[float]:
        await asyncio.sleep(1_000)
        tape = Tape()
        tape.attach(Run(1), "desk")
        write(tape, THOUGHT)
        await asyncio.sleep(2)
        write(tape, THOUGHT)
        again = Tape.from_jsonl(tape.jsonl())
        await asyncio.sleep(500)
        again.attach(Run(1), "desk")
        await asyncio.sleep(3)
        write(again, THOUGHT)
        return [entry.at for entry in again]

    assert simulated(main()) == [0.0, 2.0, 5.0]


# -- asking ----------------------------------------------------------------------------------------


def test_steps_are_asked_for_by_their_properties() -> None:
    tape = filled(2)
    write(tape, THOUGHT, "hm", agent="planner", node="planner")
    assert [step.type for step in tape.steps] == [ACTION, OBSERVATION, ACTION, OBSERVATION, THOUGHT]
    assert len(tape.get_steps_by_type(ACTION)) == 2
    assert [step.content for step in tape.get_steps_by_agent("planner")] == ["hm"]
    assert [step.content for step in tape.query(type=ACTION, call_id="c1")] == [{"n": 1}]
    assert tape.query(status=PENDING, node="b") == []
    last = tape.get_last_step()
    assert last is not None
    assert last == tape.steps[-1]
    assert len({step.metadata.id for step in tape.steps}) == 5
    assert Tape().get_last_step() is None


def test_a_users_own_step_is_kept_whole() -> None:
    tape = filled(1)
    mine = Step(
        type=THOUGHT,
        content={"plan": 1},
        metadata=StepMetadata(agent="me", node="planner", prompt_id="p-7"),
        status=StepStatus.IN_PROGRESS,
    )
    tape.append(mine)
    [*_, kept] = Tape.from_jsonl(tape.jsonl()).steps
    assert (kept.type, kept.content, kept.status) == (mine.type, mine.content, mine.status)
    assert (kept.metadata.agent, kept.metadata.node) == ("me", "planner")


def test_a_branch_begins_as_its_parent_and_goes_its_own_way() -> None:
    tape = filled(3)
    twin = tape.branch(3)
    assert [entry.content for entry in twin] == [entry.content for entry in tape][:3]
    assert twin.metadata.parent_id == tape.tape_id
    assert twin.tape_id not in ("", tape.tape_id)
    assert twin.pending == {"c1": 1}
    write(twin, ERROR, call_id="c1", attempt=1)
    assert (len(twin), len(tape), tape.pending) == (4, 6, {})
    assert tape.clone().digest() == tape.digest()


@pytest.mark.parametrize("length", [-1, 7])
def test_a_branch_cannot_be_longer_than_its_tape(length: int) -> None:
    with pytest.raises(ValueError, match="6 steps"):
        filled(3).branch(length)


def test_the_whole_tape_is_one_json_object() -> None:
    tape = filled(2)
    document = json.loads(tape.model_dump_json(indent=2))
    assert document["metadata"]["tape_id"] == tape.tape_id
    assert [Step.model_validate(step) for step in document["steps"]] == tape.steps


def test_outside_a_run_there_is_no_tape() -> None:
    assert tape_of(None) is None
    assert tape_of(Scope(Run(1))) is None


# -- files -----------------------------------------------------------------------------------------


def test_a_tape_is_read_back_byte_for_byte(tmp_path: Path) -> None:
    tape = filled()
    tape.save(tmp_path / "a.jsonl")
    again = Tape.load(tmp_path / "a.jsonl")
    assert again.to_bytes() == tape.to_bytes() == (tmp_path / "a.jsonl").read_bytes()
    assert again.metadata == tape.metadata
    assert list(Tape.stream(tmp_path / "a.jsonl")) == tape.steps


@pytest.mark.parametrize("where", ["first line", "third line", "fsync", "replace"])
def test_a_save_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    path = tmp_path / "a.jsonl"
    filled(1).save(path)
    before = path.read_bytes()
    tape = filled(5)

    def stop(*_: object) -> None:
        raise OSError("no space")

    def cut(lines: Iterator[bytes], number: int) -> Iterator[bytes]:
        yield from itertools.islice(lines, number)
        stop()

    if where == "fsync":
        monkeypatch.setattr(os, "fsync", stop)
    elif where == "replace":
        monkeypatch.setattr(Path, "replace", stop)
    else:
        number = 0 if where == "first line" else 2
        monkeypatch.setattr(tape, "jsonl", lambda: cut(Tape.jsonl(tape), number))
    with pytest.raises(OSError, match="no space"):
        tape.save(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.jsonl"]


def test_control_a_save_that_succeeds_replaces_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    filled(1).save(path)
    filled(5).save(path)
    assert path.read_bytes() == filled(5).to_bytes()


def test_a_cut_tape_is_refused_or_recovered() -> None:
    data = filled(2).to_bytes()
    ends = [index + 1 for index, byte in enumerate(data) if byte == ord("\n")]
    for cut in range(len(data)):
        lines = data[:cut].splitlines(keepends=True)
        whole = sum(end <= cut for end in ends)
        if whole:
            assert len(Tape.from_jsonl(lines, recover=True)) == whole - 1
        if cut not in ends and cut + 1 not in ends:
            with pytest.raises(TapeFormatError) as raised:
                Tape.from_jsonl(lines)
            assert raised.value.line == whole + 1


def test_a_tape_that_breaks_the_protocol_is_refused_with_its_line() -> None:
    lines = list(filled(2).jsonl())
    with pytest.raises(TapeFormatError, match="not open") as raised:
        Tape.from_jsonl([*lines, lines[-1]])
    assert raised.value.line == 6
    with pytest.raises(TapeFormatError, match="no terminator yet"):
        Tape.from_jsonl([*lines[:2], lines[1]])


def test_a_stream_takes_constant_memory(tmp_path: Path) -> None:
    def peak(number: int) -> int:
        path = tmp_path / f"{number}.jsonl"
        with path.open("wb") as out:
            lines = filled(1).jsonl()
            out.write(next(lines))
            pair = b"".join(lines)
            for _ in range(number // 2):
                out.write(pair)
        tracemalloc.start()
        assert sum(1 for _ in Tape.stream(path)) == number
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(100)  # what pydantic builds at first use
    assert peak(20_000) < 2 * peak(1_000) + 100_000


def test_control_a_tape_in_memory_does_grow() -> None:
    def peak(number: int) -> int:
        tracemalloc.start()
        tape = filled(number)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(tape) == 2 * number
        return highest

    assert peak(5_000) > 10 * peak(200)


# -- journaled -------------------------------------------------------------------------------------


def test_a_journaled_tape_is_in_its_file_at_every_moment(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    tape = Tape.journaled(path)
    tape.attach(Run(7), "desk")
    for index in range(4):
        write(tape, ACTION, index, call_id=f"c{index}", attempt=1)
        assert path.read_bytes() == tape.to_bytes()
        write(tape, OBSERVATION, index, call_id=f"c{index}", attempt=1)
        assert path.read_bytes() == tape.to_bytes()
    tape.close()


def test_a_journal_survives_being_cut_at_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    data = filled(2).to_bytes()
    head = data.index(b"\n") + 1
    for cut in range(len(data) + 1):
        path.write_bytes(data[:cut])
        tape = Tape.journaled(path)
        kept = data[:cut].count(b"\n")
        assert len(tape) == max(kept - 1, 0)
        assert tape.tape_id == (Run(7).run_id if cut >= head else "")
        tape.attach(Run(7), "desk")
        write(tape, THOUGHT, "on it goes")
        tape.close()
        again = Tape.load(path)
        assert again.to_bytes() == path.read_bytes() == tape.to_bytes()
        assert again[len(again) - 1].value == "on it goes"


def test_a_damaged_journal_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    data = filled(2).to_bytes().replace(b'"pending"', b'"panding"')
    path.write_bytes(data)
    with pytest.raises(TapeFormatError, match="line 2"):
        Tape.journaled(path)
    assert path.read_bytes() == data


def test_a_step_the_journal_cannot_take_is_not_on_the_tape(tmp_path: Path) -> None:
    tape = Tape.journaled(tmp_path / "a.jsonl")
    tape.attach(Run(7), "desk")
    tape.close()
    with pytest.raises(ValueError, match="closed"):
        write(tape, ACTION, call_id="c", attempt=1)
    assert (len(tape), tape.pending) == (0, {})


def test_memory_per_step_is_small() -> None:
    content = encode({"order_id": "42"})
    tracemalloc.start()
    tape = Tape()
    for index in range(5_000):
        tape.record(THOUGHT, COMPLETED, agent="desk", node="a", content={"order_id": str(index)})
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert content
    assert size / len(tape) < 400  # bytes; 100,000 steps in 80 MiB leave 838
