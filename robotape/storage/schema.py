"""The tables of a tape store, their version, and how an older store becomes a newer one.

A new store is made at the newest version; an older one is brought there step by step. All of
it happens inside the caller's transaction, so that a store is never between two versions.
"""

from collections.abc import Callable, Sequence

from sqlalchemy import (
    Column,
    Connection,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    inspect,
    select,
)

__all__ = ["STEPS", "VERSION", "chunks", "migrate", "places", "tags", "tapes", "version_of"]

_metadata = MetaData()

_schema = Table("robotape_schema", _metadata, Column("version", Integer, nullable=False))

tapes = Table(
    "robotape_tapes",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),  # the key of the tape's id
    Column("parent", Text, index=True),
    Column("header", LargeBinary, nullable=False),  # the first line of the tape's JSONL
    Column("checksum", LargeBinary, nullable=False),  # of the header
    Column("steps", Integer, nullable=False),
    Column("saved_at", Double, nullable=False, index=True),  # seconds since 1970, UTC
    sqlite_autoincrement=True,  # an id is never given out again: it breaks ties of age
)


def _of_a_tape() -> Column[int]:
    return Column("tape", Integer, ForeignKey(tapes.c.id), primary_key=True, autoincrement=False)


chunks = Table(
    "robotape_chunks",
    _metadata,
    _of_a_tape(),
    Column("first", Integer, primary_key=True, autoincrement=False),
    Column("steps", Integer, nullable=False),
    Column("checksum", LargeBinary, nullable=False),
    Column("lines", LargeBinary, nullable=False),  # JSONL, as a tape's file has it
)

# Who did something where on a tape, once per tape: what it is searched by.
places = Table(
    "robotape_places",
    _metadata,
    _of_a_tape(),
    Column("agent", Text, primary_key=True),
    Column("node", Text, primary_key=True),
    Index("robotape_places_agent", "agent", "node"),
    Index("robotape_places_node", "node"),
)

tags = Table(
    "robotape_tags",
    _metadata,
    _of_a_tape(),
    Column("tag", Text, primary_key=True),
    Index("robotape_tags_tag", "tag"),
)

# STEPS[n] makes a store of version n + 1 one of version n + 2. A step that was shipped is not
# changed any more, and spells its SQL out: the tables above are those of the newest version.
STEPS: Sequence[Callable[[Connection], None]] = ()
VERSION = 1 + len(STEPS)


def version_of(connection: Connection, newest: int = VERSION) -> int | None:
    """The version of the store, or None where there is none.

    Args:
        connection: To its database.
        newest: The newest that can be dealt with.

    Raises:
        ValueError: The store is newer, or has no single version.
    """
    if not inspect(connection).has_table(_schema.name):
        return None
    found = connection.execute(select(_schema.c.version)).scalars().all()
    if len(found) != 1 or not isinstance(found[0], int) or found[0] < 1:
        raise ValueError(f"the store's version is {found!r}: it is damaged")
    if found[0] > newest:
        raise ValueError(f"store version {found[0]}; this robotape reads 1 to {newest}. Update it")
    return found[0]


def migrate(connection: Connection, steps: Sequence[Callable[[Connection], None]] = STEPS) -> None:
    """Make the store, or bring it from its version to the newest.

    Args:
        connection: In a transaction that keeps others from doing the same.
        steps: All there are, from version 1 on.

    Raises:
        ValueError: As `version_of`.
    """
    newest = 1 + len(steps)
    version = version_of(connection, newest)
    if version is None:
        _metadata.create_all(connection)
        connection.execute(_schema.insert().values(version=newest))
    elif version < newest:
        for step in steps[version - 1 :]:
            step(connection)
        connection.execute(_schema.update().values(version=newest))
