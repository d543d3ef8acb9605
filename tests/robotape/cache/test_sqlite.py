"""The store in a file: whole after every crash, shared by processes, never written over others."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from robotape.cache import CacheFormatError, CacheStore, CacheStoreError, SQLiteStore
from robotape_harness.simulation import SimLoop
from tests.robotape.cache.stores import broken_laws

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def rows(path: Path) -> int:
    database = sqlite3.connect(path)
    try:
        count: int = database.execute("SELECT count(*) FROM answers").fetchone()[0]
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return count
    finally:
        database.close()


def test_it_keeps_the_laws(tmp_path: Path) -> None:
    async def main() -> list[str]:
        store = SQLiteStore(tmp_path / "answers.db")
        broken = await broken_laws(store)
        await store.aclose()
        return broken

    assert asyncio.run(main()) == []


def test_the_next_loop_and_the_next_store_find_what_was_set(tmp_path: Path) -> None:
    store: CacheStore = SQLiteStore(tmp_path / "answers.db")
    asyncio.run(store.set("a", b"1", None))
    assert asyncio.run(store.get("a")) == b"1"
    assert asyncio.run(SQLiteStore(tmp_path / "answers.db").get("a")) == b"1"


def test_only_its_owner_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    asyncio.run(SQLiteStore(path).set("a", b"1", None))
    assert {entry.stat().st_mode & 0o077 for entry in tmp_path.iterdir()} == {0}


def test_making_a_store_opens_nothing(tmp_path: Path) -> None:
    SQLiteStore(tmp_path / "answers.db")
    assert list(tmp_path.iterdir()) == []


class Calendar(SimLoop):
    def robotape_wall_clock(self) -> float:
        return 1_700_000_000.0 + self.time()


def test_what_is_over_is_not_given_and_is_purged_by_the_next_write(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"

    async def main() -> list[bool]:
        store = SQLiteStore(path)
        seen = []
        for number in range(5):
            await store.set(str(number), b"x", 10.0)
        for wait in (9.999, 0.001):
            await asyncio.sleep(wait)
            seen.append(await store.get("0") is not None)
        assert rows(path) == 5
        await store.set("new", b"y", None)
        await store.aclose()
        return seen

    with asyncio.Runner(loop_factory=Calendar) as runner:
        assert runner.run(main()) == [True, False]
    assert rows(path) == 1


def test_it_never_holds_more_than_it_may_and_the_oldest_go(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"

    async def main() -> list[bool]:
        store = SQLiteStore(path, maxsize=3)
        for number in range(10):
            await store.set(str(number), b"x", None)
            assert rows(path) <= 3
        return [await store.get(str(number)) is not None for number in range(10)]

    assert asyncio.run(main()) == [False] * 7 + [True] * 3


DAMAGED = {
    "no database": b"this is a letter, and a long one at that\n" * 50,
    "a database cut short": b"SQLite format 3\x00" + b"\x10\x00" * 10,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_an_error_and_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "letter.db"
    path.write_bytes(content)
    for _ in range(2):
        with pytest.raises(CacheFormatError, match=r"letter\.db: .*; name another|another"):
            asyncio.run(SQLiteStore(path).set("a", b"1", None))
    assert path.read_bytes() == content


def test_pages_that_were_overwritten_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"

    async def fill() -> None:
        store = SQLiteStore(path)
        for number in range(200):
            await store.set(f"{number:0100}", b"x" * 100, None)
        await store.aclose()

    asyncio.run(fill())
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(CacheFormatError):
        asyncio.run(SQLiteStore(path).get("1"))


@pytest.mark.parametrize(
    ("statement", "message"),
    [("CREATE TABLE letters (x)", "another program's"), ("PRAGMA user_version = 7", "format 7")],
)
def test_a_file_that_is_not_ours_or_newer_is_left_alone(
    tmp_path: Path, statement: str, message: str
) -> None:
    path = tmp_path / "other.db"
    if "version" in statement:
        asyncio.run(SQLiteStore(path).set("a", b"1", None))
    database = sqlite3.connect(path)
    database.execute(statement)
    database.commit()
    database.close()
    before = path.read_bytes()
    with pytest.raises(CacheFormatError, match=message):
        asyncio.run(SQLiteStore(path).set("b", b"2", None))
    assert path.read_bytes() == before


def test_a_place_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CacheStoreError, match="No such file or directory"):
        asyncio.run(SQLiteStore(tmp_path / "nowhere" / "answers.db").get("a"))


def test_a_lock_that_is_never_released_is_an_error_in_time(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    asyncio.run(SQLiteStore(path).set("a", b"1", None))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store = SQLiteStore(path, timeout=0.0)
    with pytest.raises(CacheStoreError, match="locked"):
        asyncio.run(store.set("a", b"2", None))
    assert asyncio.run(store.get("a")) == b"1"  # readers do not wait
    other.close()


def test_the_loop_goes_on_while_the_file_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    asyncio.run(SQLiteStore(path).set("a", b"1", None))
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")

    async def main() -> int:
        turns = 0
        write = asyncio.create_task(SQLiteStore(path, timeout=30.0).set("a", b"2", None))
        while not write.done():
            turns += 1
            if turns == 50:
                other.close()
            await asyncio.sleep(0.001)
        await write
        return turns

    assert asyncio.run(main()) >= 50
    assert threading.active_count() == 1


@pytest.mark.parametrize("options", [{"maxsize": 0}, {"timeout": -1.0}])
def test_what_makes_no_sense_is_refused(tmp_path: Path, options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="want maxsize >= 1 and timeout >= 0 s"):
        SQLiteStore(tmp_path / "answers.db", **options)


WRITER = """
import asyncio, sys
from robotape.cache import SQLiteStore
path, name, count, size = sys.argv[1:]
async def main():
    store = SQLiteStore(path, maxsize=100_000)
    print("ready", flush=True)
    for number in range(int(count)):
        await store.set(f"{name}-{number}", name.encode() * int(size), None)
        assert await store.get(f"{name}-{number}") is not None
asyncio.run(main())
"""


def writer(path: Path, name: str, count: int, size: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", WRITER, str(path), name, str(count), str(size)]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE)


def test_two_processes_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    both = [writer(path, name, 200, 10) for name in ("a", "b")]
    assert [process.wait() for process in both] == [0, 0]
    for process in both:
        assert process.stdout is not None
        process.stdout.close()
    assert rows(path) == 400


def test_killed_in_the_middle_of_a_write_it_leaves_a_good_file(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    store = SQLiteStore(path, maxsize=100_000)
    for round_number in range(4):
        name = f"w{round_number}"
        process = writer(path, name, 1_000_000, 50_000)
        assert process.stdout is not None
        process.stdout.readline()
        # As soon as it has written something, wherever it then is.
        while asyncio.run(store.get(f"{name}-{round_number}")) is None:
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        kept = asyncio.run(store.get(f"{name}-0"))
        assert kept == name.encode() * 50_000
    asyncio.run(store.set("after", b"1", None))
    assert asyncio.run(store.get("after")) == b"1"
    asyncio.run(store.aclose())
    assert rows(path) > 4
