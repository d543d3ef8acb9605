"""What a database's error means for a tape store: decided from its code, never from its words."""

import sqlite3

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from robotape.secrets import redact
from robotape.storage.errors import (
    StorageError,
    StoreBusyError,
    StoreFormatError,
    StoreUnavailableError,
)

__all__ = ["is_busy", "is_passing", "meaning"]

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
# A snapshot that another process outdated, and recovery after one was killed: over at once.
_PASSING = {sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite3.SQLITE_BUSY_RECOVERY}
# Source: PostgreSQL 15, appendix A: serialization failure, deadlock, lock timeout, statement
# timeout; data and index corruption.
_PASSING_STATES = {"40001", "40P01"}
_BUSY_STATES = {*_PASSING_STATES, "55P03", "57014"}
_DAMAGED_STATES = {"XX001", "XX002"}


def is_passing(error: Exception) -> bool:
    """Whether the same transaction, begun again at once, has a fair chance."""
    return _code(error) in _PASSING or _state(error) in _PASSING_STATES


def is_busy(error: Exception) -> bool:
    """Whether others are at work there."""
    return (
        _code(error) & 0xFF in _BUSY
        or _state(error) in _BUSY_STATES
        or isinstance(error, PoolTimeoutError)
    )


def meaning(store: str, error: Exception) -> StorageError:
    """The error in robotape's words.

    Args:
        store: Named in it.
        error: As SQLAlchemy or SQLite's driver raised it.
    """
    said = redact(str(_original(error))).strip()
    if _code(error) & 0xFF in _DAMAGED or _state(error) in _DAMAGED_STATES:
        return StoreFormatError(store, f"damaged, or no database: {said}")
    if is_busy(error):
        return StoreBusyError(store, f"others kept it busy for too long: {said}")
    return StoreUnavailableError(store, said)


def _code(error: Exception) -> int:
    """SQLite's extended error code, or 0."""
    code = getattr(_original(error), "sqlite_errorcode", 0)
    return code if isinstance(code, int) else 0


def _state(error: Exception) -> str:
    """PostgreSQL's five characters, or an empty string."""
    return str(getattr(_original(error), "sqlstate", None) or "")


def _original(error: Exception) -> BaseException | None:
    return error.orig if isinstance(error, DBAPIError) else error
