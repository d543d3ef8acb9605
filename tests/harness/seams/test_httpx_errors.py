"""A failure comes out of httpx and httpx2 as what they themselves raise, and back again."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from robotape_harness.seams import ExchangeError, Failure, Forward, Request, Response, use
from robotape_harness.seams.httpx_errors import NAMES, failure_of
from tests.harness.seams.speakers import module


@pytest.fixture(params=["httpx", "httpx2"])
def library(request: pytest.FixtureRequest) -> Any:
    pytest.importorskip(request.param)
    return module(request.param)


def fetched(library: Any, url: str, is_sync: bool) -> Exception:
    """What comes out of a client."""

    async def run() -> None:
        async with library.AsyncClient(timeout=1) as client:
            await client.get(url)

    try:
        if is_sync:
            library.get(url, timeout=1)
        else:
            asyncio.run(run())
    except Exception as error:
        return error
    raise AssertionError("nothing failed")


both = pytest.mark.parametrize("is_sync", [True, False], ids=["sync", "async"])


@both
@pytest.mark.parametrize("kind", sorted(NAMES))
def test_a_failure_before_the_answer(library: Any, kind: Failure, is_sync: bool) -> None:
    async def fail(request: Request, forward: Forward) -> Response:
        raise ExchangeError(kind)

    with use(fail):
        error = fetched(library, "http://a.test/", is_sync)
    assert type(error) is getattr(library, NAMES[kind])
    assert isinstance(error.__cause__, ExchangeError)


@both
@pytest.mark.parametrize(
    ("kind", "name"),
    [("reset", "ReadError"), ("closed", "RemoteProtocolError"), ("read_timeout", "ReadTimeout")],
)
def test_a_failure_within_a_body(library: Any, kind: Failure, name: str, is_sync: bool) -> None:
    async def fail(request: Request, forward: Forward) -> Response:
        return Response.of(200, b"abc", [("content-length", "9")], end=kind)

    with use(fail):
        error = fetched(library, "http://a.test/", is_sync)
    assert type(error) is getattr(library, name)
    if kind == "closed":
        assert "(received 3 bytes, expected 9)" in str(error)


def test_a_body_shorter_than_its_length_is_cut_off(library: Any) -> None:
    async def short(request: Request, forward: Forward) -> Response:
        return Response.of(200, b"abc", [("content-length", "9")])

    with use(short), pytest.raises(library.RemoteProtocolError, match="received 3 bytes"):
        library.get("http://a.test/")


@contextmanager
def peer(wire: bytes) -> Iterator[str]:
    """Says this and hangs up, once; empty wire: does not even listen."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        if wire:
            server.listen()
        yield url if not wire else _answering(server, wire, url)


def _answering(server: socket.socket, wire: bytes, url: str) -> str:
    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(wire)

    threading.Thread(target=serve, daemon=True).start()
    return url


HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"
REAL = {"refused": b"", "closed": HEAD + b"abc", "malformed": b"nonsense\r\n\r\n"}


@both
@pytest.mark.parametrize(("kind", "wire"), REAL.items(), ids=REAL)
def test_a_real_failure_is_told_to_the_handler_and_comes_out_as_the_very_object(
    library: Any, kind: str, wire: bytes, is_sync: bool
) -> None:
    told: list[ExchangeError] = []

    async def look(request: Request, forward: Forward) -> Response:
        try:
            answer = await forward(request)
            await answer.body.read()
        except ExchangeError as failure:
            told.append(failure)
            raise
        return answer

    with peer(wire) as url, use(look):
        error = fetched(library, url, is_sync)
    assert [failure.failure for failure in told] == [kind]
    assert told[0].original is error


def test_what_has_no_name_here_is_passed_on_as_it_is(library: Any) -> None:
    assert failure_of(library, KeyError("x")).failure == "other"
    for name, kind in (("PoolTimeout", "pool_timeout"), ("WriteError", "reset")):
        assert failure_of(library, getattr(library, name)("x")).failure == kind
    unknown = library.ConnectError("x")
    unknown.__cause__ = socket.gaierror(-2, "x")
    assert failure_of(library, unknown).failure == "dns"
    assert cast("str", failure_of(library, library.ConnectError("x")).failure) == "refused"
