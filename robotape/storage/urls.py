"""What a user names a store by, as the URL of a database; nothing is opened here."""

import os
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from robotape.secrets import keep_secret

__all__ = ["is_file", "is_memory", "shown", "store_url"]

_MEMORY = ":memory:"
_POSTGRES = ("postgresql+psycopg", "postgresql", "postgres")


def store_url(given: str | os.PathLike[str]) -> URL:
    """The URL of a store; relative paths are made absolute, passwords are kept secret.

    Args:
        given: A path, `:memory:`, `sqlite:///path` or `postgresql://user:password@host/name`.

    Raises:
        ValueError: It is none of them.
    """
    if not isinstance(given, str) or "://" not in given:
        return _sqlite(os.fspath(given))
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):  # a port that is no number
        raise ValueError("a store's URL must have the form scheme://...") from None
    if url.drivername == "sqlite" and not url.query:
        return _sqlite(url.database or _MEMORY)
    if url.drivername in _POSTGRES:
        if url.password:
            keep_secret("database password", url.password)
        return url.set(drivername=_POSTGRES[0])
    raise ValueError(
        f"{url.drivername}: a store is a path, sqlite:///path without options, or postgresql://..."
    )


def _sqlite(path: str) -> URL:
    if not path:
        raise ValueError("the path of a store is empty")
    return URL.create("sqlite", database=path if path == _MEMORY else str(Path(path).absolute()))


def is_memory(url: URL) -> bool:
    """Whether the store is gone with the object that opened it."""
    return url.database == _MEMORY and not is_server(url)


def is_file(url: URL) -> bool:
    """Whether the store is a file of its own."""
    return not is_server(url) and url.database != _MEMORY


def is_server(url: URL) -> bool:
    """Whether a server keeps the store, maybe beside other things."""
    return url.get_backend_name() != "sqlite"


def shown(url: URL) -> str:
    """The store as errors name it: path, or URL without password and options."""
    if is_server(url):
        return url.set(query={}).render_as_string(hide_password=True)
    return url.database or _MEMORY
