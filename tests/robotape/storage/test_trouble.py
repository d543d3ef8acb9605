"""Trouble: what a database's error means is decided by its code."""

import sqlite3

import pytest
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from robotape.secrets import keep_secret
from robotape.storage import (
    StorageError,
    StoreBusyError,
    StoreFormatError,
    StoreUnavailableError,
)
from robotape.storage.trouble import is_busy, is_passing, meaning


def lite(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("said by SQLite")
    error.sqlite_errorcode = code
    return error


class ServerError(Exception):
    def __init__(self, sqlstate: str | None) -> None:
        super().__init__("said by the server")
        self.sqlstate = sqlstate


CASES: dict[str, tuple[Exception, type[StorageError], bool]] = {
    "corrupt": (lite(sqlite3.SQLITE_CORRUPT), StoreFormatError, False),
    "corrupt, extended": (lite(sqlite3.SQLITE_CORRUPT_INDEX), StoreFormatError, False),
    "not a database": (lite(sqlite3.SQLITE_NOTADB), StoreFormatError, False),
    "busy": (lite(sqlite3.SQLITE_BUSY), StoreBusyError, False),
    "outdated": (lite(sqlite3.SQLITE_BUSY_SNAPSHOT), StoreBusyError, True),
    "recovery": (lite(sqlite3.SQLITE_BUSY_RECOVERY), StoreBusyError, True),
    "full": (lite(sqlite3.SQLITE_FULL), StoreUnavailableError, False),
    "read-only": (lite(sqlite3.SQLITE_READONLY_DIRECTORY), StoreUnavailableError, False),
    "deadlock": (ServerError("40P01"), StoreBusyError, True),
    "serialization": (ServerError("40001"), StoreBusyError, True),
    "lock timeout": (ServerError("55P03"), StoreBusyError, False),
    "data corrupted": (ServerError("XX001"), StoreFormatError, False),
    "no right": (ServerError("42501"), StoreUnavailableError, False),
    "no connection": (ServerError(None), StoreUnavailableError, False),
}


@pytest.mark.parametrize(("error", "kind", "passes"), CASES.values(), ids=CASES)
def test_a_code_has_one_meaning(error: Exception, kind: type[StorageError], passes: bool) -> None:
    wrapped = DBAPIError("SELECT 1", None, error)
    for raised in (error, wrapped):
        assert type(meaning("tapes.db", raised)) is kind
        assert is_passing(raised) is passes
        assert is_busy(raised) is (kind is StoreBusyError)
    assert "said by" in str(meaning("tapes.db", wrapped))
    assert "SELECT" not in str(meaning("tapes.db", wrapped))


def test_waiting_for_a_connection_in_vain_is_busy() -> None:
    assert type(meaning("tapes.db", PoolTimeoutError("no connection"))) is StoreBusyError


def test_control_an_error_without_a_code_is_unavailable() -> None:
    assert type(meaning("tapes.db", SQLAlchemyError("odd"))) is StoreUnavailableError


def test_what_a_database_says_is_redacted() -> None:
    keep_secret("CANARY", "canary-in-trouble-90c2")
    said = str(meaning("tapes.db", sqlite3.OperationalError("x canary-in-trouble-90c2")))
    assert said == "tapes.db: x [redacted:CANARY]"
