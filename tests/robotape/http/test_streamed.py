"""Answers that are read as they come: their ends, their limits, their connections."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from robotape.http import (
    HttpConnectionError,
    HttpLimits,
    HttpPool,
    HttpRedirectError,
    HttpRefusedError,
    HttpTooLargeError,
)
from tests.robotape.loopback import Raw, answering

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n"
OPEN = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nHello"
LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHello"


async def body_of(origin: str, pool: HttpPool) -> tuple[bytes, bool]:
    async with pool.stream("post", f"{origin}/x", json={}) as reply:
        assert (reply.status, reply.url.path) == (200, "/x")
        body = b""
        while part := await reply.part():
            body += part
        return body, reply.is_delimited


@pytest.mark.parametrize(
    ("wire", "is_delimited"),
    [(CHUNKED + b"0\r\n\r\n", True), (OPEN, False), (LONG + b"....", True)],
)
def test_a_body_comes_whole_and_says_whether_its_end_is_marked(
    wire: bytes, is_delimited: bool
) -> None:
    async def main() -> tuple[bytes, bool]:
        async with Raw(wire).serving() as origin, HttpPool() as pool:
            return await body_of(origin, pool)

    body, found = asyncio.run(main())
    assert (body[:5], found) == (b"Hello", is_delimited)


@pytest.mark.parametrize("wire", [CHUNKED, LONG])
@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_body_that_breaks_off_is_an_error_where_its_end_is_marked(wire: bytes, end: str) -> None:
    async def main() -> None:
        async with Raw(wire, end=end).serving() as origin, HttpPool() as pool:
            with pytest.raises(HttpConnectionError) as caught:
                await body_of(origin, pool)
            assert caught.value.__cause__ is None
            assert caught.value.__context__ is None

    asyncio.run(main())


def test_a_body_that_outgrows_its_limit_is_hung_up_on() -> None:
    async def main() -> None:
        server = Raw(CHUNKED + b"5\r\nWorld\r\n", end="stay")
        limits = HttpLimits(max_stream_bytes=7)
        async with server.serving() as origin, HttpPool(limits=limits) as pool:
            with pytest.raises(HttpTooLargeError, match="larger than 7 bytes"):
                await body_of(origin, pool)
            await server.hung_up.wait()

    asyncio.run(main())


def test_read_to_the_end_it_is_a_reply_within_a_limit_of_its_own() -> None:
    async def main() -> None:
        server = Raw(CHUNKED + b"0\r\n\r\n", end="stay")
        async with server.serving() as origin, HttpPool() as pool:
            async with pool.stream("GET", origin) as reply:
                assert (await reply.read(5)).body == b"Hello"
            async with pool.stream("GET", origin) as reply:
                with pytest.raises(HttpTooLargeError, match="larger than 4 bytes"):
                    await reply.read(4)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("rest", "connections"),
    [(b"0\r\n\r\n", 1), (b"4\r\nrest\r\n0\r\n\r\n", 1), (b"", 2)],
    ids=["nothing", "a little", "no end"],
)
def test_finished_its_connection_is_kept_if_it_ends_in_a_moment(
    rest: bytes, connections: int
) -> None:
    async def main() -> int:
        server = Raw(CHUNKED + rest, end="stay")
        async with server.serving() as origin, HttpPool() as pool:
            for _ in range(2):
                async with pool.stream("GET", origin) as reply:
                    assert (await reply.part())[:5] == b"Hello"
                    await reply.finish()
            return len(server._writers)

    assert asyncio.run(main()) == connections


def test_finishing_what_broke_is_no_error() -> None:
    async def main() -> tuple[bytes, bool]:
        server = Raw(CHUNKED)
        async with (
            server.serving() as origin,
            HttpPool() as pool,
            pool.stream("GET", origin) as reply,
        ):
            part = await reply.part()
            await reply.finish()
            return part, reply.is_delimited

    assert asyncio.run(main()) == (b"Hello", True)


def test_control_reading_on_what_broke_is_one() -> None:
    async def main() -> None:
        async with (
            Raw(CHUNKED).serving() as origin,
            HttpPool() as pool,
            pool.stream("GET", origin) as reply,
        ):
            await reply.part()
            with pytest.raises(HttpConnectionError):
                await reply.part()

    asyncio.run(main())


def test_what_is_not_finished_is_hung_up_on() -> None:
    async def main() -> None:
        server = Raw(CHUNKED, end="stay")
        async with server.serving() as origin, HttpPool() as pool:
            async with pool.stream("GET", origin) as reply:
                await reply.part()
                assert not server.hung_up.is_set()
            assert await server.hung_up.wait()

    asyncio.run(main())


def test_an_error_of_the_block_passes_as_it_is() -> None:
    async def main() -> None:
        async with Raw(CHUNKED).serving() as origin, HttpPool() as pool:
            with pytest.raises(ConnectionResetError, match="mine"):
                async with pool.stream("GET", origin):
                    raise ConnectionResetError("mine")

    asyncio.run(main())


def test_rules_hold_and_no_redirect_is_followed() -> None:
    async def handler(request: web.Request) -> web.Response:
        raise web.HTTPFound("/y")

    async def main() -> None:
        async with answering(handler) as origin, HttpPool() as pool:
            with pytest.raises(HttpRedirectError):
                await body_of(origin, pool)
            with pytest.raises(HttpRefusedError):
                await body_of("http://elsewhere.example", pool)

    asyncio.run(main())


def test_an_error_status_is_an_answer() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=503, text="busy", headers={"x-request-id": "r"})

    async def main() -> Any:
        async with (
            answering(handler) as origin,
            HttpPool() as pool,
            pool.stream("GET", origin) as reply,
        ):
            return await reply.read(100)

    reply = asyncio.run(main())
    assert (reply.status, reply.body, reply.headers["X-Request-Id"]) == (503, b"busy", "r")


@pytest.mark.parametrize("is_streamed", [True, False])
def test_closing_the_pool_wakes_whoever_reads_a_body(is_streamed: bool) -> None:
    async def main() -> None:
        server = Raw(LONG, end="stay")
        async with server.serving() as origin, HttpPool() as pool:
            asking = body_of(origin, pool) if is_streamed else pool.request("GET", origin)
            reading = asyncio.ensure_future(asking)
            while not server.requests:
                await asyncio.sleep(0)
            await asyncio.sleep(0.02)
            await pool.aclose()
            with pytest.raises(HttpConnectionError, match="the pool was closed"):
                await asyncio.wait_for(reading, 5)

    asyncio.run(main())
