"""The store on Redis: against a real server where there is one, and against none at all."""

import asyncio
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from robotape.cache import CacheStoreError, RedisStore
from robotape.secrets import redact
from tests.robotape.cache.stores import broken_laws

URL = os.environ.get("ROBOTAPE_TEST_REDIS", "")
needs_server = pytest.mark.skipif(
    not URL, reason="no Redis server: `make test-redis` starts one (Debian's redis-server)"
)


async def closing(store: RedisStore, *requests: Any) -> list[Any]:
    try:
        return [await request for request in requests]
    finally:
        await store.aclose()


@needs_server
def test_it_keeps_the_laws() -> None:
    store = RedisStore(URL, prefix="laws:")
    assert asyncio.run(closing(store, broken_laws(store))) == [[]]


@needs_server
def test_each_loop_has_connections_of_its_own_and_sees_the_same() -> None:
    store = RedisStore(URL, prefix="loops:")
    asyncio.run(closing(store, store.set("a", b"1", None)))
    assert asyncio.run(closing(store, store.get("a"), store.clear())) == [b"1", None]


@needs_server
def test_clear_takes_its_own_keys_alone_whatever_the_prefix() -> None:
    one, other = RedisStore(URL, prefix="a*[x]:"), RedisStore(URL, prefix="abx:")

    async def main() -> list[bytes | None]:
        for number in range(1200):
            await one.set(str(number), b"1", 60.0)
        await other.set("kept", b"1", 60.0)
        await one.clear()
        seen = [await one.get("0"), await one.get("1199"), await other.get("kept")]
        await other.clear()
        await one.aclose()
        await other.aclose()
        return seen

    assert asyncio.run(main()) == [None, None, b"1"]


@needs_server
def test_the_server_forgets_in_time() -> None:
    store = RedisStore(URL, prefix="ttl:")

    async def main() -> int:
        await store.set("a", b"1", 0.05)
        turns = 0
        while await store.get("a") is not None:
            turns += 1
            await asyncio.sleep(0.005)
        await store.aclose()
        return turns

    assert asyncio.run(main()) > 0


@needs_server
def test_a_wrong_password_is_an_error_without_the_password() -> None:
    wrong = URL.replace("redis://:", "redis://:wrong-password-")
    store = RedisStore(wrong)
    with pytest.raises(CacheStoreError) as caught:
        asyncio.run(closing(store, store.get("a")))
    assert "wrong-password" not in f"{caught.value!r} {caught.value} {store!r}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.mark.parametrize("operation", ["get", "set", "delete", "clear"])
def test_no_server_is_an_error(operation: str) -> None:
    store = RedisStore(f"redis://127.0.0.1:{free_port()}")
    args = {"get": ("a",), "set": ("a", b"1", None), "delete": ("a",), "clear": ()}[operation]
    with pytest.raises(CacheStoreError, match=r"cache store 127\.0\.0\.1:\d+: ConnectionError"):
        asyncio.run(closing(store, getattr(store, operation)(*args)))


def test_a_server_that_never_answers_is_an_error_in_time() -> None:
    async def main() -> None:
        async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        silent = await asyncio.start_server(keep_silent, "127.0.0.1", 0)
        port = silent.sockets[0].getsockname()[1]
        store = RedisStore(f"redis://127.0.0.1:{port}", timeout=0.05)
        async with silent:
            with pytest.raises(CacheStoreError, match=r"no answer within 0\.05 s"):
                await closing(store, store.get("a"))
            while len(asyncio.all_tasks()) > 1:
                await asyncio.sleep(0)

    asyncio.run(main())


def test_the_password_of_a_url_is_a_secret_from_then_on() -> None:
    store = RedisStore("redis://user:pass%2Dword%2D1234@localhost")
    assert "pass-word-1234" not in redact("it is pass-word-1234")
    assert repr(store) == "RedisStore('localhost:6379')"


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("http://localhost", {}),
        ("localhost:6379", {}),
        ("redis://localhost", {"prefix": ""}),
        ("redis://localhost", {"timeout": 0}),
    ],
)
def test_what_makes_no_sense_is_refused(url: str, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="want a"):
        RedisStore(url, **options)


def test_making_a_store_connects_to_nothing(tmp_path: Path) -> None:
    assert repr(RedisStore(f"unix://{tmp_path}/socket"))
