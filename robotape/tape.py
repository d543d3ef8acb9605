"""The tape: the append-only record of one run, and the single source of truth about it.

It keeps and guards steps; what they mean is the corridor's business. Each attempt of
a call is one pending ACTION followed by exactly one terminator, and the tape refuses
anything else.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from robotape import models
from robotape.attempts import Attempts
from robotape.errors import ProtocolError, TapeFormatError
from robotape.journal import Journal, header, read, replace_file
from robotape.models.cleaning import clean
from robotape.models.kinds import StepStatus, StepType
from robotape.models.record import OWN_FACTS, OWN_FIELDS, Record, encode
from robotape.runtime import Run, Scope, derive
from robotape.secrets import redactor
from robotape.spill import Counted, Spill

if TYPE_CHECKING:
    from robotape.models.steps import Step, StepMetadata, TapeMetadata

__all__ = ["Step", "StepMetadata", "StepType", "Tape", "TapeMetadata", "tape_of"]

_TAPE = "tape"


class Tape:
    """The steps of one run, in the order they happened.

    Guarantee: the same run under the same seed gives the same bytes. Not for use by
    several threads at once.
    """

    def __init__(
        self,
        *,
        tape_id: str = "",
        author: str = "",
        seed: int = 0,
        parent_id: str | None = None,
        journal: Journal | None = None,
    ) -> None:
        """Begin an empty tape; a run that is given one fills in its identity.

        Args:
            journal: Where each step is written as it is appended, before the call it
                announces is made.
        """
        self.tape_id = tape_id
        self.author = author
        self.seed = seed
        self.parent_id = parent_id
        self._journal = journal
        self._records: list[Record] | Spill = []
        self._attempts = Attempts()
        # The run's clock and not the run, which holds the tape: a circle would leave every
        # tape to the garbage collector.
        self._clock: Callable[[], float] | None = None
        self._epoch = 0.0
        self._places = 0
        # Whether a run gave it its identity; then its file, if it has one, has a header.
        self.is_begun = False

    def attach(self, run: Run, author: str) -> int:
        """Become the tape of a run; its clock dates the steps from now on.

        Returns:
            A number that no run before it was given here: 0 for the first run of a new tape.
        """
        if not self.tape_id:
            self.tape_id, self.seed, self.author = run.run_id, run.seed, author
        if self._records:
            run.started_at -= self._records[-1].at
        self._clock, self._epoch = run.time, run.started_at
        run.state[_TAPE] = self
        self._begin()
        place = max(self._places, len(self._records))
        self._places = place + 1
        return place

    def _begin(self) -> None:
        if not self.is_begun and self._journal is not None:
            self._journal.write(self._header())
        self.is_begun = True

    # -- writing

    def record(
        self,
        type: StepType,
        status: StepStatus,
        *,
        agent: str,
        node: str,
        content: object,
        call_id: str = "",
        attempt: int = 0,
        facts: dict[str, Any] | None = None,
    ) -> Record:
        """Write a step down, journal first.

        Returns:
            The record, its content already bytes.

        Raises:
            ProtocolError: The step opens an attempt that is open or was made before, or belongs
                to one that is not open.
            OSError: The journal cannot be written; then the step is not on the tape either.
        """
        entry = Record(type, status, agent, node, call_id, attempt, 0.0, encode(content), facts)
        return self.write(entry)

    def write(self, entry: Record) -> Record:
        """As `record`, for a caller that has a whole record; the tape dates it and keeps it."""
        if self._clock is not None:
            entry.at = self._clock() - self._epoch
        known = redactor()
        if not known.is_empty:
            clean(entry, known)
        before = self._attempts.turn(entry) if entry.attempt else 0
        if self._journal is not None:
            try:
                self._begin()
                self._journal.write(entry.line())
            except BaseException:
                self._attempts.undo(entry, before)
                raise
        self._records.append(entry)
        return entry

    def append(self, step: "Step") -> None:
        """Write a step of the user's own down; it keeps its id, time and prompt."""
        meta = step.metadata
        facts = {**meta.facts, OWN_FACTS: meta.model_dump(mode="json", include=OWN_FIELDS)}
        self.record(
            step.type,
            step.status,
            agent=meta.agent,
            node=meta.node,
            content=step.content,
            facts=facts,
        )

    def _keep(self, entry: Record) -> None:
        if entry.attempt:
            self._attempts.turn(entry)
        self._records.append(entry)

    # -- asking

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)

    def __getitem__(self, index: int) -> Record:
        return self._records[index]

    @property
    def steps(self) -> "list[Step]":
        """All steps, built anew at each access."""
        return [entry.step(self.tape_id, index) for index, entry in enumerate(self._records)]

    @property
    def metadata(self) -> "TapeMetadata":
        """What the tape is of."""
        return models.TapeMetadata(
            author=self.author, parent_id=self.parent_id, tape_id=self.tape_id, seed=self.seed
        )

    def query(
        self,
        *,
        type: StepType | None = None,
        status: StepStatus | None = None,
        agent: str | None = None,
        node: str | None = None,
        call_id: str | None = None,
    ) -> "list[Step]":
        """The steps that have all the given properties, in order."""
        wanted = {"type": type, "status": status, "agent": agent, "node": node, "call_id": call_id}
        asked = {name: value for name, value in wanted.items() if value is not None}
        return [
            entry.step(self.tape_id, index)
            for index, entry in enumerate(self._records)
            if all(getattr(entry, name) == value for name, value in asked.items())
        ]

    def get_steps_by_type(self, step_type: StepType) -> "list[Step]":
        """All steps of one type, in order."""
        return self.query(type=step_type)

    def get_steps_by_agent(self, agent_name: str) -> "list[Step]":
        """All steps of one agent, in order."""
        return self.query(agent=agent_name)

    def get_last_step(self) -> "Step | None":
        """The newest step, or None on an empty tape."""
        if not self._records:
            return None
        return self._records[-1].step(self.tape_id, len(self._records) - 1)

    @property
    def pending(self) -> dict[str, int]:
        """Calls that were begun and have no terminator: call id -> attempt."""
        return self._attempts.pending

    def digest(self) -> str:
        """SHA-256 over what the steps say, without ids, instants and durations."""
        total = hashlib.sha256()
        for entry in self._records:
            text = json.dumps(entry.essence(), sort_keys=True, separators=(",", ":"))
            total.update(text.encode() + b"\n")
        return total.hexdigest()

    # -- copying

    def branch(self, length: int) -> "Tape":
        """A new tape that begins with the first `length` steps of this one.

        Raises:
            ValueError: This tape has fewer steps, or `length` is negative.
        """
        if not 0 <= length <= len(self._records):
            raise ValueError(f"cannot branch at {length}: the tape has {len(self)} steps")
        twin = Tape(
            tape_id=derive(self.tape_id, "branch", length),
            author=self.author,
            seed=self.seed,
            parent_id=self.tape_id,
        )
        twin.is_begun = True
        for entry in islice(self._records, length):
            twin._keep(entry)
        return twin

    def clone(self) -> "Tape":
        """A new tape with all steps of this one, which it names as its parent."""
        return self.branch(len(self._records))

    # -- files

    def _header(self) -> bytes:
        return header(self.tape_id, self.seed, self.author, self.parent_id)

    def jsonl(self) -> Iterator[bytes]:
        """The tape as lines, header first; one line at a time in memory."""
        yield self._header()
        for entry in self._records:
            yield entry.line()

    def to_bytes(self) -> bytes:
        """The whole tape as JSONL."""
        return b"".join(self.jsonl())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the tape to a file; the file is the old one or the whole new one, never a part."""
        replace_file(Path(path), self.jsonl())

    @classmethod
    def from_jsonl(
        cls, lines: Iterable[bytes], *, source: str = "tape", recover: bool = False
    ) -> Self:
        """Read a tape.

        Args:
            lines: As `jsonl` gives them; a binary file will do.
            source: Named in errors.
            recover: Let go a last line that was cut short, as a crash leaves it.

        Raises:
            TapeFormatError: A line is damaged, or the file is no tape or a newer one.
        """
        tape = cls()
        tape._take_all(lines, source, recover)
        return tape

    def _take_all(self, lines: Iterable[bytes], source: str, recover: bool) -> None:
        entries = read(lines, source=source, recover=recover)
        head = next(entries, None)
        if not isinstance(head, dict):
            raise TapeFormatError(source, 1, "the file is empty; a tape begins with its header")
        for name, value in head.items():
            setattr(self, name, value)
        self.is_begun = True
        for number, entry in enumerate(entries, 2):
            if isinstance(entry, Record):
                self._take(entry, source, number)

    def _take(self, entry: Record, source: str, number: int) -> None:
        try:
            self._keep(entry)
        except ProtocolError as error:
            raise TapeFormatError(source, number, str(error)) from None

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, recover: bool = False) -> Self:
        """Read a tape from a file; see `from_jsonl`."""
        with Path(path).open("rb") as lines:
            return cls.from_jsonl(lines, source=Path(path).name, recover=recover)

    @classmethod
    def stream(cls, path: str | os.PathLike[str]) -> "Iterator[Step]":
        """The steps of a file one by one, in memory that does not grow with the file.

        Raises:
            TapeFormatError: As `from_jsonl`, when the damaged line is reached.
        """
        tape_id = ""
        with Path(path).open("rb") as lines:
            for index, entry in enumerate(read(lines, source=Path(path).name, recover=False)):
                if isinstance(entry, dict):
                    tape_id = entry["tape_id"]
                else:
                    yield entry.step(tape_id, index - 1)

    @classmethod
    def journaled(
        cls, path: str | os.PathLike[str], *, fsync: bool = False, keep: int | None = None
    ) -> Self:
        """A tape that is in its file at every moment, for runs that must survive a crash.

        An existing file is read, a last line cut short dropped, and writing goes on behind it.

        Args:
            path: The file; made if it is not there.
            fsync: Wait for the disk at every step, against power failure, not only a kill.
            keep: Steps held in memory, >= 1; older ones are read back from the file when
                asked for. None holds all.

        Raises:
            TapeFormatError: The file is damaged before its last line; it is left as it is.
            JournalInUse: Another run, of this process or another, is writing it.
        """
        target = Path(path)
        tape = cls()
        lines = Counted(target)
        spill = None if keep is None else Spill(target, keep, lines)
        if spill is not None and keep is not None:
            tape._records, tape._attempts = spill, Attempts(keep)
        # Held before it is read: what it says now, it still says when this run writes.
        tape._journal = Journal(target, fsync=fsync)
        try:
            if tape._journal.position:
                tape._take_all(lines, target.name, recover=True)
        except TapeFormatError:
            tape.close()
            raise
        if spill is not None:
            spill.follow(tape._journal)
        return tape

    def model_dump_json(self, *, indent: int | None = None) -> str:
        """The tape as one JSON object, `metadata` and `steps`."""
        value = {
            "metadata": self.metadata.model_dump(mode="json"),
            "steps": [step.model_dump(mode="json") for step in self.steps],
        }
        return json.dumps(value, indent=indent, ensure_ascii=False)

    def close(self) -> None:
        """Close the journal, if there is one."""
        if self._journal is not None:
            self._journal.close()


def tape_of(scope: Scope | None) -> Tape | None:
    """The tape of the run one stands in, or None outside an agent's run."""
    if scope is None:
        return None
    tape: Tape | None = scope.run.state.get(_TAPE)
    return tape


def __getattr__(name: str) -> Any:
    # The pydantic models, published under this path too, wait until somebody asks for one.
    if name in __all__:
        return getattr(models, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
