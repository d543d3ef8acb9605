"""Escapes: real I/O is refused by name, at the call."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from robotape.errors import RobotapeError
from robotape_harness.simulation import EscapeError, SimLoop
from robotape_harness.simulation.escapes import REFUSED


@pytest.fixture
def loop() -> Iterator[SimLoop]:
    with_home = SimLoop()
    yield with_home
    with_home.close()


@pytest.mark.parametrize("name", REFUSED)
def test_real_io_is_refused_by_name(loop: SimLoop, name: str) -> None:
    with pytest.raises(EscapeError, match=rf"loop\.{name}\(\)") as caught:
        getattr(loop, name)("anything", at="all")
    assert caught.value.call == f"loop.{name}"
    assert isinstance(caught.value, RobotapeError)


def test_refused_names_exist_in_asyncio() -> None:
    assert all(hasattr(asyncio.AbstractEventLoop, name) for name in REFUSED)


CALLS: dict[str, Callable[[], Any]] = {
    "create_connection": lambda: asyncio.open_connection("example.org", 80),
    "create_server": lambda: asyncio.start_server(lambda reader, writer: None, port=0),
    "subprocess_exec": lambda: asyncio.create_subprocess_exec("true"),
    "getaddrinfo": lambda: asyncio.get_running_loop().getaddrinfo("example.org", 80),
    "create_datagram_endpoint": lambda: asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_asyncio_itself_does_not_get_out(loop: SimLoop, name: str) -> None:
    async def main() -> None:
        await CALLS[name]()

    with pytest.raises(EscapeError) as caught:
        loop.run_until_complete(main())
    assert caught.value.call == f"loop.{name}"


def test_a_swallowed_escape_is_kept(loop: SimLoop) -> None:
    async def main() -> str:
        try:
            await asyncio.open_connection("example.org", 80)
        except Exception:
            return "offline"
        return "online"

    assert loop.run_until_complete(main()) == "offline"
    assert [escape.call for escape in loop.escapes] == ["loop.create_connection"]


def test_another_thread_cannot_wake_the_loop(loop: SimLoop) -> None:
    caught: list[EscapeError] = []

    def intrude() -> None:
        try:
            loop.call_soon_threadsafe(print)
        except EscapeError as error:
            caught.append(error)

    thread = threading.Thread(target=intrude)
    thread.start()
    thread.join()
    assert loop.escapes == tuple(caught)
    assert "asyncio.to_thread" in str(caught[0])


def test_control_the_loops_own_thread_can(loop: SimLoop) -> None:
    async def main() -> bool:
        done = asyncio.Event()
        loop.call_soon_threadsafe(done.set)
        return await done.wait()

    assert loop.run_until_complete(main())
    assert loop.escapes == ()


def test_control_the_thread_that_runs_the_loop_can() -> None:
    loop = SimLoop()
    results: list[str] = []

    async def main() -> str:
        done = loop.create_future()
        loop.call_soon_threadsafe(done.set_result, "woken")
        return str(await done)

    thread = threading.Thread(target=lambda: results.append(loop.run_until_complete(main())))
    thread.start()
    thread.join()
    loop.close()
    assert results == ["woken"]
