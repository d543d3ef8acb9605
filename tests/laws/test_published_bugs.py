"""The bug classes of the published robotape 0.6 cannot happen."""

import asyncio
import itertools
from typing import Any

import pytest

from robotape import Tool
from robotape.context import RunContext
from tests.laws.scripts import simulated

SHAPES: dict[str, Any] = {}


def shape(function: Any) -> Any:
    SHAPES[function.__name__] = function
    return function


@shape
async def plain(source: str, target: str, amount: int) -> tuple[str, str, int]:
    return source, target, amount


@shape
async def with_context(
    ctx: RunContext[Any], source: str, target: str, amount: int
) -> tuple[str, str, int]:
    return source, target, amount


@shape
async def keyword_only(*, source: str, target: str, amount: int) -> tuple[str, str, int]:
    return source, target, amount


@shape
async def context_and_keywords(
    ctx: RunContext[Any], *, source: str, target: str, amount: int
) -> tuple[str, str, int]:
    return source, target, amount


@shape
def blocking(source: str, target: str, amount: int) -> tuple[str, str, int]:
    return source, target, amount


GIVEN = {"source": "alice", "target": "bob", "amount": 7}
ORDERS = [dict(pairs) for pairs in itertools.permutations(GIVEN.items())]


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("arguments", ORDERS, ids="-".join)
def test_arguments_go_by_name_whatever_the_order_of_the_dict(
    name: str, arguments: dict[str, Any]
) -> None:
    made: Tool[Any] = Tool(SHAPES[name])
    told = asyncio.run(made.execute(arguments, RunContext(None)))
    assert told == ("alice", "bob", 7)


def test_control_passing_by_the_order_of_the_dict_swaps_them() -> None:
    told = {asyncio.run(plain(*order.values())) for order in ORDERS}
    assert len(told) == len(ORDERS)


def test_concurrent_calls_do_not_share_a_retry_counter() -> None:
    seen: dict[str, list[int]] = {}

    async def flaky(ctx: RunContext[Any], name: str, failures: int) -> str:
        seen.setdefault(name, []).append(ctx.retry)
        await asyncio.sleep(1)
        if ctx.retry < failures:
            raise ConnectionResetError
        return name

    made: Tool[Any] = Tool(flaky, max_retries=3)
    jobs = [("a", 0), ("b", 1), ("c", 2), ("d", 3), ("e", 3), ("f", 0)]

    async def main() -> list[str]:
        calls = (made.execute({"name": name, "failures": count}) for name, count in jobs)
        return list(await asyncio.gather(*calls))

    for seed in range(10):
        seen.clear()
        assert simulated(main(), seed) == [name for name, _ in jobs]
        assert seen == {name: list(range(count + 1)) for name, count in jobs}


def test_control_a_counter_on_the_tool_would_be_shared() -> None:
    class Counting:
        retry = 0

        async def call(self, failures: int) -> int:
            """As 0.6 did it: the counter is an attribute, reset by whoever succeeds."""
            for tries in itertools.count(1):
                await asyncio.sleep(1)
                if self.retry >= failures:
                    self.retry = 0
                    return tries
                self.retry += 1
            raise AssertionError

    async def main() -> list[int]:
        shared = Counting()
        return await asyncio.gather(*(shared.call(failures) for failures in (0, 1, 2, 3)))

    assert simulated(main()) != [1, 2, 3, 4]


def test_replace_with_gives_a_changed_copy() -> None:
    context = RunContext("shop", retry=1)
    assert context.replace_with(retry=2, tool_name="refund") == RunContext(
        "shop", retry=2, tool_name="refund"
    )
    assert context == RunContext("shop", retry=1)
