"""Link: what breaks in a connection is told to those who wait beside it, and breaks nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from mcp import Client

from robotape.errors import proves_not_started
from robotape.mcp.errors import McpConnectionError, McpError, McpTimeoutError
from robotape.mcp.link import Link


@asynccontextmanager
async def deaf() -> AsyncIterator[Any]:
    """A transport on which nothing ever comes."""
    send, read = anyio.create_memory_object_stream[Any](0)
    write, receive = anyio.create_memory_object_stream[Any](100)
    async with send, read, write, receive:
        yield read, write


@asynccontextmanager
async def collapsing() -> AsyncIterator[Any]:
    """A transport that cancels the task it lives in, as the SDK's does after a reset."""
    async with anyio.create_task_group() as group:

        async def collapse() -> None:
            await asyncio.sleep(0.01)
            raise ConnectionResetError("reset")

        group.start_soon(collapse)
        async with deaf() as streams:
            yield streams


async def opened(transport: Any, timeout: float) -> McpError:
    link = Link("s", transport, mode="legacy")
    with pytest.raises(McpError) as raised:
        await link.open(timeout)
    assert not link.is_alive
    await link.ended()
    assert link.is_ended
    assert len(asyncio.all_tasks()) == 1
    return raised.value


def test_a_handshake_without_an_answer_ends_in_time() -> None:
    error = asyncio.run(opened(deaf(), 0.1))
    assert type(error) is McpTimeoutError
    assert proves_not_started(error)


def test_a_collapse_cancels_nobody_else() -> None:
    error = asyncio.run(opened(collapsing(), 20.0))
    assert type(error) is McpConnectionError


def test_who_opens_may_be_cancelled() -> None:
    async def main() -> None:
        link = Link("s", deaf(), mode="legacy")
        opening = asyncio.create_task(link.open(60.0))
        await asyncio.sleep(0.05)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await link.ended()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_a_link_that_was_never_opened_ends_too() -> None:
    async def main() -> None:
        link = Link("s", deaf(), mode="legacy")

        async def ask(client: Client) -> None:
            raise AssertionError("not reached")

        with pytest.raises(McpConnectionError) as raised:
            await link.call(ask)
        assert proves_not_started(raised.value)
        link.end()
        await link.ended()

    asyncio.run(main())
