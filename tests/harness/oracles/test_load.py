"""Laws of the oracle of load: layers that multiply and crowds are accused, one layer is not."""

import asyncio
from typing import Any

import pytest

from robotape import RunContext, Tool
from robotape_harness.oracles.load import amplification
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, accused, doing, names, paying_with_key, under


async def three_times(doer: Doer, _: World) -> Any:
    for wait in (1.0, 2.0):
        try:
            return await doer.call("pay", order="42")
        except ConnectionError:
            await asyncio.sleep(wait)
    return await doer.call("pay", order="42")


def test_a_loop_around_a_tool_with_retries_is_accused_with_both_factors() -> None:
    evidence = under(doing(three_times, paying_with_key()), "error", mode="forever")
    [verdict] = accused(amplification, evidence)
    assert verdict.harm == 3
    assert "was attempted 12 times in vain" in verdict.why
    assert "4 attempts of a call times 3 calls in a row" in verdict.why
    assert len(verdict.steps) == 24
    assert names(evidence) == ["amplification"]


@pytest.mark.parametrize("retries", [0, 1])
def test_control_one_layer_or_few_attempts_are_fine(retries: int) -> None:
    scenario = doing(three_times, paying_with_key(max_retries=retries))
    assert not accused(amplification, under(scenario, "error", mode="forever"))


def test_control_the_same_call_made_over_and_over_without_the_fault_is_no_layer() -> None:
    async def now_and_then(doer: Doer, _: World) -> None:
        for _again in range(6):
            await asyncio.sleep(60.0)
            try:
                await doer.call("pay", order="42")
            except ConnectionError:
                continue

    evidence = under(doing(now_and_then, paying_with_key()), "error", mode="forever")
    assert not accused(amplification, evidence)


def test_attempts_of_a_call_around_it_are_a_layer() -> None:
    async def inner(order: str) -> str:
        """Pay."""
        return "paid"

    async def outer(ctx: RunContext[World]) -> Any:
        """Try twice, and fail with an error that looks new to the layer around."""
        pay = Tool(inner, name="pay", max_retries=0)
        for wait in (1.0, 0.0):
            try:
                return await pay.execute({"order": "42"})
            except ConnectionError:
                await asyncio.sleep(wait)
        raise TimeoutError("twice in vain")

    async def call_outer(doer: Doer, _: World) -> Any:
        return await doer.call("outer")

    evidence = under(doing(call_outer, Tool(outer)), "error", mode="forever")
    [verdict] = accused(amplification, evidence)
    assert "2 calls in a row times 4 attempts of the call around it" in verdict.why


def reading(*, wait: float) -> Tool[Any]:
    async def pay(order: str) -> str:
        """Read the price, which takes a while."""
        await asyncio.sleep(wait)
        return order

    return Tool(pay, pure=True)


def crowd(size: int, *, gap: float) -> Any:
    async def read(doer: Doer, _: World) -> None:
        known: list[str] = []

        async def one(after: float) -> None:
            await asyncio.sleep(after)
            if not known:
                known.append(await doer.call("pay", order="42"))

        async with asyncio.TaskGroup() as group:
            for number in range(size):
                group.create_task(one(gap * number))

    return read


def test_a_crowd_that_asks_the_same_at_once_is_accused() -> None:
    evidence = under(doing(crowd(6, gap=2.0), reading(wait=1.0)), "delay", mode="forever")
    [verdict] = accused(amplification, evidence)
    assert "was asked for the same by 6 callers at once" in verdict.why
    assert names(evidence) == ["amplification"]


@pytest.mark.parametrize(("size", "gap"), [(3, 2.0), (6, 0.1)], ids=["few", "usual"])
def test_control_a_small_crowd_and_one_that_is_usual_are_fine(size: int, gap: float) -> None:
    scenario = doing(crowd(size, gap=gap), reading(wait=1.0))
    assert not accused(amplification, under(scenario, "delay", mode="forever"))
