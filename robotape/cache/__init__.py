"""Caching: each question asked once, by a decorator for functions and a stage of the corridor.

What is cached is held by the run; outside any run by the event loop. Stores, where answers
outlive both, are given by those who want one; SQLite and Redis wait until they are.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from robotape.cache.decorator import CachedFunction, cached
from robotape.cache.errors import CacheFormatError, CacheStoreError
from robotape.cache.holder import Cache, cache_at
from robotape.cache.keys import canonical, digest, stable_name
from robotape.cache.rule import Caching
from robotape.cache.shelf import CacheInfo, Codec
from robotape.cache.store import CacheStore, MemoryStore

if TYPE_CHECKING:
    from robotape.cache.redis import RedisStore
    from robotape.cache.sqlite import SQLiteStore

__all__ = [
    "Cache",
    "CacheFormatError",
    "CacheInfo",
    "CacheStore",
    "CacheStoreError",
    "CachedFunction",
    "Caching",
    "Codec",
    "MemoryStore",
    "RedisStore",
    "SQLiteStore",
    "cache_at",
    "cached",
    "canonical",
    "digest",
    "stable_name",
]

_LAZY = {"RedisStore": "robotape.cache.redis", "SQLiteStore": "robotape.cache.sqlite"}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_LAZY[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
