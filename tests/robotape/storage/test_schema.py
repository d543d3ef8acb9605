"""The schema: made at the newest version, brought there step by step from an older one, or refused.

`fixtures/stores/version-1.sql` is a store that version 1 wrote. It is never changed: what comes
later must read it.
"""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, NullPool, create_engine, inspect

from robotape.storage import StoreFormatError, TapeStore
from robotape.storage.database import Database
from robotape.storage.schema import STEPS, VERSION, migrate, version_of
from robotape.storage.urls import store_url
from tests.robotape.storage.tapes import filled, grow, note

DUMP = Path(__file__).parents[3] / "fixtures/stores/version-1.sql"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file that version 1 wrote."""
    path = tmp_path / "old.db"
    connection = sqlite3.connect(path)
    connection.executescript(DUMP.read_text("utf-8"))
    connection.close()
    return path


@pytest.fixture
def engine(old: Path) -> Iterator[Engine]:
    made = create_engine(f"sqlite:///{old}", poolclass=NullPool)
    yield made
    made.dispose()


def test_what_version_1_wrote_is_read(old: Path) -> None:
    tape = filled("first", 2, seed=7)
    note(tape, {"é": [1.5, None]}, agent="desk/clerk", node="refund")
    branch = grow(tape.branch(2), 1)
    with TapeStore(old) as store:
        assert store.load_tape("first").to_bytes() == tape.to_bytes()
        assert store.load_tape(branch.tape_id).to_bytes() == branch.to_bytes()
        assert store.get_tape_history(branch.tape_id) == [branch.tape_id, "first"]
        assert [found.tape_id for found in store.search_tapes(node="refund")] == ["first"]
        assert store.tags("first") == ["kept", "é"]


def test_a_new_store_has_the_tables_of_a_migrated_one(tmp_path: Path, engine: Engine) -> None:
    with engine.begin() as connection:
        migrate(connection)
    TapeStore(tmp_path / "new.db").close()
    new = create_engine(f"sqlite:///{tmp_path / 'new.db'}", poolclass=NullPool)
    assert tables(new) == tables(engine)


def tables(engine: Engine) -> dict[str, object]:
    seen = inspect(engine)
    return {
        name: (
            [(column["name"], str(column["type"])) for column in seen.get_columns(name)],
            seen.get_pk_constraint(name)["constrained_columns"],
            sorted(str(index["column_names"]) for index in seen.get_indexes(name)),
        )
        for name in seen.get_table_names()
    }


# -- the steps, tried with steps that do not exist yet ---------------------------------------------


def add_a_column(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE robotape_tapes ADD COLUMN size INTEGER")


def fill_the_column(connection: Connection) -> None:
    connection.exec_driver_sql("UPDATE robotape_tapes SET size = steps * 10")


def fail(connection: Connection) -> None:
    raise RuntimeError("planted")


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A store of version 1 with a tape of 3 steps in it."""
    with TapeStore(url) as store:
        store.save_tape(filled("a", 3))
    opened = Database(store_url(url), timeout=5.0)
    yield opened
    opened.close()


def bring(database: Database, *steps: Callable[[Connection], None]) -> None:
    database.write(lambda connection: migrate(connection, (*STEPS, *steps)), lock="migration")


def seen(database: Database) -> tuple[int | None, dict[str, object]]:
    """Version and row of the one tape."""

    def look(connection: Connection) -> tuple[int | None, dict[str, object]]:
        row = connection.exec_driver_sql("SELECT * FROM robotape_tapes").one()
        fields = dict(row._mapping)
        return version_of(connection, 99), {k: fields[k] for k in ("steps", "size") if k in fields}

    return database.read(look)


def test_an_older_store_goes_through_every_step_once_and_in_order(database: Database) -> None:
    for _ in range(2):  # a second column of that name would be an error
        bring(database, add_a_column, fill_the_column)
    assert seen(database) == (VERSION + 2, {"steps": 3, "size": 30})


def test_a_store_in_between_goes_through_the_rest(database: Database) -> None:
    bring(database, add_a_column)
    bring(database, add_a_column, fill_the_column)
    assert seen(database) == (VERSION + 2, {"steps": 3, "size": 30})


def test_a_step_that_fails_leaves_the_store_at_its_version(database: Database) -> None:
    before = seen(database)
    with pytest.raises(RuntimeError, match="planted"):
        bring(database, add_a_column, fill_the_column, fail)
    assert seen(database) == before == (VERSION, {"steps": 3})
    bring(database, add_a_column)  # control: there is nothing in its way


def test_a_newer_store_is_refused_and_left_as_it_is(database: Database, url: str) -> None:
    bring(database, add_a_column)
    before = seen(database)
    with pytest.raises(StoreFormatError, match=f"store version {VERSION + 1}; .* Update"):
        TapeStore(url)
    with pytest.raises(ValueError, match="Update"):
        bring(database)
    assert seen(database) == before


@pytest.mark.parametrize("damage", ["DELETE FROM", "INSERT INTO"])
def test_a_store_without_one_version_is_refused(database: Database, url: str, damage: str) -> None:
    values = " VALUES (1)" if "INSERT" in damage else ""
    database.write(
        lambda c: c.exec_driver_sql(f"{damage} robotape_schema{values}"), lock="migration"
    )
    with pytest.raises(StoreFormatError, match="it is damaged"):
        TapeStore(url)
