"""URLs: what a user names a store by, and what is shown of it."""

from pathlib import Path

import pytest

from robotape.secrets import redact
from robotape.storage.urls import is_file, is_memory, is_server, shown, store_url

PG = "postgresql+psycopg"
GIVEN: dict[str, tuple[str, str]] = {
    "path": ("tapes.db", "{here}/tapes.db"),
    "absolute path": ("/a/b c.db", "/a/b c.db"),
    "sqlite": ("sqlite:///tapes.db", "{here}/tapes.db"),
    "sqlite absolute": ("sqlite:////a/b.db", "/a/b.db"),
    "memory": (":memory:", ":memory:"),
    "sqlite memory": ("sqlite:///:memory:", ":memory:"),
    "sqlite nothing": ("sqlite://", ":memory:"),
    "postgresql": ("postgresql://me@host:1/db", f"{PG}://me@host:1/db"),
    "postgres": ("postgres://me@host/db", f"{PG}://me@host/db"),
    "psycopg": (f"{PG}://host/db?sslmode=require", f"{PG}://host/db"),
}


@pytest.mark.parametrize(("given", "name"), GIVEN.values(), ids=GIVEN)
def test_a_store_is_shown_by_one_name(
    given: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = store_url(given)
    assert shown(url) == name.format(here=tmp_path)
    assert [is_file(url), is_memory(url), is_server(url)] == [
        name.startswith(("/", "{")),
        name == ":memory:",
        name.startswith(PG),
    ]


def test_a_path_may_be_a_path(tmp_path: Path) -> None:
    assert shown(store_url(tmp_path / "a.db")) == str(tmp_path / "a.db")


def test_options_reach_the_server() -> None:
    assert store_url("postgresql://host/db?sslmode=require").query == {"sslmode": "require"}


def test_a_password_is_kept_secret() -> None:
    url = store_url("postgresql://me:pass-word-4711@host/db")
    assert shown(url) == f"{PG}://me:***@host/db"
    assert redact("pass-word-4711") == "[redacted:database password]"


REFUSED = {
    "other database": ("mysql://host/db", "mysql"),
    "other driver": ("postgresql+asyncpg://host/db", "asyncpg"),
    "sqlite with options": ("sqlite:///a.db?mode=ro", "without options"),
    "no path": ("", "empty"),
    "no URL": ("://", "scheme"),
    "no port": ("postgresql://me:pass-word-4711@host:port/db", "scheme"),
}


@pytest.mark.parametrize(("given", "words"), REFUSED.values(), ids=REFUSED)
def test_anything_else_is_refused_without_showing_it(given: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        store_url(given)
    assert "4711" not in str(caught.value)
