"""The tape store's cost table: saving and loading, in a SQLite file, CPU time.

The floor is what the bytes cost alone: a tape's lines made, or read back, in memory.
"""

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

from measure import cpu, paired
from table import Row

from robotape import Tape
from robotape.models.kinds import StepStatus, StepType
from robotape.storage import TapeStore

__all__ = ["rows"]

_numbers = itertools.count()


def rows() -> Iterator[Row]:
    """Every row, measured as it is asked for."""
    with tempfile.TemporaryDirectory() as folder, TapeStore(Path(folder) / "tapes.db") as store:
        yield from thousand(store)
        yield from growth(store)


def _tape(steps: int) -> Tape:
    tape = Tape(tape_id=f"t{next(_numbers)}", author="weather")
    for index in range(steps):
        tape.record(
            StepType.THOUGHT,
            StepStatus.COMPLETED,
            agent="weather",
            node="lookup",
            call_id=f"weather/{index}/tool:lookup[0]",
            attempt=0,
            content={"city": "Rome", "note": "a content of ordinary size, as tools give"},
        )
    return tape


def _renamed(tape: Tape) -> Tape:
    tape.tape_id = f"t{next(_numbers)}"
    return tape


def thousand(store: TapeStore) -> Iterator[Row]:
    """A tape of 1,000 steps: saved new, loaded, found."""
    tape = _tape(1000)
    saved = paired(lambda: store.save_tape(_renamed(tape)), tape.to_bytes, times=10)
    yield Row("save a tape of 1,000 steps, SQLite file, CPU", saved.seconds * 1e3, 40, "ms")
    yield Row("the same, times making its lines", saved.ratio, 5, "x")
    lines = list(tape.jsonl())
    loaded = paired(lambda: store.load_tape(tape.tape_id), lambda: Tape.from_jsonl(lines), times=10)
    yield Row("load a tape of 1,000 steps, SQLite file, CPU", loaded.seconds * 1e3, 40, "ms")
    yield Row("the same, times reading its lines", loaded.ratio, 1.5, "x")
    found = cpu(lambda: store.search_tapes(node="lookup", limit=10), 50)
    yield Row("search by node among 80 tapes, CPU", found * 1e3, 5, "ms")


def growth(store: TapeStore) -> Iterator[Row]:
    """How the cost grows with the tape."""
    small, large = _tape(1000), _tape(16_000)
    saved = paired(
        lambda: store.save_tape(_renamed(large)),
        lambda: store.save_tape(_renamed(small)),
        times=1,
        rounds=5,
    )
    yield Row("save, cost of 16,000 to 16 times that of 1,000", saved.ratio / 16, 1.3, "x")
    loaded = paired(
        lambda: store.load_tape(large.tape_id),
        lambda: store.load_tape(small.tape_id),
        times=1,
        rounds=5,
    )
    yield Row("load, cost of 16,000 to 16 times that of 1,000", loaded.ratio / 16, 1.3, "x")
