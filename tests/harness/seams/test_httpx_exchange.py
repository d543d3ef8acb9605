"""One exchange of httpx and httpx2: what handlers see and change, bodies, time and cancellation."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest

from robotape_harness.seams import Body, Forward, Request, Response, SuspendedError, pause, use
from robotape_harness.simulation import SimLoop
from tests.harness.seams.origin import Origin, serving
from tests.harness.seams.speakers import derived, module


@pytest.fixture(params=["httpx", "httpx2"])
def library(request: pytest.FixtureRequest) -> Any:
    pytest.importorskip(request.param)
    return module(request.param)


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


handlers = pytest.mark.parametrize("handler", [forward_it, read_it_first])


def test_a_handler_sees_what_goes_over_the_wire(library: Any) -> None:
    seen: list[Request] = []

    async def look(request: Request, forward: Forward) -> Response:
        seen.append(request)
        assert json.loads(await request.body.read()) == {"a": 1}
        return Response.of(201, "", [("X-Twice", "a"), ("X-Twice", "b")])

    with use(look), library.Client(timeout=7) as client:
        answer = client.post("http://a.test/x?y=%3A", json={"a": 1}, headers={"X-Mine": "1"})
    [request] = seen
    assert (request.method, request.url) == ("POST", "http://a.test/x?y=%3A")
    assert (request.client, request.is_sync) == (library.__name__, True)
    assert (request.read_timeout, request.header("x-mine")) == (7, "1")
    assert (b"Host", b"a.test") in request.headers
    assert (answer.status_code, answer.reason_phrase) == (201, "Created")
    assert answer.headers.get_list("x-twice") == ["a", "b"]


def test_a_changed_request_is_what_is_sent(origin: Origin, library: Any) -> None:
    async def change(request: Request, forward: Forward) -> Response:
        headers = ((b"Host", b"a.test"), (b"Content-Length", b"3"))
        url = f"{origin.url}/elsewhere"
        return await forward(
            replace(request, method="POST", url=url, headers=headers, body=Body(b"new"))
        )

    with use(change):
        assert library.get("http://a.test/").text == "new"
    assert origin.hits[-1] == "POST /elsewhere"


@handlers
def test_a_content_that_is_generated_is_generated_once(
    origin: Origin, library: Any, handler: Any
) -> None:
    made: list[bytes] = []

    def generate() -> Iterator[bytes]:
        for chunk in (b"a", b"b"):
            made.append(chunk)
            yield chunk

    async def generate_later() -> AsyncIterator[bytes]:
        for chunk in generate():
            await asyncio.sleep(0)
            yield chunk

    async def run() -> str:
        async with library.AsyncClient() as client:
            return str((await client.post(f"{origin.url}/x", content=generate_later())).text)

    with use(handler):
        assert library.post(f"{origin.url}/x", content=generate()).text == "ab"
        assert asyncio.run(run()) == "ab"
    assert made == [b"a", b"b"] * 2


@handlers
def test_an_answer_may_be_read_by_the_handler_and_still_reaches_the_client(
    origin: Origin, library: Any, handler: Any
) -> None:
    with use(handler), library.Client() as client:
        with client.stream("GET", f"{origin.url}/stream") as answer:
            assert b"".join(answer.iter_raw()) == b"onetwothree"
        assert client.get(f"{origin.url}/gzip").text == "zipped"
        assert client.head(f"{origin.url}/plain").status_code == 200


def test_what_a_handler_compresses_the_client_decompresses(library: Any) -> None:
    async def zipped(request: Request, forward: Forward) -> Response:
        content = gzip.compress(b"zipped")
        return Response.of(200, [content[:5], content[5:]], [("content-encoding", "gzip")])

    with use(zipped):
        assert library.get("http://a.test/").text == "zipped"


def test_a_body_ends_where_its_length_says_and_its_source_gets_to_its_end(library: Any) -> None:
    log: list[str] = []

    async def longer() -> AsyncIterator[bytes]:
        yield b"abc"
        log.append("end")

    async def handle(request: Request, forward: Forward) -> Response:
        return Response.of(200, longer(), [("content-length", "2")])

    with use(handle):
        assert library.get("http://a.test/").content == b"ab"
    assert log == ["end"]


def test_a_stream_left_early_closes_what_the_handler_opened(library: Any) -> None:
    log: list[str] = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            log.append("closed")

    async def handle(request: Request, forward: Forward) -> Response:
        return Response.of(200, endless())

    async def run() -> None:
        async with (
            library.AsyncClient() as client,
            client.stream("GET", "http://a.test/") as answer,
        ):
            assert await anext(answer.aiter_raw()) == b"x"

    with use(handle):
        with library.Client() as client, client.stream("GET", "http://a.test/") as answer:
            assert next(answer.iter_raw()) == b"x"
        asyncio.run(run())
    assert log == ["closed", "closed"]


def test_what_is_forwarded_and_not_returned_is_closed(library: Any) -> None:
    log: list[str] = []

    class Stream:
        def __iter__(self) -> Iterator[bytes]:
            yield b"x"

        def close(self) -> None:
            log.append("closed")

    stream = derived(Stream, library.SyncByteStream)

    async def twice(request: Request, forward: Forward) -> Response:
        await forward(request)
        return replace(await forward(request), status=201)

    transport = library.MockTransport(lambda request: library.Response(200, stream=stream()))
    with use(twice), library.Client(transport=transport) as client:
        assert client.get("http://a.test/").status_code == 201
    assert log == ["closed", "closed"]


def test_the_clients_own_time_limit_ends_a_handler_that_takes_too_long(library: Any) -> None:
    async def slow_head(request: Request, forward: Forward) -> Response:
        await pause(request, 60)
        return Response.of(200)

    async def slow_body(request: Request, forward: Forward) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"x"
            await pause(request, 60)

        return Response.of(200, chunks())

    async def run() -> None:
        loop = asyncio.get_running_loop()
        async with library.AsyncClient(timeout=5) as client:
            for handler in (slow_head, slow_body):
                with use(handler), pytest.raises(library.ReadTimeout):
                    await client.get("http://a.test/")
        assert loop.time() == 10

    with asyncio.Runner(loop_factory=SimLoop) as runner:
        runner.run(run())


def test_control_a_handler_that_is_quick_enough_is_waited_for(library: Any) -> None:
    async def slow(request: Request, forward: Forward) -> Response:
        await pause(request, 4)
        return Response.of(200, "late")

    async def run() -> str:
        async with library.AsyncClient(timeout=5) as client:
            with use(slow):
                return str((await client.get("http://a.test/")).text)

    with asyncio.Runner(loop_factory=SimLoop) as runner:
        assert runner.run(run()) == "late"


class Counting:
    """A transport in memory that notes what it opens and what is closed of it."""

    def __init__(self, library: Any) -> None:
        self.opened = self.closed = 0
        self._library = library
        outer = self

        class Stream:
            async def __aiter__(self) -> AsyncIterator[bytes]:
                for _ in range(2):
                    await asyncio.sleep(0)
                    yield b"x"

            async def aclose(self) -> None:
                outer.closed += 1

        self._stream = derived(Stream, library.AsyncByteStream)

    async def respond(self, request: Any) -> Any:
        await asyncio.sleep(0)
        self.opened += 1
        return self._library.Response(200, stream=self._stream())


async def slow_tee(request: Request, forward: Forward) -> Response:
    await asyncio.sleep(0)
    real = await forward(request)

    async def chunks() -> AsyncIterator[bytes]:
        async for chunk in real.body:
            await asyncio.sleep(0)
            yield chunk

    await asyncio.sleep(0)
    return replace(real, body=Body(chunks()))


def test_cancelled_at_every_step_an_exchange_leaves_nothing_open(library: Any) -> None:
    memory = Counting(library)

    async def is_whole_after(steps: int) -> bool:
        transport = library.MockTransport(memory.respond)
        async with library.AsyncClient(transport=transport) as client:
            with use(slow_tee):
                task = asyncio.create_task(client.get("http://a.test/"))
                for _ in range(steps):
                    await asyncio.sleep(0)
                is_whole = task.done()
                task.cancel()
                await asyncio.wait([task])
        assert len(asyncio.all_tasks()) == 1
        return is_whole

    steps = 0
    while not asyncio.run(is_whole_after(steps)):
        assert memory.opened == memory.closed
        steps += 1
    assert steps > 5
    assert memory.opened == memory.closed > 3


def test_a_handler_that_really_waits_under_a_synchronous_client_is_told_so(library: Any) -> None:
    async def waits(request: Request, forward: Forward) -> Response:
        await asyncio.sleep(0)
        return Response.of(200)

    with pytest.raises(SuspendedError), use(waits):
        try:
            library.get("http://a.test/")
        except SuspendedError as error:
            assert str(error)


def test_an_error_from_within_a_wrapped_body_is_heard_at_the_end(library: Any) -> None:
    async def handle(request: Request, forward: Forward) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"x"
            raise ZeroDivisionError

        return Response.of(200, chunks())

    with pytest.raises(ZeroDivisionError), use(handle):
        try:
            library.get("http://a.test/")
        except ZeroDivisionError as swallowed:
            assert swallowed is not None
