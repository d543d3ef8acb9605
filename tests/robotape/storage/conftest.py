"""Stores to test: a SQLite file always, PostgreSQL where ROBOTAPE_TEST_POSTGRES names a server."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from robotape.storage import TapeStore

SERVER = "ROBOTAPE_TEST_POSTGRES"
_numbers = itertools.count()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of its own, under the name a user would give it."""
    if request.param == "sqlite":
        yield str(tmp_path / "tapes.db")
        return
    server = os.environ.get(SERVER)
    if server is None:
        pytest.skip(f"{SERVER} names no server: `make test-postgres` starts one")
    schema = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
        yield f"{server}?options=-csearch_path%3D{schema}"
        connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())


@pytest.fixture
def store(url: str) -> Iterator[TapeStore]:
    with TapeStore(url) as opened:
        yield opened
