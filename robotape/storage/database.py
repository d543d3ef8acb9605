"""The database under a tape store: opened, kept apart from others, written whole or not at all.

It knows transactions, waiting and versions; which rows there are is the store's business.
"""

import sqlite3
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    QueuePool,
    create_engine,
    event,
    func,
    inspect,
    select,
)
from sqlalchemy.exc import SQLAlchemyError

from robotape.storage.errors import StoreFormatError, StoreUnavailableError
from robotape.storage.schema import VERSION, migrate, version_of
from robotape.storage.trouble import is_busy, is_passing, meaning
from robotape.storage.urls import is_file, is_memory, is_server, shown

__all__ = ["ATTEMPTS", "Database"]

T = TypeVar("T")

ATTEMPTS = 5
# Source: SQLite, "Database File Format", 1.3.2: the smallest page, in bytes.
_SMALLEST = 512
_WRITES = "robotape_writes"
_MIGRATION = "robotape_schema"


class Database:
    """One database with a tape store in it; for use by several threads at once."""

    def __init__(self, url: URL, *, timeout: float) -> None:
        """Open it, and make or migrate the store in it.

        Args:
            url: As `store_url` gives it.
            timeout: Seconds, > 0, to wait for others.

        Raises:
            StoreFormatError: It is no store, damaged or newer; nothing was written.
            StoreUnavailableError: It cannot be opened or reached.
        """
        self.name = shown(url)
        self._is_server = is_server(url)
        self._timeout = timeout
        self._engine = self._made(url)
        self._close = weakref.finalize(self, self._engine.dispose)
        try:
            self._prepare(url)
        except BaseException:
            self.close()
            raise

    def _made(self, url: URL) -> Engine:
        if self._is_server:
            return self._server(url)
        if is_file(url):
            self._look_at_the_file(Path(self.name))
        engine = create_engine(
            url,
            hide_parameters=True,
            poolclass=QueuePool,
            # Each connection to :memory: is a database of its own: then there is one for all.
            pool_size=1 if is_memory(url) else 5,
            max_overflow=0 if is_memory(url) else 30,
            pool_timeout=self._timeout,
            connect_args={"timeout": self._timeout, "check_same_thread": False},
        )
        event.listen(engine, "connect", _leave_transactions_to_us)
        event.listen(engine, "begin", _begin)
        return engine

    def _look_at_the_file(self, path: Path) -> None:
        if not path.parent.is_dir():
            raise StoreUnavailableError(self.name, "its folder is not there; make it first")
        # SQLite takes what is shorter than its smallest page for an empty file, and writes over it.
        # Not opened to look at: closing it again would free the locks this process has on it.
        if path.is_file() and 0 < path.stat().st_size < _SMALLEST:
            raise StoreFormatError(self.name, "damaged, or no database: it is not a database file")

    def _server(self, url: URL) -> Engine:
        limits = {} if "connect_timeout" in url.query else {"connect_timeout": self._timeout}
        try:
            return create_engine(
                url,
                hide_parameters=True,
                pool_pre_ping=True,
                pool_timeout=self._timeout,
                max_overflow=30,
                connect_args={name: max(2, round(limit)) for name, limit in limits.items()},
            )
        except ImportError:
            reason = "PostgreSQL needs psycopg: pip install 'robotape[postgres]'"
            raise StoreUnavailableError(self.name, reason) from None

    # -- opening

    def _prepare(self, url: URL) -> None:
        """Look first and write then: what is not ours stays as it is."""
        if self.read(self._looked_at) == VERSION:
            return
        if is_file(url):
            self._retried(self._keep_a_log)
        self.write(self._migrated, lock=_MIGRATION)

    def _looked_at(self, connection: Connection) -> int | None:
        version = self._judged(lambda: version_of(connection))
        if version is None and not self._is_server and inspect(connection).get_table_names():
            raise StoreFormatError(self.name, "a database with other tables, and no tape store")
        return version

    def _migrated(self, connection: Connection) -> None:
        self._judged(lambda: migrate(connection))

    def _judged(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except ValueError as error:
            raise StoreFormatError(self.name, str(error)) from None

    def _keep_a_log(self) -> None:
        """Switch a file to write-ahead logging for good: then readers do not wait for a writer."""
        pooled = self._engine.raw_connection()
        connection: Any = pooled.driver_connection
        try:
            for _ in range(ATTEMPTS):
                # Taken and given back, for the switch itself does not wait for others.
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
                try:
                    connection.execute("PRAGMA journal_mode = WAL")
                    return
                except sqlite3.OperationalError as error:
                    if not is_busy(error):
                        raise
        finally:
            pooled.close()

    # -- transactions

    def read(self, work: Callable[[Connection], T]) -> T:
        """Do something that only reads, on one unchanging picture of the database.

        Raises:
            StorageError: The database refused.
        """
        if self._is_server:
            return self._transact(work, isolation_level="REPEATABLE READ")
        return self._transact(work)

    def write(self, work: Callable[[Connection], T], *, lock: str) -> T:
        """Do something that writes, wholly or not at all.

        Args:
            work: May be begun again from the start.
            lock: No two writers with the same word are at work at once.

        Raises:
            StorageError: The database refused, and all is as it was.
        """

        def locked(connection: Connection) -> T:
            if self._is_server:
                limit = max(1, round(self._timeout * 1000))
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {limit}")
                word = func.hashtextextended(lock, 0)
                connection.execute(select(func.pg_advisory_xact_lock(word)))
            return work(connection)

        return self._transact(locked, **{_WRITES: True})

    def _transact(self, work: Callable[[Connection], T], **options: Any) -> T:
        def whole() -> T:
            connecting = self._engine.connect()
            with connecting as connection, connection.execution_options(**options).begin():
                return work(connection)

        return self._retried(whole)

    def _retried(self, work: Callable[[], T]) -> T:
        if not self._close.alive:
            raise StoreUnavailableError(self.name, "the store is closed")
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return work()
            except (SQLAlchemyError, sqlite3.Error) as error:
                if attempt == ATTEMPTS or not is_passing(error):
                    raise meaning(self.name, error) from error
        raise AssertionError("the last attempt returns or raises")

    def close(self) -> None:
        """Close all connections; more than once does nothing more."""
        self._close()


def _leave_transactions_to_us(connection: Any, _: object) -> None:
    # Else sqlite3 would begin transactions by its own rules, and never an immediate one.
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
