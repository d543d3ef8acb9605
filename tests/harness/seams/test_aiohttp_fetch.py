"""The real exchange behind aiohttp's seam: what is changed is sent so; nothing stays open."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest

from robotape_harness.seams import Body, Forward, Request, Response, use
from tests.harness.seams.origin import Origin, serving

aiohttp = pytest.importorskip("aiohttp")


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with serving() as server:
        yield server


def with_session(run: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
    async def law() -> Any:
        async with aiohttp.ClientSession() as session:
            return await run(session)

    return asyncio.run(law())


def test_a_changed_request_is_what_is_sent(origin: Origin) -> None:
    async def change(request: Request, forward: Forward) -> Response:
        headers = ((b"Host", b"a.test"), (b"Content-Length", b"3"))
        url = f"{origin.url}/elsewhere?x=%3A"
        changed = replace(request, method="POST", url=url, headers=headers, body=Body(b"new"))
        return await forward(changed)

    async def run(session: Any) -> str:
        async with session.get("http://a.test/") as response:
            return str(await response.text())

    with use(change):
        assert with_session(run) == "new"
    assert origin.hits[-1] == "POST /elsewhere?x=%3A"


def test_a_body_that_a_handler_makes_may_come_in_pieces(origin: Origin) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        for piece in (b"a", b"b" * 200_000):
            await asyncio.sleep(0)
            yield piece

    async def change(request: Request, forward: Forward) -> Response:
        headers = ((b"Host", b"a.test"), (b"Transfer-Encoding", b"chunked"))
        return await forward(replace(request, headers=headers, body=Body(slowly())))

    async def run(session: Any) -> int:
        async with session.post(f"{origin.url}/x") as response:
            return len(await response.read())

    with use(change):
        assert with_session(run) == 200_001


def test_what_is_forwarded_and_not_returned_is_closed(origin: Origin) -> None:
    async def twice(request: Request, forward: Forward) -> Response:
        await forward(request)
        return await forward(request)

    async def run(session: Any) -> int:
        async with session.get(f"{origin.url}/stream") as response:
            assert await response.read() == b"onetwothree"
        return len(session.connector._acquired)

    with use(twice):
        assert with_session(run) == 0


def test_cancelled_while_the_origin_is_silent_nothing_is_left_open() -> None:
    async def pass_on(request: Request, forward: Forward) -> Response:
        return await forward(request)

    async def run(session: Any) -> None:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
            for data in (None, b"x", never()):
                task = asyncio.create_task(session.post(url, data=data))
                while not session.connector._acquired:
                    await asyncio.sleep(0)
                for _ in range(5):
                    await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert not session.connector._acquired
        for _ in range(3):
            await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1

    async def never() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.Event().wait()

    with use(pass_on):
        with_session(run)
