"""Tapes in a database: kept, found again and loaded byte for byte; it runs nothing.

`TapeStore` brings SQLAlchemy along and waits until it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from robotape.storage.errors import (
    StorageError,
    StoreBusyError,
    StoreFormatError,
    StoreUnavailableError,
    TapeConflict,
    TapeNotFoundError,
)
from robotape.storage.summary import TapeSummary

if TYPE_CHECKING:
    from robotape.storage.store import TapeStore

__all__ = [
    "StorageError",
    "StoreBusyError",
    "StoreFormatError",
    "StoreUnavailableError",
    "TapeConflict",
    "TapeNotFoundError",
    "TapeStore",
    "TapeSummary",
]


def __getattr__(name: str) -> Any:
    if name != "TapeStore":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = import_module("robotape.storage.store").TapeStore
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
