"""Bodies keep their boundaries and their end, and are taken once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape_harness.seams.body import (
    FAILURES,
    Body,
    BodySpentError,
    ExchangeError,
    Failure,
)
from robotape_harness.seams.exchange import drive

CHUNKS = st.lists(st.binary(max_size=5), max_size=6)
SOURCES = ("list", "generator", "async generator")


def source_of(
    kind: str, chunks: list[bytes]
) -> list[bytes] | Iterator[bytes] | AsyncIterator[bytes]:
    async def asynchronous() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    if kind == "list":
        return chunks
    return iter(chunks) if kind == "generator" else asynchronous()


async def taken(body: Body) -> list[bytes]:
    return [chunk async for chunk in body]


@given(CHUNKS, st.sampled_from(SOURCES))
def test_chunks_keep_their_boundaries_and_empty_ones_are_dropped(
    chunks: list[bytes], kind: str
) -> None:
    body = Body(source_of(kind, chunks))
    assert drive(taken(body)) == [chunk for chunk in chunks if chunk]
    assert body.end == "clean"


@given(CHUNKS, st.sampled_from(SOURCES), st.sampled_from([None, "reset", "closed"]))
def test_what_was_read_is_still_there_with_its_boundaries_and_its_end(
    chunks: list[bytes], kind: str, end: Failure | None
) -> None:
    body = Body(source_of(kind, chunks), end=end)

    async def again() -> list[bytes]:
        seen: list[bytes] = []
        for _ in range(2):
            try:
                assert await body.read() == b"".join(chunks)
            except ExchangeError as error:
                assert error.failure == end
        try:
            async for chunk in body:
                seen.append(chunk)
        except ExchangeError as error:
            assert error.failure == end
            assert body.end == end
        else:
            assert end is None
        return seen

    assert drive(again()) == [chunk for chunk in chunks if chunk]


@pytest.mark.parametrize("kind", SOURCES[1:])
def test_chunks_are_taken_once(kind: str) -> None:
    body = Body(source_of(kind, [b"a", b"b"]))
    drive(taken(body))
    with pytest.raises(BodySpentError, match=r"await body\.read"):
        drive(taken(body))
    with pytest.raises(BodySpentError):
        drive(body.read())


def test_control_a_list_may_be_taken_twice() -> None:
    body = Body([b"a", b"b"])
    assert drive(taken(body)) == drive(taken(body)) == [b"a", b"b"]


def test_closing_lets_go_of_the_source_once_and_whatever_was_taken() -> None:
    log: list[str] = []

    async def source() -> AsyncIterator[bytes]:
        try:
            yield b"a"
            yield b"b"
        finally:
            log.append("source")

    async def on_close() -> None:
        log.append("closed")

    async def one_then_close(body: Body) -> None:
        assert await anext(aiter(body)) == b"a"
        await body.aclose()
        await body.aclose()

    drive(one_then_close(Body(source(), on_close=on_close)))
    assert log == ["source", "closed"]


def test_a_source_that_breaks_is_let_go_of_and_says_how_it_ended() -> None:
    log: list[str] = []

    async def source() -> AsyncIterator[bytes]:
        yield b"a"
        raise ExchangeError("reset")

    async def on_close() -> None:
        log.append("closed")

    body = Body(source(), on_close=on_close)
    with pytest.raises(ExchangeError, match="reset"):
        drive(taken(body))
    assert (body.end, log) == ("reset", ["closed"])


@pytest.mark.parametrize("step", [1, 2, 3])
def test_cancelled_at_any_chunk_a_body_is_let_go_of(step: int) -> None:
    async def law() -> list[str]:
        log: list[str] = []

        async def source() -> AsyncIterator[bytes]:
            try:
                for _ in range(3):
                    await asyncio.sleep(0)
                    yield b"a"
            finally:
                log.append("source")

        async def on_close() -> None:
            log.append("closed")

        task = asyncio.create_task(Body(source(), on_close=on_close).read())
        for _ in range(step):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return log

    assert asyncio.run(law()) in (["source", "closed"], ["closed"])


def test_a_failure_that_no_client_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="no failure a client can be told; these are: closed"):
        ExchangeError(cast("Failure", "explosion"))
    with pytest.raises(ValueError, match="other"):
        ExchangeError("other")
    assert {
        str(ExchangeError(cast("Failure", kind))) for kind in FAILURES - {"other"}
    } == FAILURES - {"other"}
    assert str(ExchangeError("dns", "no such host")) == "dns: no such host"
