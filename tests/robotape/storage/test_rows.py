"""Rows: what was altered behind the store's back is refused by name; growth writes what is new."""

from pathlib import Path

import pytest
from sqlalchemy import Connection

from robotape.storage import StoreFormatError, TapeStore
from robotape.storage.chunks import CHUNK_STEPS
from robotape.storage.database import Database
from robotape.storage.rows import id_of, read_tape, write_tape
from robotape.storage.urls import store_url
from tests.robotape.storage.tapes import filled, grow

DAMAGE = {
    "chunk gone": ("DELETE FROM robotape_chunks WHERE first = 0", "steps from 0 on are missing"),
    "last chunk gone": ("DELETE FROM robotape_chunks WHERE first > 0", "256 steps of 257"),
    "lines altered": (
        "UPDATE robotape_chunks SET checksum = lines WHERE first = 256",
        "steps from 256 on are damaged",
    ),
    "lines empty": ("UPDATE robotape_chunks SET lines = checksum", "steps from 0 on are damaged"),
    "header altered": ("UPDATE robotape_tapes SET header = checksum", "its header is damaged"),
}


def meddle(url: str, sql: str) -> None:
    database = Database(store_url(url), timeout=5.0)
    database.write(lambda connection: connection.exec_driver_sql(sql), lock="x")
    database.close()


@pytest.mark.parametrize(("sql", "words"), DAMAGE.values(), ids=DAMAGE)
def test_what_is_not_what_was_written_is_refused(
    store: TapeStore, url: str, sql: str, words: str
) -> None:
    store.save_tape(filled("a", CHUNK_STEPS + 1))
    meddle(url, sql)
    with pytest.raises(StoreFormatError, match=f"tape 'a': .*{words}"):
        store.load_tape("a")


def test_control_what_is_as_it_was_is_read(store: TapeStore, url: str) -> None:
    store.save_tape(filled("a", CHUNK_STEPS + 1))
    meddle(url, "UPDATE robotape_tapes SET saved_at = 1")
    assert len(store.load_tape("a")) == CHUNK_STEPS + 1


def test_a_text_where_bytes_belong_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "tapes.db")
    with TapeStore(path) as store:
        store.save_tape(filled("a"))
        meddle(path, "UPDATE robotape_chunks SET lines = 'text'")  # SQLite lets anything in
        with pytest.raises(StoreFormatError, match="tape 'a'"):
            store.load_tape("a")


def test_growth_fills_the_last_chunk_and_leaves_the_others(url: str) -> None:
    def firsts(connection: Connection) -> list[int]:
        rows = connection.exec_driver_sql("SELECT first FROM robotape_chunks ORDER BY first")
        return list(rows.scalars())

    tape = filled("a", 0)
    database = Database(store_url(url), timeout=5.0)
    for _ in range(10):
        grow(tape, 60)
        row = database.write(lambda c: write_tape(c, "here", tape, 1.0), lock="a")
        assert database.read(lambda c: id_of(c, "here", "a")) == row
    assert database.read(firsts) == [0, CHUNK_STEPS, 2 * CHUNK_STEPS]
    assert database.read(lambda c: read_tape(c, "here", "a")).to_bytes() == tape.to_bytes()
    database.close()
