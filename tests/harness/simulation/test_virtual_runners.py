"""Whoever runs a simulated loop has virtual clocks with it: asyncio, pytest-asyncio, anyio."""

import asyncio
import functools
import sys
from typing import Any

import aiohttp
import pytest
from aiohttp.client_proto import ResponseHandler

from robotape_harness import SimLoop, allow_real
from tests.harness.simulation.draws import CHANCE, CLOCKS, in_a_run

pytest_plugins = "pytester"

IN_A_TEST = """
import asyncio, random, time
from datetime import datetime, UTC
import pytest
from robotape_harness import SimLoop

{head}

{mark}
async def test_time_is_virtual():
    began = time.monotonic()
    await asyncio.sleep(3600)
    assert time.monotonic() - began == 3600
    assert datetime.now(UTC).year == 2020
    assert isinstance(asyncio.get_running_loop(), SimLoop)

def test_control_a_plain_test_has_real_time():
    assert datetime.now(UTC).year > 2020
"""
ANYIO = """
@pytest.fixture
def anyio_backend():
    return "asyncio", {"loop_factory": SimLoop}
"""
HOOK = """
from robotape_harness import SimLoop

def pytest_asyncio_loop_factories(config, item):
    return {"simulated": SimLoop}
"""


async def clocks_and_chance() -> tuple[object, object, object]:
    await asyncio.sleep(3600)
    return CLOCKS["time.monotonic"](), CLOCKS["datetime.now(UTC)"](), CHANCE["random.random"]()


SEEN = (3600.0, "2020-01-01T01:00:00+00:00", in_a_run()["random.random"])


def test_a_runner() -> None:
    with asyncio.Runner(loop_factory=SimLoop) as runner:
        assert runner.run(clocks_and_chance()) == SEEN


def test_a_runner_with_a_seed() -> None:
    with asyncio.Runner(loop_factory=functools.partial(SimLoop, seed=7)) as runner:
        monotonic, now, chance = runner.run(clocks_and_chance())
    assert (monotonic, now) == SEEN[:2]
    assert chance == in_a_run(7)["random.random"] != SEEN[2]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="loop_factory came with Python 3.12")
def test_asyncio_run() -> None:
    run: Any = asyncio.run
    assert run(clocks_and_chance(), loop_factory=SimLoop) == SEEN


def test_pytest_asyncio(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(HOOK)
    pytester.makepyfile(IN_A_TEST.format(head="", mark="@pytest.mark.asyncio"))
    pytester.runpytest("-p", "no:randomly").assert_outcomes(passed=2)


def test_anyios_pytest_plugin(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(IN_A_TEST.format(head=ANYIO, mark="@pytest.mark.anyio"))
    pytester.runpytest("-p", "no:randomly").assert_outcomes(passed=2)


class Answering(asyncio.Transport):
    """A connection on which every request is answered at once."""

    def __init__(self, protocol: ResponseHandler) -> None:
        super().__init__()
        self._protocol = protocol
        self._is_closing = False

    def write(self, data: Any) -> None:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        asyncio.get_running_loop().call_soon(self._protocol.data_received, answer)

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        self._is_closing = True
        self._protocol.connection_lost(None)

    abort = close


class MemoryConnector(aiohttp.BaseConnector):
    """aiohttp's own pool, over connections in memory."""

    connections = 0

    async def _create_connection(self, *_: Any, **__: Any) -> ResponseHandler:
        self.connections += 1
        protocol: ResponseHandler = self._factory()
        protocol.connection_made(Answering(protocol))
        return protocol


async def connections_after(*pauses: float) -> int:
    """How many connections it takes to ask once, and again after each pause."""
    connector = MemoryConnector(keepalive_timeout=15)
    async with aiohttp.ClientSession(connector=connector) as session:
        for pause in (0, *pauses):
            await asyncio.sleep(pause)
            async with session.get("http://model.example/") as response:
                assert await response.text() == "ok"
    return connector.connections


def test_aiohttp_keeps_connections_alive_for_virtual_seconds() -> None:
    with asyncio.Runner(loop_factory=SimLoop) as runner:
        assert runner.run(connections_after(5, 5)) == 1
        assert runner.run(connections_after(60, 5, 60)) == 3


def test_control_by_a_real_clock_it_keeps_them_for_ever() -> None:
    with allow_real("clock", modules=["aiohttp"]), asyncio.Runner(loop_factory=SimLoop) as runner:
        assert runner.run(connections_after(60, 60)) == 1
