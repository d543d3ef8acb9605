"""The store in a file: SQLite, so that it is whole at every moment and shared by processes.

Blocking work is done in a thread, never on the loop; there is no schema but its own.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TypeVar

from robotape.cache.errors import CacheFormatError, CacheStoreError
from robotape.runtime import wall_clock

__all__ = ["SQLiteStore"]

T = TypeVar("T")

APPLICATION_ID = 0x72_74_63_31  # "rtc1", in the file's header: whose it is
VERSION = 1

# AUTOINCREMENT: a number is never given twice, so the numbers alone tell what is oldest.
_SCHEMA = f"""
CREATE TABLE answers (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    value BLOB NOT NULL,
    expires_at REAL
);
CREATE INDEX answers_expire ON answers (expires_at) WHERE expires_at IS NOT NULL;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
"""


class SQLiteStore:
    """A store in one file on a local disk.

    Guarantee: a value is in the file wholly or not at all, also if the process is killed
    while it writes; any number of processes may share the file; it holds at most `maxsize`
    values, the oldest go first, and those whose time is over go at the next write. A file
    that is damaged, not ours or newer is never written to.

    Attributes:
        path: The file; readable by its owner alone where this store made it.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, maxsize: int = 10_000, timeout: float = 5.0
    ) -> None:
        """Name the file; it is made, or opened, at first use.

        Args:
            path: Its folder must exist.
            maxsize: Values kept; >= 1.
            timeout: Seconds to wait while another process writes; >= 0.

        Raises:
            ValueError: `maxsize` is below 1 or `timeout` negative.
        """
        self._database: sqlite3.Connection | None = None
        if maxsize < 1 or timeout < 0:
            raise ValueError(
                f"want maxsize >= 1 and timeout >= 0 s, got maxsize={maxsize}, timeout={timeout}"
            )
        self.path = Path(path)
        self.maxsize = maxsize
        self.timeout = timeout
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"SQLiteStore({self.path.name!r})"

    async def get(self, key: str) -> bytes | None:
        """See `CacheStore.get`.

        Raises:
            CacheFormatError: The file is damaged, not ours, or newer.
            CacheStoreError: It cannot be read, or others kept it locked.
        """
        now = wall_clock()
        return await asyncio.to_thread(self._do, lambda database: _get(database, key, now))

    async def set(self, key: str, value: bytes, ttl: float | None) -> None:
        """See `CacheStore.set`; raises as `get`."""
        now = wall_clock()
        expires_at = None if ttl is None else now + ttl
        row = (key, value, expires_at)
        await asyncio.to_thread(self._do, lambda database: _set(database, row, now, self.maxsize))

    async def delete(self, key: str) -> None:
        """See `CacheStore.delete`; raises as `get`."""
        await self._change("DELETE FROM answers WHERE key = ?", key)

    async def clear(self) -> None:
        """See `CacheStore.clear`; raises as `get`."""
        await self._change("DELETE FROM answers")

    async def _change(self, statement: str, *values: str) -> None:
        def change(database: sqlite3.Connection) -> None:
            with _written(database):
                database.execute(statement, values)

        await asyncio.to_thread(self._do, change)

    async def aclose(self) -> None:
        """Close the file; it is opened again when the store is used again."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    def __del__(self) -> None:
        if self._database is not None:
            self._database.close()

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock, self._explained():
            if self._database is None:
                self._database = self._open()
            return work(self._database)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn SQLite's errors into ours; `OperationalError` is what may pass."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise CacheStoreError(self.path.name, str(error)) from error
        except sqlite3.DatabaseError as error:
            raise CacheFormatError(
                self.path.name, f"{error}; remove the file, or name another"
            ) from error
        except OSError as error:
            raise CacheStoreError(self.path.name, error.strerror or str(error)) from error

    def _open(self) -> sqlite3.Connection:
        # Made here, for SQLite would make it readable by everybody.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        database = sqlite3.connect(
            self.path, timeout=self.timeout, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(database)
        except BaseException:
            database.close()
            raise
        return database

    def _prepare(self, database: sqlite3.Connection) -> None:
        """Make the schema in an empty file, in one transaction; know any other by its header."""
        if _is_empty(database):
            with _written(database):
                if _is_empty(database):  # else another process was first
                    for statement in filter(str.strip, _SCHEMA.split(";")):
                        database.execute(statement)
        owner, version = _pragma(database, "application_id"), _pragma(database, "user_version")
        if owner != APPLICATION_ID:
            raise CacheFormatError(self.path.name, "the file is another program's; name another")
        if version != VERSION:
            raise CacheFormatError(
                self.path.name, f"format {version}; this robotape reads {VERSION}. Update robotape"
            )
        # Readers and a writer at once, and no wait for the disk at each write: a killed
        # process loses nothing, a power failure the newest answers.
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")


def _get(database: sqlite3.Connection, key: str, now: float) -> bytes | None:
    row: tuple[bytes] | None = database.execute(
        "SELECT value FROM answers WHERE key = ? AND (expires_at IS NULL OR expires_at > ?)",
        (key, now),
    ).fetchone()
    return None if row is None else row[0]


def _set(
    database: sqlite3.Connection, row: tuple[str, bytes, float | None], now: float, maxsize: int
) -> None:
    with _written(database):
        database.execute("DELETE FROM answers WHERE expires_at <= ?", (now,))
        database.execute(
            "INSERT OR REPLACE INTO answers (key, value, expires_at) VALUES (?, ?, ?)", row
        )
        # Whatever lies `maxsize` writes back goes: no counting, so that a write costs the
        # same in a full file.
        database.execute(
            "DELETE FROM answers WHERE number <= (SELECT max(number) FROM answers) - ?", (maxsize,)
        )


@contextmanager
def _written(database: sqlite3.Connection) -> Iterator[None]:
    """One transaction that has the right to write from its beginning."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _is_empty(database: sqlite3.Connection) -> bool:
    return _pragma(database, "application_id") == 0 and not _pragma(database, "schema_version")


def _pragma(database: sqlite3.Connection, name: str) -> int:
    value: int = database.execute(f"PRAGMA {name}").fetchone()[0]
    return value
