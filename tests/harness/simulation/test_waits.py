"""Waits: a deadlock says who holds what the others wait for, and shows the ring."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import anyio
import pytest

from robotape_harness.simulation import DeadlockError, SimLoop

Main = Callable[[], Awaitable[object]]


def stuck(main: Main) -> DeadlockError:
    loop = SimLoop()

    async def run() -> None:
        await main()

    try:
        with pytest.raises(DeadlockError) as caught:
            loop.run_until_complete(run())
    finally:
        loop.close()
    return caught.value


def waiting(error: DeadlockError) -> dict[str, tuple[str, tuple[str, ...]]]:
    """For every task what it awaits and who has to do something first."""
    return {task.name: (task.awaits, task.waits_for) for task in error.tasks}


def spawn(work: Any, name: str) -> "asyncio.Task[Any]":
    return asyncio.get_running_loop().create_task(work, name=name)


async def two_locks() -> None:
    """Each holds one and wants the other's."""
    one, other = asyncio.Lock(), asyncio.Lock()

    async def take(first: asyncio.Lock, second: asyncio.Lock) -> None:
        async with first:
            await asyncio.sleep(1)
            async with second:
                await asyncio.sleep(1)

    await asyncio.gather(spawn(take(one, other), "left"), spawn(take(other, one), "right"))


def test_two_locks_in_opposite_order_are_a_ring() -> None:
    error = stuck(two_locks)
    assert waiting(error) == {
        "task-0": ("a future", ("left", "right")),
        "left": ("Lock.acquire", ("right",)),
        "right": ("Lock.acquire", ("left",)),
    }
    assert error.ring == (1, 2)
    assert "In a ring: left, which waits for right, which waits for left." in str(error)
    assert "for Lock.acquire: up to right" in str(error)


async def three_semaphores() -> None:
    """A ring of three, one of them through a helper and an exit stack."""
    limits = [asyncio.Semaphore(1) for _ in range(3)]

    async def enter(limit: asyncio.Semaphore) -> None:
        async with limit:
            await asyncio.sleep(1)

    async def hold(number: int) -> None:
        async with AsyncExitStack() as stack, limits[number]:
            stack.callback(print)
            await asyncio.sleep(1)
            await enter(limits[(number + 1) % 3])

    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(hold(number), name=f"t{number}")


def test_a_ring_of_three_begins_with_the_oldest_and_follows_the_waits() -> None:
    error = stuck(three_semaphores)
    assert waiting(error) == {
        "task-0": ("TaskGroup.__aexit__", ("t0", "t1", "t2")),
        "t0": ("Semaphore.acquire", ("t1",)),
        "t1": ("Semaphore.acquire", ("t2",)),
        "t2": ("Semaphore.acquire", ("t0",)),
    }
    assert [error.tasks[index].name for index in error.ring] == ["t0", "t1", "t2"]


async def condition() -> None:
    """Who waits in a condition does not hold it; who entered it does."""
    changed = asyncio.Condition()

    async def wait() -> None:
        async with changed:
            await changed.wait()

    async def block() -> None:
        await asyncio.sleep(1)
        async with changed:
            await asyncio.Event().wait()

    async def enter() -> None:
        await asyncio.sleep(2)
        async with changed:
            changed.notify_all()

    await asyncio.wait(
        [spawn(wait(), "waiter"), spawn(block(), "blocker"), spawn(enter(), "notifier")]
    )


def test_a_condition_is_held_by_who_entered_it_and_not_by_who_waits_in_it() -> None:
    error = stuck(condition)
    assert waiting(error) == {
        "task-0": ("wait", ("waiter", "blocker", "notifier")),
        "waiter": ("Condition.wait", ()),
        "blocker": ("Event.wait", ()),
        "notifier": ("Lock.acquire", ("blocker",)),
    }
    assert error.ring == ()
    assert "ring" not in str(error)


async def never_released() -> None:
    """The holder is gone."""
    lock = asyncio.Lock()
    await spawn(lock.acquire(), "careless")
    async with lock:
        await asyncio.sleep(1)


def test_a_lock_that_nobody_holds_any_more_names_nobody() -> None:
    assert waiting(stuck(never_released)) == {"task-0": ("Lock.acquire", ())}


async def each_other() -> None:
    """Tasks that await each other, by way of `gather` and a timeout that never comes."""
    tasks: list[asyncio.Task[Any]] = []

    async def follow(number: int) -> None:
        await asyncio.sleep(1)
        await asyncio.gather(tasks[1 - number], return_exceptions=True)

    tasks.extend(spawn(follow(number), f"t{number}") for number in range(2))
    await asyncio.wait_for(asyncio.shield(tasks[0]), None)


def test_tasks_that_await_each_other_are_a_ring() -> None:
    error = stuck(each_other)
    assert [error.tasks[index].name for index in error.ring] == ["t0", "t1"]


async def queues() -> None:
    """Nobody can be known to be the one who will put or get."""
    full: asyncio.Queue[int] = asyncio.Queue(1)
    await full.put(1)
    await asyncio.gather(
        spawn(full.put(2), "putter"), spawn(asyncio.PriorityQueue[int]().get(), "getter")
    )


def test_a_queue_is_told_by_its_kind_and_names_nobody() -> None:
    told = waiting(stuck(queues))
    assert (told["putter"], told["getter"]) == (("Queue.put", ()), ("PriorityQueue.get", ()))


async def anyio_locks() -> None:
    """The locks of anyio know their owner, however they were taken."""
    one, other = anyio.Lock(), anyio.Lock()

    async def take(first: anyio.Lock, second: anyio.Lock) -> None:
        await first.acquire()
        await anyio.sleep(1)
        await second.acquire()

    async with anyio.create_task_group() as group:
        group.start_soon(take, one, other, name="left")
        group.start_soon(take, other, one, name="right")


def test_a_lock_of_anyio_knows_its_owner() -> None:
    error = stuck(anyio_locks)
    assert waiting(error)["left"][1] == ("right",)
    assert [error.tasks[index].name for index in error.ring] == ["left", "right"]


def test_control_the_same_locks_in_one_order_are_no_deadlock() -> None:
    async def main() -> None:
        one, other = asyncio.Lock(), asyncio.Lock()

        async def take() -> None:
            async with one, other:
                await asyncio.sleep(1)

        await asyncio.gather(take(), take())

    loop = SimLoop()
    loop.run_until_complete(main())
    loop.close()
    assert loop.time() == 2.0
