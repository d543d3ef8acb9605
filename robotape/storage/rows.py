"""One tape as rows: written behind what is kept of it, read back as it was.

Every function works inside the caller's transaction; none of them knows of another tape.
"""

from collections.abc import Generator
from contextlib import closing
from itertools import chain, islice

from sqlalchemy import Connection, Row, delete, insert, select, update

from robotape.storage.chunks import Chunk, Place, checksum, cut, lines_of, stray
from robotape.storage.errors import StoreFormatError, TapeConflict, TapeNotFoundError
from robotape.storage.keys import key
from robotape.storage.schema import chunks, places, tags, tapes
from robotape.tape import Tape

__all__ = ["add_tags", "id_of", "read_tape", "remove", "write_tape"]

# So many chunks of at most about 1 MiB are in memory at once.
_AT_ONCE = 8

_Kept = Row[int, bytes, bytes, int]


def id_of(connection: Connection, store: str, tape_id: str) -> int:
    """The row of a tape.

    Raises:
        TapeNotFoundError: There is none.
    """
    return int(_kept(connection, store, tape_id).id)


def _kept(connection: Connection, store: str, tape_id: str) -> _Kept:
    row = _find(connection, tape_id)
    if row is None:
        raise TapeNotFoundError(store, tape_id)
    return row


def _find(connection: Connection, tape_id: str) -> _Kept | None:
    columns = select(tapes.c.id, tapes.c.header, tapes.c.checksum, tapes.c.steps)
    return connection.execute(columns.where(tapes.c.name == key(tape_id))).one_or_none()


# -- writing


def write_tape(connection: Connection, store: str, tape: Tape, saved_at: float) -> int:
    """Write what is not kept yet of a tape.

    Args:
        connection: In a transaction that keeps others from writing this tape.
        store: Named in errors.
        tape: May go on growing meanwhile; what it has now is written.
        saved_at: Seconds since 1970.

    Returns:
        Its row.

    Raises:
        TapeConflict: What is kept is not the beginning of the tape.
    """
    length, header = len(tape), next(tape.jsonl())
    kept = _find(connection, tape.tape_id)
    if kept is None:
        row, first = _announce(connection, tape, header, length, saved_at), 0
    elif kept.steps == length:
        _continued(connection, store, tape, header, kept)
        return int(kept.id)
    else:
        row, first = int(kept.id), _continued(connection, store, tape, header, kept)
        connection.execute(delete(chunks).where(chunks.c.tape == row, chunks.c.first >= first))
        grown = update(tapes).where(tapes.c.id == row)
        connection.execute(grown.values(steps=length, saved_at=saved_at))
    _append(connection, row, tape, first, length)
    return row


def _announce(
    connection: Connection, tape: Tape, header: bytes, length: int, saved_at: float
) -> int:
    made = connection.execute(
        insert(tapes).values(
            name=key(tape.tape_id),
            parent=None if tape.parent_id is None else key(tape.parent_id),
            header=header,
            checksum=checksum(header),
            steps=length,
            saved_at=saved_at,
        )
    )
    key_of_row = made.inserted_primary_key
    assert key_of_row is not None  # an insert of one row has one
    return int(key_of_row[0])


def _continued(connection: Connection, store: str, tape: Tape, header: bytes, kept: _Kept) -> int:
    """The first step to be written again: the last chunk is filled up, so that few stay small."""
    if kept.header != header:
        raise TapeConflict(store, tape.tape_id, "its seed, author or parent differs", None)
    if kept.steps > len(tape):
        reason = f"it has {kept.steps} steps, this one {len(tape)}"
        raise TapeConflict(store, tape.tape_id, reason, len(tape))
    columns = select(chunks.c.first, chunks.c.steps, chunks.c.checksum)
    rows = connection.execute(columns.where(chunks.c.tape == kept.id).order_by(chunks.c.first))
    there = [Place(*row) for row in rows]
    other = stray((entry.line() for entry in tape), there)
    if other is not None:
        last = other.first + other.steps - 1
        reason = f"they differ in steps {other.first} to {last}"
        raise TapeConflict(store, tape.tape_id, reason, other.first)
    return there[-1].first if there else 0


def _append(connection: Connection, row: int, tape: Tape, first: int, length: int) -> None:
    added = islice(tape, first, length)
    waiting = cut((entry.line() for entry in added), first)
    while batch := list(islice(waiting, _AT_ONCE)):
        values = [
            {
                "tape": row,
                "first": chunk.place.first,
                "steps": chunk.place.steps,
                "checksum": chunk.place.checksum,
                "lines": chunk.lines,
            }
            for chunk in batch
        ]
        connection.execute(insert(chunks), values)
    _note_places(connection, row, tape, first, length)


def _note_places(connection: Connection, row: int, tape: Tape, first: int, length: int) -> None:
    seen = {(entry.agent, entry.node) for entry in islice(tape, first, length)}
    columns = select(places.c.agent, places.c.node).where(places.c.tape == row)
    known = {tuple(place) for place in connection.execute(columns)}
    new = {(key(agent), key(node)) for agent, node in seen} - known
    if new:
        values = [{"tape": row, "agent": agent, "node": node} for agent, node in sorted(new)]
        connection.execute(insert(places), values)


def add_tags(connection: Connection, row: int, words: list[str]) -> None:
    """Add tags that are not there yet.

    Args:
        connection: In a transaction that keeps others from writing this tape.
        row: Of the tape.
        words: As `tag_keys` gives them.
    """
    known = set(connection.execute(select(tags.c.tag).where(tags.c.tape == row)).scalars())
    if new := [{"tape": row, "tag": word} for word in words if word not in known]:
        connection.execute(insert(tags), new)


def remove(connection: Connection, row: int) -> None:
    """Remove a tape and all that is kept with it."""
    for table in (tags, places, chunks):
        connection.execute(delete(table).where(table.c.tape == row))
    connection.execute(delete(tapes).where(tapes.c.id == row))


# -- reading


def read_tape(connection: Connection, store: str, tape_id: str) -> Tape:
    """Read a tape, a few chunks in memory at a time besides the tape itself.

    Raises:
        TapeNotFoundError: There is none.
        StoreFormatError: What is kept is not what was written.
    """
    kept = _kept(connection, store, tape_id)
    try:
        if checksum(kept.header) != kept.checksum:
            raise ValueError("its header is damaged: the checksum differs")
        with closing(_stream(connection, int(kept.id))) as stream:
            lines = lines_of(stream, kept.steps)
            return Tape.from_jsonl(chain([kept.header], lines), source=tape_id)
    except (ValueError, TypeError) as error:
        raise StoreFormatError(store, f"tape {tape_id!r}: {error}") from None


def _stream(connection: Connection, row: int) -> Generator[Chunk, None, None]:
    columns = select(chunks.c.first, chunks.c.steps, chunks.c.checksum, chunks.c.lines)
    question = columns.where(chunks.c.tape == row).order_by(chunks.c.first)
    with connection.execute(question.execution_options(yield_per=_AT_ONCE)) as rows:
        for first, steps, sum_, lines in rows:
            yield Chunk(Place(first, steps, sum_), lines)
