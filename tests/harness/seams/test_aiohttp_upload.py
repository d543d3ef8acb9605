"""What is written in whatever pieces is read back as the request it was."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape_harness.seams.aiohttp_framing import framing_of
from robotape_harness.seams.aiohttp_upload import Upload, Wire
from robotape_harness.seams.exchange import drive

HEAD = b"POST /x HTTP/1.1\r\nHost: a.test\r\nX-Empty: \r\n"


@given(
    st.lists(st.binary(min_size=1, max_size=20), max_size=4),
    st.booleans(),
    st.lists(st.integers(0, 200), max_size=6),
)
def test_pieces_do_not_matter(chunks: list[bytes], is_chunked: bool, cuts: list[int]) -> None:
    content = b"".join(chunks)
    chunked, plain = (b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"%d" % len(content))
    pair = chunked if is_chunked else plain
    head = HEAD + b"%b: %b\r\n\r\n" % pair
    wire = head + framing_of((pair,)).whole(tuple(chunks))
    upload, start = Upload(), 0
    for cut in sorted({*cuts, len(wire)}):
        upload.feed(wire[start:cut])
        start = max(start, min(cut, len(wire)))
    assert (upload.head, upload.is_complete) == (head, True)
    assert upload.headers[:2] == ((b"Host", b"a.test"), (b"X-Empty", b""))
    body = upload.body(Wire(asyncio.Protocol()))
    assert drive(body.read()) == content
    if is_chunked:
        assert body.known == tuple(chunks)


def test_a_request_without_a_length_has_no_body() -> None:
    upload = Upload()
    upload.feed(HEAD)
    assert upload.head is None
    upload.feed(b"\r\n")
    assert upload.is_complete


class Protocol(asyncio.Protocol):
    def __init__(self) -> None:
        self.log: list[str] = []

    def pause_writing(self) -> None:
        self.log.append("pause")

    def resume_writing(self) -> None:
        self.log.append("resume")


def test_a_writer_is_paused_while_nobody_takes_what_it_wrote() -> None:
    async def law() -> list[str]:
        protocol = Protocol()
        wire = Wire(protocol)
        wire.writelines([HEAD, b"Content-Length: 200000\r\n\r\n"])
        wire.write(memoryview(b"x" * 100_000))
        assert protocol.log == ["pause"]
        chunks: Any = aiter(wire.upload.body(wire))
        assert len(await anext(chunks)) == 100_000
        assert protocol.log == ["pause", "resume"]
        reading = asyncio.create_task(anext(chunks))
        await asyncio.sleep(0)
        wire.write(b"x" * 100_000)
        assert len(await reading) == 100_000
        with pytest.raises(StopAsyncIteration):
            await anext(chunks)
        wire.close()
        wire.write(b"too late")
        assert wire.is_closing()
        return protocol.log

    assert asyncio.run(law()) == ["pause", "resume"]


def test_whoever_waits_for_a_head_hears_that_none_will_come() -> None:
    async def law() -> bool:
        upload = Upload()
        waiting = asyncio.create_task(upload.begun())
        for _ in range(3):
            await asyncio.sleep(0)
        assert not waiting.done()
        upload.break_off()
        await waiting
        return upload.is_broken

    assert asyncio.run(law())
