"""What stands: later nearer to the network, each task its own, a loop for all that runs on it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape_harness.seams import Forward, Handler, Request, Response, use
from robotape_harness.seams.standing import NOTHING, Standing, below, here, put

aiohttp = pytest.importorskip("aiohttp")
httpx2 = pytest.importorskip("httpx2")


def named(name: str, log: list[str], turns: int = 0) -> Handler:
    """Notes its name and the path; answers with its name after some turns of the loop."""

    async def handle(request: Request, forward: Forward) -> Response:
        log.append(f"{name} {request.url.rsplit('/', 1)[1]}")
        for _ in range(turns):
            await asyncio.sleep(0)
        return Response.of(200, name)

    return handle


def passing(name: str, log: list[str]) -> Handler:
    async def handle(request: Request, forward: Forward) -> Response:
        log.append(f"{name}>")
        answer = await forward(request)
        log.append(f"<{name}")
        return answer

    return handle


async def by_aiohttp(path: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"http://a.test/{path}") as answer:
        return str(await answer.text())


CLIENT = httpx2.AsyncClient(verify=False)  # one for all: a context of certificates takes long


async def by_httpx2(path: str) -> str:
    return str((await CLIENT.get(f"http://a.test/{path}")).text)


CLIENTS = [by_aiohttp, by_httpx2]
each = pytest.mark.parametrize("fetch", CLIENTS)


@each
def test_a_later_handler_stands_nearer_to_the_network(fetch: Any) -> None:
    log: list[str] = []
    with use(passing("outer", log)), use(passing("inner", log)), use(named("answers", log)):
        assert asyncio.run(fetch("x")) == "answers"
    assert log == ["outer>", "inner>", "answers x", "<inner", "<outer"]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 1)), max_size=6))
def test_handlers_of_two_tasks_in_one_loop_never_mix(plans: list[tuple[int, int, int]]) -> None:
    logs: list[list[str]] = [[] for _ in plans]

    async def task(number: int, delay: int, turns: int, fetch: Any) -> None:
        with use(named(str(number), logs[number], turns), expect=2):
            for path in ("a", "b"):
                for _ in range(delay):
                    await asyncio.sleep(0)
                assert await fetch(path) == str(number)

    async def together() -> None:
        tasks = [
            task(number, delay, turns, CLIENTS[client])
            for number, (delay, turns, client) in enumerate(plans)
        ]
        await asyncio.gather(*tasks)

    asyncio.run(together())
    assert logs == [[f"{number} a", f"{number} b"] for number in range(len(plans))]


@each
def test_what_a_loop_has_holds_for_tasks_begun_before(fetch: Any) -> None:
    log: list[str] = []

    async def law() -> None:
        go = asyncio.Event()

        async def waits() -> str:
            await go.wait()
            return str(await fetch("x"))

        task = asyncio.create_task(waits())
        await asyncio.sleep(0)
        with use(named("loop", log), loop=asyncio.get_running_loop()):
            go.set()
            assert await task == "loop"
            with use(passing("own", log)):
                log.clear()
                assert await fetch("y") == "loop"
        assert here() == NOTHING

    asyncio.run(law())
    assert log == ["loop y"]  # the loop's own stand outside, and this one does not pass on


def test_control_a_task_begun_before_does_not_see_a_contexts_handler() -> None:
    async def law() -> Standing:
        go = asyncio.Event()

        async def waits() -> Standing:
            await go.wait()
            return here()

        task = asyncio.create_task(waits())
        await asyncio.sleep(0)
        with use(named("context", [])):
            go.set()
            return await task

    assert asyncio.run(law()) == NOTHING


def test_blocks_on_a_loop_may_end_in_any_order() -> None:
    async def law() -> None:
        loop = asyncio.get_running_loop()
        first, second = put((named("a", []),), (), loop), put((named("b", []),), (), loop)
        first.__enter__()
        second.__enter__()
        assert len(here().handlers) == 2
        first.__exit__(None, None, None)
        assert len(here().handlers) == 1
        second.__exit__(None, None, None)
        assert here() == NOTHING
        assert not hasattr(loop, "robotape_http")

    asyncio.run(law())


def in_another_context(act: Callable[[], object]) -> None:
    async def run() -> None:
        act()

    steps: Coroutine[Any, Any, None] = run()
    asyncio.run(steps)


def test_a_block_left_in_another_context_leaves_handlers_that_do_nothing() -> None:
    log: list[str] = []
    block = use(named("left behind", log), guarded=False)
    in_another_context(block.__enter__)
    in_another_context(lambda: block.__exit__(None, None, None))
    assert log == []
    assert here() == NOTHING


def test_below_a_forward_only_the_guards_stand_that_it_may_not_pass() -> None:
    class Sentry:
        def __init__(self, lets_forward: bool) -> None:
            self.lets_forward = lets_forward

        def check(self, host: str, port: int | None, deed: str) -> None: ...

        def learn(self, host: str, addresses: frozenset[str]) -> None: ...

    strict, lenient = Sentry(False), Sentry(True)
    handler = named("h", [])
    now = below(Standing((handler,), (strict, lenient)), ("GET", "a"))
    assert now == Standing((handler,), (strict,), ("GET", "a"), is_whole=True)
