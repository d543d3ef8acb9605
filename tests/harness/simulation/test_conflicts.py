"""The search by conflicts: a few runs where chance needs hundreds, and no run twice."""

import asyncio
from collections.abc import Awaitable
from itertools import islice
from typing import Any

import pytest

from robotape import BaseAgent, RunContext, RunResult, Tool
from robotape_harness import Scenario, World, simulate
from robotape_harness.simulation import Choices, ConflictSearch
from tests.laws.races import Program, Shop, deadlock, lost_update, strikes, three_constraints


def runs_to_the_bug(program: Program) -> int:
    search = ConflictSearch()
    for schedule in search:
        if strikes(program, Choices.seeded(0), schedule)[0]:
            return search.runs
    raise AssertionError("not found")


@pytest.mark.parametrize(
    ("program", "most"), [(lost_update, 2), (deadlock, 5), (three_constraints, 20)]
)
def test_a_hidden_bug_is_found_within_a_few_runs(program: Program, most: int) -> None:
    assert 1 < runs_to_the_bug(program) <= most


@pytest.mark.parametrize("program", [lost_update, deadlock, three_constraints])
def test_what_was_found_replays_from_its_choices_alone(program: Program) -> None:
    for schedule in islice(ConflictSearch(), 10):
        struck, loop = strikes(program, Choices.seeded(0), schedule)
        again, replayed = strikes(program, Choices.replay(loop.choices.recorded))
        assert (again, replayed.steps) == (struck, loop.steps)


async def apart(shop: Shop) -> bool:
    """Two tasks that share nothing."""
    mine = [0, 0]

    async def count(index: int) -> None:
        for _ in range(5):
            mine[index] += 1
            await asyncio.sleep(0)

    await asyncio.gather(count(0), count(1))
    return False


async def readers(shop: Shop) -> bool:
    """Many tasks that only read."""

    async def read() -> int:
        await asyncio.sleep(0)
        return shop.balance

    await asyncio.gather(*(read() for _ in range(5)))
    return False


async def ordered(shop: Shop) -> bool:
    """One task begins the other, and waits for it: nothing could come in another order."""

    async def earn() -> None:
        shop.balance += 1
        await asyncio.sleep(0)
        shop.balance += 1

    shop.balance = 1
    await asyncio.create_task(earn())
    shop.balance += 1
    return False


@pytest.mark.parametrize("program", [apart, readers, ordered])
def test_where_nothing_races_one_run_is_all(program: Program) -> None:
    search = ConflictSearch()
    for schedule in search:
        strikes(program, Choices.seeded(0), schedule)
    assert (search.runs, search.traces) == (1, 1)


async def two_writers(shop: Shop) -> bool:
    """Each writes twice: six orders of four writes."""

    async def write(first: int) -> None:
        for value in (first, first + 1):
            shop.balance = value
            await asyncio.sleep(0)

    one, other = asyncio.create_task(write(10)), asyncio.create_task(write(20))
    await one
    await other
    return False


def test_the_search_ends_when_every_order_of_accesses_was_seen() -> None:
    search = ConflictSearch()
    orders = set()
    for schedule in search:
        strikes(two_writers, Choices.seeded(0), schedule)
        steps = schedule.recorder.steps
        orders.add(tuple(step.task for step in steps if step.accesses and step.task))
    assert len({order[-4:] for order in orders}) == 6
    assert search.traces == 6


def test_the_search_is_the_same_every_time() -> None:
    def orders() -> list[object]:
        told: list[object] = []
        for schedule in islice(ConflictSearch(), 12):
            strikes(three_constraints, Choices.seeded(0), schedule)
            told.append(schedule.order)
        return told

    assert orders() == orders()


class Teller(BaseAgent):
    """Pays in twice at once, through a tool that reads, waits and writes."""

    async def work(self, task: Any, deps: Any) -> RunResult:
        context = RunContext(deps)

        async def later(number: int) -> None:
            for _ in range(10 * number):
                await asyncio.sleep(0)
            await self.call_tool("pay_in", {}, context)

        calls: list[Awaitable[None]] = [later(0), later(1)]
        await asyncio.gather(*calls)
        return RunResult(deps.balance, self.current_tape)


async def pay_in(ctx: RunContext[Shop]) -> str:
    """Pay in."""
    before = ctx.deps.balance
    await asyncio.sleep(0)
    ctx.deps.balance = before + 1
    return "paid"


def test_the_world_of_a_scenario_is_watched() -> None:
    scenario: Scenario = Scenario(
        world=Shop,
        agent=lambda _: Teller("teller", tools=[Tool(pay_in)]),
        task="pay in twice",
        outcome=lambda result, world: result.output,
    )
    assert simulate(scenario).outcome == "2"
    search = ConflictSearch()
    outcomes = [
        simulate(scenario, choices=Choices.seeded(0), schedule=schedule).outcome
        for schedule in islice(search, 5)
    ]
    assert "1" in outcomes


def test_the_world_stays_what_it_is() -> None:
    class Plain(World):
        """Counts."""

        def __init__(self) -> None:
            super().__init__()
            self.count = 0

    seen: list[object] = []

    async def main() -> bool:
        return False

    async def program(shop: Shop) -> bool:
        seen.extend([isinstance(shop, Shop), type(shop).__name__, vars(shop)["balance"]])
        return await main()

    strikes(program, Choices.seeded(0), next(iter(ConflictSearch())))
    assert seen == [True, "Shop", 0]
    assert asyncio.Lock.acquire.__qualname__ == "Lock.acquire"
