"""A failure comes out of aiohttp as what it raises itself, and back again."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, get_args

import pytest

from robotape_harness.seams import ExchangeError, Failure, Forward, Request, Response, use

aiohttp = pytest.importorskip("aiohttp")
errors = pytest.importorskip("robotape_harness.seams.aiohttp_errors")

BEFORE: dict[Any, str] = {
    "dns": "ClientConnectorDNSError",
    "refused": "ClientConnectorError",
    "tls": "ClientConnectorCertificateError",
    "connect_timeout": "ConnectionTimeoutError",
    "pool_timeout": "ConnectionTimeoutError",
    "read_timeout": "SocketTimeoutError",
    "write_timeout": "SocketTimeoutError",
    "reset": "ClientOSError",
    "closed": "ServerDisconnectedError",
    "malformed": "ClientResponseError",
}
WITHIN: dict[Any, str] = {
    "reset": "ClientPayloadError",
    "closed": "ClientPayloadError",
    "malformed": "ClientPayloadError",
    "read_timeout": "SocketTimeoutError",
}


async def fetched(url: str, method: str = "POST") -> Exception:
    async with aiohttp.ClientSession() as session:
        try:
            async with session.request(method, url) as response:
                await response.read()
        except Exception as error:
            return error
    raise AssertionError("nothing failed")


def test_every_failure_is_told_in_aiohttps_words() -> None:
    assert BEFORE.keys() == {*get_args(Failure)} - {"other"}


@pytest.mark.parametrize(("kind", "name"), BEFORE.items(), ids=BEFORE)
def test_a_failure_before_the_answer(kind: Failure, name: str) -> None:
    async def fail(request: Request, forward: Forward) -> Response:
        raise ExchangeError(kind)

    with use(fail) as scope:
        error = asyncio.run(fetched("http://a.test/"))
    assert type(error).__name__ == name
    assert scope.exchanges == 1


def test_a_dead_connection_is_tried_again_by_the_client_itself() -> None:
    async def fail(request: Request, forward: Forward) -> Response:
        raise ExchangeError("closed")

    with use(fail) as scope:
        asyncio.run(fetched("http://a.test/", "GET"))
    assert scope.exchanges == 2


@pytest.mark.parametrize(("kind", "name"), WITHIN.items(), ids=WITHIN)
@pytest.mark.parametrize("framing", [("transfer-encoding", "chunked"), ("content-length", "9")])
def test_a_failure_within_a_body(kind: Failure, name: str, framing: tuple[str, str]) -> None:
    async def fail(request: Request, forward: Forward) -> Response:
        return Response.of(200, [b"abc", b"def"], [framing], end=kind)

    with use(fail):
        assert type(asyncio.run(fetched("http://a.test/"))).__name__ == name


@pytest.mark.parametrize("chunks", [b"abc", [b"a", b"bc"]])
def test_a_body_shorter_than_its_length_is_cut_off(chunks: Any) -> None:
    async def short(request: Request, forward: Forward) -> Response:
        return Response.of(200, chunks, [("content-length", "9")])

    with use(short):
        assert type(asyncio.run(fetched("http://a.test/"))) is aiohttp.ClientPayloadError


HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"
REAL = {"closed": HEAD + b"abc", "malformed": b"nonsense\r\n\r\n"}


@asynccontextmanager
async def peer(wire: bytes) -> AsyncIterator[str]:
    """Says this and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(wire)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@pytest.mark.parametrize(("kind", "wire"), REAL.items(), ids=REAL)
def test_a_real_failure_is_told_to_the_handler_and_comes_out_as_the_client_has_it(
    kind: str, wire: bytes
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

    async def run() -> tuple[Exception, Exception]:
        async with peer(wire) as url:
            bare = await fetched(url)
            with use(look):
                return bare, await fetched(url)

    bare, seen = asyncio.run(run())
    assert [failure.failure for failure in told] == [kind]
    assert type(seen) is type(bare)


def test_nobody_listening_is_told_as_that() -> None:
    async def look(request: Request, forward: Forward) -> Response:
        with pytest.raises(ExchangeError) as caught:
            await forward(request)
        assert caught.value.failure == "refused"
        raise caught.value

    async def run() -> Exception:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            return await fetched(f"http://127.0.0.1:{taken.getsockname()[1]}/")

    with use(look):
        assert type(asyncio.run(run())) is aiohttp.ClientConnectorError


def test_what_has_no_name_here_is_passed_on_as_it_is() -> None:
    assert errors.failure_of(KeyError("x")).failure == "other"
    assert errors.failure_of(aiohttp.SocketTimeoutError()).failure == "read_timeout"
