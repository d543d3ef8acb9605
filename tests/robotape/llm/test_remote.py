"""Streams over real sockets: time limits, connections, and what a reader who leaves causes."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from robotape.errors import (
    CallTimeoutError,
    DeadlineExceeded,
    LLMConnectionError,
    LLMError,
    MalformedReplyError,
    StreamInterruptedError,
    is_permanent,
)
from robotape.http import HttpLimits, HttpPool
from robotape.llm import LLMConfig, OpenAILLM
from robotape.llm.base import LLM_RETRY
from robotape.llm.remote import endpoint
from tests.robotape.loopback import Raw, answering, unused_port

AT_ONCE = replace(LLM_RETRY, base=1e-9, cap=1e-9)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def event(text: str = "", reason: str | None = None) -> bytes:
    delta = {"content": text} if text else {}
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return f"data: {json.dumps({'choices': [choice]})}\n\n".encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


WHOLE = (event("Hi "), event("there"), event(reason="stop"), b"data: [DONE]\n\n")


@contextlib.asynccontextmanager
async def asking(origin: str, **more: Any) -> AsyncIterator[OpenAILLM]:
    retry = more.pop("retry", AT_ONCE)
    llm = OpenAILLM(LLMConfig(model="m", base_url=f"{origin}/v1", **more), retry=retry)
    try:
        yield llm
    finally:
        await llm.close()


async def texts(llm: OpenAILLM) -> list[str]:
    return [piece.text async for piece in llm.stream("Hello")]


def test_what_is_sent_asks_for_a_stream_that_is_counted() -> None:
    bodies: list[Any] = []

    async def handler(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        return web.Response(body=b"".join(WHOLE), content_type="text/event-stream")

    async def main() -> None:
        async with answering(handler) as origin:
            for options in ({}, {"stream_options": None}, {"stream_options": {"x": 1}}):
                async with asking(origin, additional_params=options) as llm:
                    assert await texts(llm) == ["Hi ", "there"]

    asyncio.run(main())
    assert all(body.pop("stream") is True for body in bodies)
    assert [body.get("stream_options") for body in bodies] == [
        {"include_usage": True},
        None,
        {"x": 1},
    ]
    assert "stream_options" not in bodies[1]


def test_a_whole_stream_leaves_its_connection_for_the_next() -> None:
    wire = HEAD + b"".join(map(chunk, WHOLE)) + b"0\r\n\r\n"

    async def main() -> int:
        server = Raw(wire, end="stay")
        async with server.serving() as origin, asking(origin) as llm:
            for _ in range(3):
                assert await texts(llm) == ["Hi ", "there"]
            return len(server._writers)

    assert asyncio.run(main()) == 1


def test_a_server_that_does_not_end_behind_done_holds_nobody_up() -> None:
    wire = HEAD + b"".join(map(chunk, WHOLE))

    async def main() -> None:
        server = Raw(wire, end="stay")
        async with server.serving() as origin, asking(origin, timeout=5) as llm:
            async with asyncio.timeout(2):
                assert await texts(llm) == ["Hi ", "there"]
            await server.hung_up.wait()

    asyncio.run(main())


def test_a_reader_who_leaves_hangs_up() -> None:
    async def main() -> None:
        server = Raw(HEAD + chunk(event("Hi")), end="stay")
        async with server.serving() as origin, asking(origin) as llm:
            async with llm.stream("Hello") as stream:
                assert (await anext(stream)).text == "Hi"
            await server.hung_up.wait()

    asyncio.run(main())


def test_a_reader_who_is_cancelled_hangs_up() -> None:
    async def main() -> None:
        server = Raw(HEAD + chunk(event("Hi")), end="stay")
        async with server.serving() as origin, asking(origin) as llm:
            reading = asyncio.create_task(texts(llm))
            while not server.requests:
                await asyncio.sleep(0)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            await server.hung_up.wait()
            assert server.requests == 1

    asyncio.run(main())


def test_a_stall_after_a_piece_is_a_timeout_that_is_not_tried_again() -> None:
    async def main() -> int:
        server = Raw(HEAD + chunk(event("Hi")), end="stay")
        async with server.serving() as origin, asking(origin, timeout=0.2) as llm:
            with pytest.raises(CallTimeoutError):
                await texts(llm)
            return server.requests

    assert asyncio.run(main()) == 1


def test_a_stall_before_the_first_piece_is_tried_again() -> None:
    async def main() -> int:
        server = Raw(HEAD + chunk(b": wait\n\n"), end="stay")
        async with server.serving() as origin, asking(origin, timeout=0.2) as llm:
            with pytest.raises(CallTimeoutError):
                await texts(llm)
            return server.requests

    assert asyncio.run(main()) == 3


@pytest.mark.parametrize("data", [b": keep-alive\n\n", event("a")], ids=["comments", "pieces"])
def test_what_keeps_coming_does_not_move_the_deadline(data: bytes) -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            await response.write(event("Hi"))
            while True:
                await response.write(data)
                await asyncio.sleep(0.01)
        return response

    async def main() -> None:
        retry = replace(AT_ONCE, total=0.2)
        async with answering(trickle) as origin, asking(origin, timeout=60, retry=retry) as llm:
            with pytest.raises(DeadlineExceeded):
                await texts(llm)

    asyncio.run(main())


def test_a_stream_of_another_size_than_allowed_is_no_answer() -> None:
    async def main() -> None:
        server = Raw(HEAD + b"".join(map(chunk, WHOLE)) + b"0\r\n\r\n")
        pool = HttpPool(limits=HttpLimits(max_stream_bytes=100))
        async with server.serving() as origin, pool:
            llm = OpenAILLM(LLMConfig(model="m", base_url=origin), pool=pool, retry=AT_ONCE)
            with pytest.raises(MalformedReplyError, match="larger than 100 bytes") as caught:
                await texts(llm)
            assert is_permanent(caught.value)

    asyncio.run(main())


def test_nobody_there_is_a_connection_error() -> None:
    async def main() -> None:
        async with asking(f"http://127.0.0.1:{unused_port()}") as llm:
            with pytest.raises(LLMConnectionError):
                await texts(llm)

    asyncio.run(main())


def test_a_pool_that_is_closed_ends_its_streams() -> None:
    async def main() -> LLMError:
        server = Raw(HEAD + chunk(event("Hi")), end="stay")
        async with server.serving() as origin, asking(origin) as llm:
            async with llm.stream("Hello") as stream:
                await anext(stream)
                reading = asyncio.ensure_future(anext(stream))
                await asyncio.sleep(0.01)
                await llm.close()
                with pytest.raises(LLMError) as caught:
                    await reading
            return caught.value

    assert type(asyncio.run(main())) is StreamInterruptedError


def test_one_byte_at_a_time_is_the_same_answer() -> None:
    async def slowly(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for byte in b"".join(WHOLE):
            await response.write(bytes([byte]))
        return response

    async def main() -> list[str]:
        async with answering(slowly) as origin, asking(origin) as llm:
            return await texts(llm)

    assert asyncio.run(main()) == ["Hi ", "there"]


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://h/v1/", "http://h/v1/messages"),
        ("https://h", "https://h/messages"),
        ("https://h/a%20b?v=1", "https://h/a%20b/messages?v=1"),
    ],
)
def test_a_path_goes_below_the_base_url(base_url: str, url: str) -> None:
    assert str(endpoint(base_url, "messages")) == url
