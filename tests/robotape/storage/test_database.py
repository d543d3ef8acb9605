"""The database: what is no store is refused and left as it is; writers wait, within limits."""

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event

from robotape.storage import (
    StoreBusyError,
    StoreFormatError,
    StoreUnavailableError,
    TapeStore,
)
from robotape.storage.database import Database
from robotape.storage.urls import store_url
from tests.robotape.storage.tapes import filled, grow, note

ROOT = Path(__file__).parents[3]

# -- what is refused -------------------------------------------------------------------------------


def text(path: Path) -> None:
    path.write_text("these are my notes, and no database" * 100)


def tape_file(path: Path) -> None:
    filled("a").save(path)


def cut_short(path: Path) -> None:
    whole(path)
    path.write_bytes(path.read_bytes()[:3000])


def overwritten(path: Path) -> None:
    """The header is sound, and every page behind the first is noise."""
    whole(path)
    data = path.read_bytes()
    path.write_bytes(data[:100] + b"\xa5" * (len(data) - 100))


def others_tables(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE tapes (id TEXT)")  # as robotape 0.6 made one
    connection.close()


def newer(path: Path) -> None:
    whole(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE robotape_schema SET version = 99")
    connection.close()


def whole(path: Path) -> None:
    with TapeStore(path) as store:
        store.save_tape(filled("a"))


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (text, "not a database"),
    "tape file": (tape_file, "not a database"),
    "one byte": (lambda path: path.write_bytes(b"x"), "not a database"),
    "only the head": (lambda path: path.write_bytes(b"SQLite format 3\0"), "not a database"),
    "cut short": (cut_short, "damaged"),
    "overwritten": (overwritten, "damaged"),
    "another program's": (others_tables, "other tables"),
    "newer": (newer, "store version 99"),
}


@pytest.mark.parametrize(("plant", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_store_is_refused_and_left_as_it_is(
    tmp_path: Path, plant: Callable[[Path], object], words: str
) -> None:
    path = tmp_path / "tapes.db"
    plant(path)
    before = path.read_bytes()
    with pytest.raises(StoreFormatError, match=words) as caught:
        TapeStore(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert path.read_bytes() == before


def test_control_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "tapes.db").touch()
    whole(tmp_path / "tapes.db")
    with TapeStore(tmp_path / "tapes.db") as store:
        assert store.load_tape("a").to_bytes() == filled("a").to_bytes()


PLACES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "no folder": (lambda here: here / "no/tapes.db", "folder is not there"),
    "a folder": (lambda here: here, "unable to open"),
    "below a file": (lambda here: Path(__file__) / "tapes.db", "folder is not there"),
    "no place for files": (lambda here: Path("/proc/tapes.db"), "unable to open"),
}


@pytest.mark.parametrize(("place", "words"), PLACES.values(), ids=PLACES)
def test_where_no_file_can_be_is_said(
    tmp_path: Path, place: Callable[[Path], Path], words: str
) -> None:
    with pytest.raises(StoreUnavailableError, match=words):
        TapeStore(place(tmp_path))


SAVE = """
import os, sys
from robotape.storage import TapeStore
from robotape.tape import Tape
os.setgid(65534) if os.geteuid() == 0 else None
os.setuid(65534) if os.geteuid() == 0 else None
try:
    with TapeStore(sys.argv[1]) as store:
        store.save_tape(Tape(tape_id="new"))
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("is_there", [False, True])
def test_a_folder_one_may_not_write_to_is_said(tmp_path: Path, is_there: bool) -> None:
    path = tmp_path / "shut" / "tapes.db"
    path.parent.mkdir()
    if is_there:
        whole(path)
        path.chmod(0o444)
    path.parent.chmod(0o555)
    for folder in (tmp_path, *tmp_path.parents):  # the unprivileged user has to get there
        if os.geteuid() == 0 and folder.stat().st_mode & 0o011 != 0o011:
            folder.chmod(folder.stat().st_mode | 0o011)
    said = run(SAVE, str(path))
    path.parent.chmod(0o755)
    assert said.startswith("StoreUnavailableError")
    assert str(path) in said


def run(code: str, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "harness")))}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_server_that_is_not_there_is_said_without_its_password() -> None:
    with pytest.raises(StoreUnavailableError) as caught:
        TapeStore("postgresql://me:pass-word-0815@127.0.0.1:1/db", timeout=2)
    assert "127.0.0.1" in str(caught.value)
    assert "0815" not in str(caught.value)


def test_a_missing_driver_is_said_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreUnavailableError, match=r"pip install 'robotape\[postgres\]'"):
        TapeStore("postgresql://127.0.0.1:1/db")


# -- writing ---------------------------------------------------------------------------------------


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    with TapeStore(tmp_path / "tapes.db") as store:
        store.save_tape(filled("a"))
    full = grow(filled("b", 1), 10)
    note(full, "x" * 3_000_000)

    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA max_page_count = 100")

    with TapeStore(tmp_path / "tapes.db") as store:
        event.listen(engine_of(store), "connect", limit)
        engine_of(store).dispose()  # the next connection is a new one
        with pytest.raises(StoreUnavailableError, match="full"):
            store.save_tape(full)
        assert [found.tape_id for found in store.search_tapes()] == ["a"]
        store.save_tape(filled("c"))


def engine_of(store: TapeStore) -> Engine:
    database: Database = vars(store)["_database"]
    engine: Engine = vars(database)["_engine"]
    return engine


def test_who_waits_too_long_for_others_is_told(url: str) -> None:
    with TapeStore(url) as patient, TapeStore(url, timeout=0.2) as hasty:
        patient.save_tape(filled("a", 1))
        inside, done = threading.Event(), threading.Event()

        def hold(connection: Connection) -> None:
            inside.set()
            done.wait(30)

        holder: Database = vars(patient)["_database"]
        thread = threading.Thread(target=lambda: holder.write(hold, lock="a"))
        thread.start()
        inside.wait(30)
        try:
            with pytest.raises(StoreBusyError, match="too long"):
                hasty.save_tape(filled("a", 2))
            # Who reads does not wait.
            assert hasty.load_tape("a").to_bytes() == filled("a", 1).to_bytes()
        finally:
            done.set()
            thread.join()
        hasty.save_tape(filled("a", 2))


def test_what_fails_in_the_middle_is_undone(url: str) -> None:
    database = Database(store_url(url), timeout=5.0)

    def half(connection: Connection) -> None:
        connection.exec_driver_sql("UPDATE robotape_schema SET version = 98")
        raise KeyError("planted")

    with pytest.raises(KeyError, match="planted"):
        database.write(half, lock="x")
    database.close()
    TapeStore(url).close()


def test_memory_is_one_store_for_all_threads() -> None:
    with TapeStore(":memory:") as store:
        threads = [
            threading.Thread(target=lambda n=n: store.save_tape(filled(f"t{n}"))) for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(store.search_tapes()) == 8
    with TapeStore(":memory:") as another:
        assert another.search_tapes() == []


def test_a_file_is_written_ahead(tmp_path: Path) -> None:
    whole(tmp_path / "tapes.db")
    connection = sqlite3.connect(tmp_path / "tapes.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
