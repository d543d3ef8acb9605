"""Three planted bugs that first in, first out, does not show, and what it takes to see them.

The subjects of the laws about the search over schedules, and of its figures in the bench.
What the tasks share lies in a world, so that a search may see who reads and writes it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from robotape_harness import World
from robotape_harness.simulation import Choices, DeadlockError, Schedule, SimLoop
from robotape_harness.simulation.accesses import observe

Program = Callable[[Any], Awaitable[bool]]


class Shop(World):
    """What the tasks share."""

    def __init__(self) -> None:
        super().__init__()
        self.balance = 0
        self.first = self.second = self.third = False
        self.met = 0


async def hops(number: int) -> None:
    """Let the others have so many turns."""
    for _ in range(number):
        await asyncio.sleep(0)


async def lost_update(shop: Shop) -> bool:
    """Two deposits, each read, paused and written; the second starts five hops later."""

    async def deposit(late: int) -> None:
        await hops(late)
        before = shop.balance
        await asyncio.sleep(0)
        shop.balance = before + 1
        await hops(2)

    await asyncio.gather(deposit(0), deposit(5))
    return shop.balance != 2


async def deadlock(shop: Shop) -> bool:
    """Two locks in opposite order; who takes them second starts four hops later."""
    one, other = asyncio.Lock(), asyncio.Lock()

    async def take(outer: asyncio.Lock, inner: asyncio.Lock, late: int) -> None:
        await hops(late)
        async with outer:
            await asyncio.sleep(0)
            async with inner:
                await asyncio.sleep(0)

    await asyncio.gather(take(one, other, 0), take(other, one, 4))
    return False


async def three_constraints(shop: Shop) -> bool:
    """Three windows, each one hop wide, each to be looked through by the other task in time.

    Five more tasks make noise.
    """

    async def show(name: str) -> None:
        setattr(shop, name, True)
        await asyncio.sleep(0)
        setattr(shop, name, False)

    def look(name: str) -> None:
        if getattr(shop, name):
            shop.met += 1

    async def left() -> None:
        await hops(1)
        await show("first")
        await hops(1)
        look("second")
        await show("third")

    async def right() -> None:
        await hops(4)
        look("first")
        await show("second")
        await hops(4)
        look("third")

    await asyncio.gather(left(), *(hops(6) for _ in range(5)), right())
    return shop.met == 3


def strikes(
    program: Program, choices: Choices | None = None, schedule: Schedule | None = None
) -> tuple[bool, SimLoop]:
    """Run a program once: whether its bug struck, and the closed loop."""
    loop = SimLoop(choices, schedule=schedule, block_limit=None)
    try:
        return loop.run_until_complete(_awaited(program)), loop
    except DeadlockError:
        return True, loop
    finally:
        loop.close()


async def _awaited(program: Program) -> bool:
    shop = Shop()
    observe(shop)
    return await program(shop)


def runs_to_the_bug(
    program: Program, schedule_of: Callable[[int], Schedule], block: int, most: int = 5_000
) -> int:
    """How many runs of one block of seeds it takes until the bug strikes; `most` if none does."""
    for run_index in range(most):
        choices = Choices.seeded(most * block + run_index)
        if strikes(program, choices, schedule_of(run_index))[0]:
            return run_index + 1
    return most
