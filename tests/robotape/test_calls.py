"""Calls are frozen values; interceptors stand next to the effect, a later one nearer."""

import asyncio
import dataclasses
from typing import Any

import pytest

from robotape.calls import Call, CallNext, Middleware, intercept, interceptors_of, through
from robotape.runtime import Run, Scope, current_scope, entered
from robotape.tools import Tool, tool
from robotape_harness.simulation import SimLoop
from tests.laws.scripts import Watcher, simulated


def test_a_call_does_not_change() -> None:
    call, name = Call("tool", "refund", {}), "attempt"
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(call, name, 2)


def test_again_is_the_same_call_one_attempt_later() -> None:
    call = Call("tool", "refund", {"a": 1}, call_id="c", key="k", attempt=2)
    again = call.again()
    assert again == dataclasses.replace(call, attempt=3)
    assert again.arguments is call.arguments


def named(name: str, log: list[str]) -> Middleware:
    async def station(call: Call, call_next: CallNext) -> Any:
        log.append(f"{name} in")
        try:
            return await call_next(call)
        finally:
            log.append(f"{name} out")

    return station


@tool(pure=True)
async def add(a: int, b: int) -> int:
    """Add."""
    return a + b


def test_a_later_interceptor_stands_nearer_to_the_effect() -> None:
    log: list[str] = []

    async def main() -> Any:
        with intercept(named("first", log)), intercept(named("second", log)):
            return await add.execute({"a": 1, "b": 2})

    assert asyncio.run(main()) == 3
    assert log == ["first in", "second in", "second out", "first out"]


def test_stations_are_chained_outermost_first() -> None:
    log: list[str] = []

    async def effect(call: Call) -> str:
        log.append("effect")
        return call.target

    chained = through((named("a", log), named("b", log)), effect)
    assert asyncio.run(_awaited(chained, Call("tool", "t", {}))) == "t"
    assert log == ["a in", "b in", "effect", "b out", "a out"]


async def _awaited(call_next: CallNext, call: Call) -> Any:
    return await call_next(call)


def test_an_interceptor_leaves_nothing_behind() -> None:
    watcher = Watcher()

    async def main() -> None:
        with pytest.raises(ZeroDivisionError), intercept(watcher):
            raise ZeroDivisionError
        assert current_scope() is None
        await add.execute({"a": 1, "b": 2})

    asyncio.run(main())
    assert watcher.seen == []


def test_an_interceptor_holds_for_tasks_begun_in_its_block_and_no_other() -> None:
    inside, outside = Watcher(), Watcher()

    async def main() -> None:
        before = asyncio.create_task(add.execute({"a": 0, "b": 0}))
        with intercept(inside):
            await asyncio.create_task(add.execute({"a": 1, "b": 1}))
        with intercept(outside):
            pass
        await before

    asyncio.run(main())
    assert [seen.arguments["a"] for seen in inside.seen] == [1]
    assert outside.seen == []


def test_a_loops_own_interceptors_stand_outermost_and_see_older_tasks() -> None:
    log: list[str] = []
    loop = SimLoop()

    async def main() -> None:
        older = loop.create_task(add.execute({"a": 0, "b": 0}))
        loop.robotape_interceptors = (named("loop", log),)
        await older
        with intercept(named("block", log)):
            await add.execute({"a": 1, "b": 1})

    loop.run_until_complete(main())
    loop.close()
    assert log == ["loop in", "loop out", "loop in", "block in", "block out", "loop out"]


def test_an_interceptor_may_answer_refuse_or_ask_twice() -> None:
    bodies: list[int] = []

    async def body(a: int) -> int:
        bodies.append(a)
        return a

    asked: Tool[Any] = Tool(body, max_retries=0)

    async def answers(call: Call, call_next: CallNext) -> Any:
        return "answered"

    async def refuses(call: Call, call_next: CallNext) -> Any:
        raise ConnectionError("injected")

    async def twice(call: Call, call_next: CallNext) -> Any:
        await call_next(call)
        return await call_next(call)

    async def main(station: Middleware) -> Any:
        with intercept(station):
            return await asked.execute({"a": 1})

    assert simulated(main(answers)) == "answered"
    with pytest.raises(ConnectionError, match="injected"):
        simulated(main(refuses))
    assert bodies == []
    assert simulated(main(twice)) == 1
    assert bodies == [1, 1]


def test_without_a_loop_of_its_own_the_scopes_interceptors_count() -> None:
    async def main() -> tuple[Any, ...]:
        station = named("x", [])
        with entered(Scope(Run(1), interceptors=(station,))) as scope:
            return interceptors_of(scope), (station,)

    found, expected = asyncio.run(main())
    assert found == expected
