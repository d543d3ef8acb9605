"""TapeStore: tapes in a SQLite file or a PostgreSQL database, saved whole and loaded as they were.

Its methods block: an async caller hands them to `asyncio.to_thread`.
"""

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, delete, select

from robotape.runtime import wall_clock
from robotape.storage.database import Database
from robotape.storage.errors import TapeNotFoundError
from robotape.storage.keys import key, tag_key, unescaped
from robotape.storage.rows import add_tags, id_of, read_tape, remove, write_tape
from robotape.storage.schema import tags as tag_rows
from robotape.storage.schema import tapes
from robotape.storage.search import Found, found, tag_keys, tagged
from robotape.storage.summary import TapeSummary
from robotape.storage.urls import store_url
from robotape.tape import Tape

__all__ = ["TapeStore"]


class TapeStore:
    """Tapes that are kept, and found again by agent, node, tag and date.

    Guarantee: a tape comes back with the bytes it was saved with (`Tape.to_bytes`); a save
    happens wholly or not at all, also if the process is killed in the middle of it; several
    processes may use one store at once, and several threads one `TapeStore`.

    A forked process opens a store of its own.
    """

    def __init__(
        self,
        database_url: str | os.PathLike[str] = "sqlite:///tapes.db",
        *,
        timeout: float = 30.0,
    ) -> None:
        """Open a store; what is not there yet is made, an older one is brought up to date.

        Args:
            database_url: Path of a SQLite file, `:memory:` for one that ends with this object,
                `sqlite:///path`, or `postgresql://user:password@host/name`, which needs the
                `postgres` extra.
            timeout: Seconds, > 0, to wait while others write, and for a server to answer.

        Raises:
            ValueError: The URL is none of these, or the timeout is not positive.
            StoreFormatError: The database is damaged, newer than this code, or a file with
                other things in it; it is left as it is.
            StoreUnavailableError: It cannot be opened or reached.
        """
        if not timeout > 0:
            raise ValueError(f"timeout must be positive, not {timeout}")
        self._database = Database(store_url(database_url), timeout=timeout)

    def __repr__(self) -> str:
        return f"TapeStore({self._database.name!r})"

    # -- tapes

    def save_tape(self, tape: Tape, tags: Iterable[str] = ()) -> str:
        """Save a tape, or what it has grown by since it was last saved.

        Cost: in proportion to the whole tape, for its beginning is compared; what is
        written is in proportion to what is new.

        Args:
            tape: A run may go on writing it; what it has now is saved.
            tags: Added to those it has here already; 1 to 100 characters each, without
                the secrets robotape knows.

        Returns:
            Its id.

        Raises:
            ValueError: The tape has no id, for no run was given it; or a tag cannot be one.
            TapeConflict: What is kept under its id is not its beginning; that stays.
            StorageError: The database refused; what was kept before stays.
        """
        if not tape.tape_id:
            raise ValueError("the tape has no id: give it to a run, or make it Tape(tape_id=...)")
        words = tag_keys(tags)

        def save(connection: Connection) -> None:
            row = write_tape(connection, self._database.name, tape, round(wall_clock(), 6))
            add_tags(connection, row, words)

        self._database.write(save, lock=key(tape.tape_id))
        return tape.tape_id

    def load_tape(self, tape_id: str) -> Tape:
        """The tape of that id, as it was saved last.

        Raises:
            TapeNotFoundError: There is none.
            StoreFormatError: What is kept is not what was written.
            StorageError: The database refused.
        """
        name = self._database.name
        return self._database.read(lambda connection: read_tape(connection, name, tape_id))

    def delete_tape(self, tape_id: str) -> None:
        """Remove a tape and its tags; tapes branched from it stay.

        Raises:
            TapeNotFoundError: There is none.
            StorageError: The database refused.
        """
        self._change(tape_id, remove)

    def get_tape_history(self, tape_id: str) -> list[str]:
        """The ids of the tapes a tape comes from.

        Returns:
            The tape itself first, then its parent, and so on. A parent that is not kept here
            is named, and nothing before it is known; each is named once, whatever is saved.

        Raises:
            TapeNotFoundError: There is no tape of that id.
            StorageError: The database refused.
        """
        headers = self._database.read(lambda connection: _ancestry(connection, tape_id))
        if tape_id not in headers:
            raise TapeNotFoundError(self._database.name, tape_id)
        history: dict[str, None] = {}
        current: str | None = tape_id
        while current is not None and current not in history:
            history[current] = None
            current = headers.get(current)
        return list(history)

    # -- finding

    def search_tapes(
        self,
        agent: str | None = None,
        node: str | None = None,
        *,
        tags: Iterable[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = 100,
    ) -> list[TapeSummary]:
        """Tapes that fit all that is asked.

        Args:
            agent: Path of an agent that has a step on the tape.
            node: Tool or other node of such a step; asked with `agent`, of the same step.
            tags: It has all of them.
            since: It was last saved then or later; with a time zone.
            until: It was last saved before; with a time zone.
            limit: At most so many, >= 1; None for all.

        Returns:
            The tape saved last comes first.

        Raises:
            ValueError: An instant has no time zone, a tag cannot be one, or the limit is below 1.
            StorageError: The database refused.
        """
        question = found(agent=agent, node=node, tags=tags, since=since, until=until, limit=limit)
        return self._database.read(lambda connection: _summaries(connection, question))

    def add_tag(self, tape_id: str, tag: str) -> None:
        """Add a tag to a tape; one that it has already changes nothing.

        Args:
            tape_id: Of the tape.
            tag: 1 to 100 characters, kept without the secrets robotape knows.

        Raises:
            ValueError: It cannot be a tag.
            TapeNotFoundError: There is no such tape.
            StorageError: The database refused.
        """
        word = tag_key(tag)
        self._change(tape_id, lambda connection, row: add_tags(connection, row, [word]))

    def remove_tag(self, tape_id: str, tag: str) -> None:
        """Take a tag off a tape; one that it does not have changes nothing.

        Raises:
            ValueError: It cannot be a tag.
            TapeNotFoundError: There is no such tape.
            StorageError: The database refused.
        """
        gone = delete(tag_rows).where(tag_rows.c.tag == tag_key(tag))

        def work(connection: Connection, row: int) -> None:
            connection.execute(gone.where(tag_rows.c.tape == row))

        self._change(tape_id, work)

    def tags(self, tape_id: str) -> list[str]:
        """The tags of a tape, sorted.

        Raises:
            TapeNotFoundError: There is no such tape.
            StorageError: The database refused.
        """

        def work(connection: Connection) -> list[str]:
            row = id_of(connection, self._database.name, tape_id)
            words = connection.execute(select(tag_rows.c.tag).where(tag_rows.c.tape == row))
            return sorted(map(unescaped, words.scalars()))

        return self._database.read(work)

    # -- the end

    def close(self) -> None:
        """Close the store; more than once does nothing more."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _change(self, tape_id: str, work: Callable[[Connection, int], None]) -> None:
        name = self._database.name
        self._database.write(
            lambda connection: work(connection, id_of(connection, name, tape_id)), lock=key(tape_id)
        )


def _ancestry(connection: Connection, tape_id: str) -> dict[str, str | None]:
    """Tape id -> parent's id, of a tape and all kept tapes it comes from."""
    line = (
        select(tapes.c.parent, tapes.c.header)
        .where(tapes.c.name == key(tape_id))
        .cte("line", recursive=True)
    )
    # A union drops what it has seen, and so ends where the tapes go round in a circle.
    older = select(tapes.c.parent, tapes.c.header).join(line, tapes.c.name == line.c.parent)
    heads = connection.execute(select(line.union(older).c.header)).scalars()
    return {head["tape_id"]: head["parent_id"] for head in map(json.loads, heads)}


def _summaries(connection: Connection, question: Found) -> list[TapeSummary]:
    words = defaultdict[int, list[str]](list)
    rows = connection.execute(question).all()
    for row, word in connection.execute(tagged(question)):
        words[row].append(unescaped(word))
    return [_summary(header, steps, saved_at, words[row]) for row, header, steps, saved_at in rows]


def _summary(header: bytes, steps: int, saved_at: float, words: list[str]) -> TapeSummary:
    head = json.loads(header)
    return TapeSummary(
        tape_id=head["tape_id"],
        author=head["author"],
        parent_id=head["parent_id"],
        seed=head["seed"],
        length=steps,
        saved_at=datetime.fromtimestamp(saved_at, UTC),
        tags=tuple(sorted(words)),
    )
