"""Threads see what stands where they were begun, and a pool's threads nothing of it later."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from robotape_harness.seams import Forward, Request, Response, use
from robotape_harness.seams.clients import attached
from robotape_harness.seams.standing import NOTHING, Standing, here


async def answer(request: Request, forward: Forward) -> Response:
    return Response.of(200, "handled")


def in_a_thread() -> Standing:
    seen: list[Standing] = []
    thread = threading.Thread(target=lambda: seen.append(here()))
    thread.start()
    thread.join()
    return seen[0]


def in_a_pool() -> Standing:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(here).result()


def in_an_executor() -> Standing:
    async def run() -> Standing:
        return await asyncio.get_running_loop().run_in_executor(None, here)

    return asyncio.run(run())


def by_to_thread() -> Standing:
    async def run() -> Standing:
        return await asyncio.to_thread(here)

    return asyncio.run(run())


WAYS = [in_a_thread, in_a_pool, in_an_executor, by_to_thread]


@pytest.mark.parametrize("way", WAYS)
def test_a_thread_sees_what_stands_where_it_was_begun(way: Callable[[], Standing]) -> None:
    with use(answer):
        inside = way()
    assert len(inside.handlers) == len(inside.guards) == 1
    assert way() == NOTHING


def test_a_pools_thread_keeps_nothing_for_those_it_serves_later() -> None:
    with attached(), ThreadPoolExecutor(1) as pool:
        with use(answer):
            assert pool.submit(here).result().handlers
        assert pool.submit(here).result() == NOTHING


def test_a_loops_handlers_go_along_too() -> None:
    async def run() -> Any:
        loop = asyncio.get_running_loop()
        with use(answer, loop=loop):
            return await loop.run_in_executor(None, here)

    assert len(asyncio.run(run()).handlers) == 1


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
def test_a_synchronous_client_in_an_executor_is_seen(library: str) -> None:
    module = pytest.importorskip(library)

    async def run() -> Any:
        get = module.get
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, get, "http://a.test/")

    with use(answer, expect=1) as scope:
        assert asyncio.run(run()).text == "handled"
    assert scope.exchanges == 1
