"""Lineage: the order of tasks is the order of their creation, whatever the heap looks like."""

import asyncio
import gc
import os
import subprocess
import sys
import weakref
from typing import Any

import pytest

from robotape_harness.simulation import Choices, SimFuture, SimLoop, SimTask

SEEDS = range(25)
HASH_SEEDS = ("0", "1", "4711")


def cancelled_in_order(seed: int) -> str:
    """A fan-out of six in which one fails: who steps, and who is cleaned up, in which order."""
    told: list[str] = []

    async def branch(name: int) -> None:
        try:
            for _ in range(3):
                await asyncio.sleep(0)
                told.append(str(name))
            if name == 2:
                raise LookupError
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            told.append(f"x{name}")
            await asyncio.sleep(0)
            told.append(f"y{name}")
            raise

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for name in range(6):
                group.create_task(branch(name))

    loop = SimLoop(Choices.seeded(seed))
    with pytest.raises(ExceptionGroup):
        loop.run_until_complete(main())
    loop.close()
    return " ".join(told)


def name_of(future: "asyncio.Future[Any]") -> str:
    return future.get_name() if isinstance(future, SimTask) else "future"


def waited_in_order(seed: int) -> str:
    """What `asyncio.wait` hands back, in the order in which its sets are iterated."""
    loop = SimLoop(Choices.seeded(seed))

    async def main() -> str:
        future = loop.create_future()
        loop.call_later(1, future.set_result, None)
        tasks = [loop.create_task(asyncio.sleep(n % 3), name=f"t{n}") for n in range(9)]
        done, pending = await asyncio.wait([future, *tasks], timeout=1.5)
        return " ".join([*map(name_of, done), "|", *map(name_of, pending)])

    result = loop.run_until_complete(main())
    loop.close()
    return result


def all_in_order() -> list[str]:
    return [f"{cancelled_in_order(seed)} / {waited_in_order(seed)}" for seed in SEEDS]


def disturb_the_heap(number: int) -> list[object]:
    """Leave holes of odd sizes, so that the next objects lie elsewhere and in another order."""
    litter: list[object] = [bytearray(16 * (n * number % 97)) for n in range(200 * number)]
    loop = SimLoop()
    tasks = [loop.create_task(asyncio.sleep(0)) for _ in range(13 * number)]
    kept = litter[:: number + 1]
    loop.run_until_complete(asyncio.gather(*tasks[::2], *tasks[1::2]))
    loop.close()
    return [*kept, *tasks[::3]]


def test_same_seed_same_order_under_any_prior_heap() -> None:
    expected = all_in_order()
    for number in range(1, 6):
        kept = disturb_the_heap(number)
        assert all_in_order() == expected
        del kept
        gc.collect()


def test_control_stock_tasks_come_in_the_order_of_the_heap() -> None:
    orders = set()
    for number in range(1, 20):
        kept = disturb_the_heap(number)
        loop = asyncio.new_event_loop()
        futures = [loop.create_future() for _ in range(6)]
        orders.add(tuple(futures.index(future) for future in set(futures)))
        loop.close()
        del kept
    assert len(orders) > 1


def test_control_other_seed_other_order() -> None:
    assert len({cancelled_in_order(seed) for seed in SEEDS}) > len(SEEDS) // 2


def test_same_seed_same_order_in_fresh_processes_with_other_hash_seeds() -> None:
    program = "import test_lineage\nprint(test_lineage.all_in_order())"
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in HASH_SEEDS
    ]
    assert runs == [str(all_in_order())] * len(HASH_SEEDS)


def test_lineage_is_the_parents_and_the_number_among_its_children() -> None:
    lineages: dict[str, tuple[int, ...]] = {}

    async def note(name: str, depth: int) -> None:
        task = asyncio.current_task()
        assert isinstance(task, SimTask)
        lineages[task.get_name()] = task.robotape_lineage
        if depth:
            await asyncio.gather(note_task(name, depth - 1), note_task(name, depth - 1))

    def note_task(name: str, depth: int) -> "asyncio.Task[None]":
        return asyncio.get_running_loop().create_task(note(name, depth))

    for _ in range(2):
        loop = SimLoop(Choices.seeded(1))
        loop.run_until_complete(note("a", 2))
        loop.close()
    assert lineages == {
        "task-0": (0,),
        "task-0.0": (0, 0),
        "task-0.1": (0, 1),
        "task-0.0.0": (0, 0, 0),
        "task-0.0.1": (0, 0, 1),
        "task-0.1.0": (0, 1, 0),
        "task-0.1.1": (0, 1, 1),
    }


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
def test_eager_tasks_know_their_lineage_too() -> None:
    loop = SimLoop()
    loop.set_task_factory(vars(asyncio)["create_eager_task_factory"](SimTask))
    seen: list[object] = []

    async def child() -> None:
        seen.append(getattr(asyncio.current_task(), "robotape_lineage", None))

    async def main() -> None:
        await asyncio.gather(child(), child())

    loop.run_until_complete(main())
    loop.close()
    assert seen == [(0, 0), (0, 1)]


def test_a_task_that_nobody_knows_is_not_collected() -> None:
    ended: list[str] = []

    async def forgotten() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("collected")

    loop = SimLoop()
    tasks = [weakref.ref(loop.create_task(forgotten())) for _ in range(600)]
    loop.run_until_complete(asyncio.sleep(1))
    gc.collect()
    assert ended == []
    assert len(loop.leftovers().tasks) == 600
    loop.close()
    gc.collect()
    assert not any(task() for task in tasks)


def test_tasks_that_are_done_are_not_held_for_ever() -> None:
    loop = SimLoop()
    tasks: list[weakref.ref[asyncio.Task[None]]] = []

    async def main() -> None:
        for _ in range(3_000):
            task = loop.create_task(asyncio.sleep(0))
            tasks.append(weakref.ref(task))
            await task

    loop.run_until_complete(main())
    assert sum(task() is not None for task in tasks) < 600
    loop.close()


def test_a_given_name_is_kept() -> None:
    loop = SimLoop()
    task = loop.create_task(asyncio.sleep(0), name="planner")
    assert task.get_name() == "planner"
    loop.run_until_complete(task)
    loop.close()


def test_equality_is_identity_and_hash_is_order_of_creation() -> None:
    one, two = SimLoop(), SimLoop()
    a, b, c = one.create_future(), one.create_future(), two.create_future()
    assert isinstance(a, SimFuture)
    assert (hash(a), hash(b), hash(c)) == (0, 1, 0)
    assert a != c
    one.close()
    two.close()


def test_a_task_factory_of_the_user_is_used() -> None:
    made: list[asyncio.Task[None]] = []

    async def work() -> None:
        await asyncio.sleep(1)

    def factory(loop: asyncio.AbstractEventLoop, coro: object, **options: object) -> Any:
        task = asyncio.Task(work(), loop=loop)
        made.append(task)
        return task

    loop = SimLoop(Choices.seeded(1))
    loop.set_task_factory(factory)
    coroutine = work()
    task = loop.create_task(coroutine)
    coroutine.close()
    assert made == [task]
    assert type(task) is asyncio.Task
    loop.run_until_complete(task)
    loop.close()
