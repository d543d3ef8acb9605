"""One exchange of aiohttp: what handlers see, bodies by chunks, time, closing, cancellation."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest

from robotape_harness.seams import Body, Forward, Request, Response, pause, use
from robotape_harness.simulation import SimLoop
from tests.harness.seams.origin import Origin, serving

aiohttp = pytest.importorskip("aiohttp")


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with serving() as server:
        yield server


async def forward_it(request: Request, forward: Forward) -> Response:
    return await forward(request)


async def read_it_first(request: Request, forward: Forward) -> Response:
    await request.body.read()
    answer = await forward(request)
    await answer.body.read()
    return answer


async def tee(request: Request, forward: Forward) -> Response:
    real = await forward(request)

    async def chunks() -> AsyncIterator[bytes]:
        async for chunk in real.body:
            await asyncio.sleep(0)
            yield chunk

    return replace(real, body=Body(chunks()))


handlers = pytest.mark.parametrize("handler", [forward_it, read_it_first, tee])


def with_session(
    run: Callable[[Any], Coroutine[Any, Any, Any]], *, loop_factory: Any = None, **options: Any
) -> Any:
    async def law() -> Any:
        async with aiohttp.ClientSession(**options) as session:
            return await run(session)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(law())


def test_a_handler_sees_what_goes_over_the_wire() -> None:
    seen: list[Request] = []

    async def look(request: Request, forward: Forward) -> Response:
        seen.append(request)
        assert await request.body.read() == b'{"a": 1}'
        return Response.of(201, "")

    async def run(session: Any) -> None:
        timeout = aiohttp.ClientTimeout(sock_read=7)
        response = await session.post("http://a.test/x?y=1", json={"a": 1}, timeout=timeout)
        assert (response.status, response.reason) == (201, "Created")

    with use(look):
        with_session(run)
    [request] = seen
    assert (request.method, request.url) == ("POST", "http://a.test/x?y=1")
    assert (request.client, request.is_sync, request.read_timeout) == ("aiohttp", False, 7)
    assert (b"Host", b"a.test") in request.headers
    assert request.header("content-length") == "8"


@handlers
def test_a_body_that_is_generated_is_generated_once(origin: Origin, handler: Any) -> None:
    made: list[bytes] = []

    async def generate() -> AsyncIterator[bytes]:
        for chunk in (b"a", b"b", b"c" * 100_000):
            await asyncio.sleep(0)
            made.append(chunk)
            yield chunk

    async def run(session: Any) -> None:
        async with session.post(f"{origin.url}/x", data=generate()) as response:
            assert await response.read() == b"ab" + b"c" * 100_000

    with use(handler):
        with_session(run)
    assert [len(chunk) for chunk in made] == [1, 1, 100_000]


def test_a_generator_that_breaks_is_said_by_the_client_at_once() -> None:
    async def generate() -> AsyncIterator[bytes]:
        yield b"a"
        raise ZeroDivisionError

    async def run(session: Any) -> None:
        with pytest.raises(aiohttp.ClientConnectionError, match="Failed to send bytes"):
            await session.post("http://a.test/", data=generate())

    with use(read_it_first):
        with_session(run)


@handlers
def test_a_client_that_waits_for_permission_to_send_gets_it(origin: Origin, handler: Any) -> None:
    async def run(session: Any) -> None:
        async with session.post(f"{origin.url}/x", data=b"abc", expect100=True) as response:
            assert await response.read() == b"abc"

    with use(handler) as scope:
        with_session(run)
    assert scope.exchanges == 1


@handlers
@pytest.mark.parametrize("path", ["/plain", "/gzip", "/stream", "/redirect"])
def test_what_is_forwarded_arrives_whole(origin: Origin, handler: Any, path: str) -> None:
    async def run(session: Any) -> bytes:
        async with session.get(f"{origin.url}{path}") as response:
            return bytes(await response.read())

    with use(handler):
        text = with_session(run).decode()
    assert text in {"plain", "zipped", "onetwothree"}


CHUNKS = [b"one\n", b"tw", b"o\nthree", b"\n"]


async def chunked(request: Request, forward: Forward) -> Response:
    return Response.of(200, CHUNKS)


async def generated(request: Request, forward: Forward) -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        for chunk in CHUNKS:
            await asyncio.sleep(0)
            yield chunk

    return Response.of(200, chunks())


@pytest.mark.parametrize("handler", [chunked, generated])
def test_every_way_to_read_a_body_works_and_boundaries_are_kept(handler: Any) -> None:
    async def run(session: Any) -> None:
        url = "http://a.test/"
        async with session.get(url) as response:
            assert [chunk async for chunk in response.content.iter_any()] == CHUNKS
        async with session.get(url) as response:
            seen = [chunk async for chunk, _ in response.content.iter_chunks()]
            assert [chunk for chunk in seen if chunk] == CHUNKS
        async with session.get(url) as response:
            assert [line async for line in response.content] == [b"one\n", b"two\n", b"three\n"]
        async with session.get(url) as response:
            assert await response.content.readexactly(5) == b"one\nt"
            assert await response.content.read() == b"wo\nthree\n"
        async with session.get(url) as response:
            assert await response.text() == "one\ntwo\nthree\n"

    with use(handler):
        with_session(run)


def test_what_a_handler_compresses_the_client_decompresses() -> None:
    content = gzip.compress(b"zipped" * 1000)

    async def zipped(request: Request, forward: Forward) -> Response:
        pieces = [content[:5], content[5:9], content[9:]]
        return Response.of(200, pieces, [("Content-Encoding", "gzip")])

    async def run(session: Any) -> bytes:
        async with session.get("http://a.test/") as response:
            return bytes(await response.read())

    with use(zipped):
        assert with_session(run) == b"zipped" * 1000
        assert with_session(run, auto_decompress=False) == content


@pytest.mark.parametrize("headers", [[("content-length", "3")], [("connection", "close")], []])
def test_a_body_may_be_framed_in_any_way_and_its_source_gets_to_its_end(headers: Any) -> None:
    log: list[str] = []

    async def source() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"c"
        log.append("end")

    async def handle(request: Request, forward: Forward) -> Response:
        made = Response.of(200, source(), headers)
        is_plain = headers == [("connection", "close")]
        return replace(made, headers=made.headers[:1]) if is_plain else made

    async def run(session: Any) -> bytes:
        async with session.get("http://a.test/") as response:
            return bytes(await response.read())

    with use(handle):
        assert with_session(run) == b"abc"
    assert log == ["end"]


def test_a_stream_left_early_closes_what_the_handler_opened() -> None:
    log: list[str] = []

    async def handle(request: Request, forward: Forward) -> Response:
        async def endless() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x"
            finally:
                log.append("closed")

        return Response.of(200, endless())

    async def run(session: Any) -> None:
        async with session.get("http://a.test/") as response:
            assert await response.content.readany() == b"x"
        assert log == ["closed"]

    with use(handle):
        with_session(run)


def test_whoever_reads_is_woken_when_another_closes() -> None:
    async def handle(request: Request, forward: Forward) -> Response:
        async def stalls() -> AsyncIterator[bytes]:
            yield b"x"
            await asyncio.Event().wait()

        return Response.of(200, stalls())

    async def run(session: Any) -> None:
        response = await session.get("http://a.test/")
        reading = asyncio.create_task(response.read())
        for _ in range(5):
            await asyncio.sleep(0)
        response.close()
        with pytest.raises(aiohttp.ClientConnectionError):
            await reading

    with use(handle):
        with_session(run, loop_factory=SimLoop)


LIMITS = {"total": TimeoutError, "sock_read": getattr(aiohttp, "SocketTimeoutError", Exception)}


@pytest.mark.parametrize(("limit", "error"), LIMITS.items(), ids=LIMITS)
@pytest.mark.parametrize("where", ["head", "body"])
def test_the_clients_own_time_limits_strike(limit: str, error: Any, where: str) -> None:
    async def handle(request: Request, forward: Forward) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"x"
            await pause(request, 60)

        if where == "head":
            await pause(request, 60)
        return Response.of(200, chunks())

    async def run(session: Any) -> None:
        with pytest.raises(error):
            async with session.get("http://a.test/") as response:
                await response.read()
        assert asyncio.get_running_loop().time() == 5

    timeout = aiohttp.ClientTimeout(**{"total": None, limit: 5})
    with use(handle):
        with_session(run, loop_factory=SimLoop, timeout=timeout)


def test_cancelled_at_every_step_an_exchange_leaves_nothing_open(origin: Origin) -> None:
    log: list[str] = []

    async def handle(request: Request, forward: Forward) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            try:
                log.append("opened")
                for _ in range(2):
                    await asyncio.sleep(0)
                    yield b"x"
            finally:
                log.append("closed")

        await asyncio.sleep(0)
        return Response.of(200, chunks())

    async def fetch(session: Any) -> None:
        async with session.post("http://a.test/", data=b"x") as response:
            await response.read()

    async def is_whole_after(steps: int) -> bool:
        async with aiohttp.ClientSession() as session:
            with use(handle):
                task = asyncio.create_task(fetch(session))
                for _ in range(steps):
                    await asyncio.sleep(0)
                is_whole = task.done()
                task.cancel()
                await asyncio.wait([task])
                await asyncio.sleep(0)  # aiohttp cancels its own writer without waiting for it
        assert len(asyncio.all_tasks()) == 1
        return is_whole

    steps = 0
    while not asyncio.run(is_whole_after(steps)):
        assert log.count("opened") == log.count("closed")
        steps += 1
    assert steps > 3
    assert log.count("opened") == log.count("closed") > 1


def test_an_error_from_within_a_wrapped_body_is_heard_at_the_end() -> None:
    async def handle(request: Request, forward: Forward) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"x"
            raise ZeroDivisionError

        return Response.of(200, chunks())

    async def run(session: Any) -> None:
        try:
            async with session.get("http://a.test/") as response:
                await response.read()
        except ZeroDivisionError as swallowed:
            assert swallowed is not None

    with pytest.raises(ZeroDivisionError), use(handle):
        with_session(run)
