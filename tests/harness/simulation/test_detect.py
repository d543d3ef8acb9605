"""Detection: a run that will not end says who waits, where and for what."""

import asyncio
import inspect
import pickle
import re
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from robotape_harness.simulation import (
    BusyTask,
    DeadlockError,
    HangError,
    LivelockError,
    SimLoop,
    StepLimitError,
    TimeLimitError,
    WaitingTask,
)
from robotape_harness.simulation.detect import describe_timer, is_library
from robotape_harness.simulation.waits import describe_tasks


@pytest.fixture
def loop() -> Iterator[SimLoop]:
    with_home = SimLoop(step_limit=5_000, idle_step_limit=2_000, time_limit=1_000)
    yield with_home
    with_home.close()


def line_of(function: Callable[..., object], text: str) -> str:
    """file:line of the line of a function that contains a text."""
    lines, first = inspect.getsourcelines(function)
    offset = next(i for i, line in enumerate(lines) if text in line)
    return f"{__file__}:{first + offset}"


async def wait_for_item(queue: "asyncio.Queue[int]") -> int:
    return await queue.get()


async def wait_for_lock(lock: asyncio.Lock) -> None:
    async with lock:
        await asyncio.sleep(1)


async def deadlocked() -> None:
    lock = asyncio.Lock()
    await lock.acquire()
    item = asyncio.create_task(wait_for_item(asyncio.Queue()))
    locked = asyncio.create_task(wait_for_lock(lock), name="locked")
    await asyncio.sleep(2)
    await item
    await locked


def test_a_deadlock_names_every_waiting_task(loop: SimLoop) -> None:
    with pytest.raises(DeadlockError) as caught:
        loop.run_until_complete(deadlocked())
    assert caught.value.at == 2.0
    assert caught.value.tasks == (
        WaitingTask(
            "task-0",
            (0,),
            line_of(deadlocked, "await item"),
            "deadlocked",
            "task task-0.0",
            ("task-0.0",),
        ),
        WaitingTask(
            "task-0.0", (0, 0), line_of(wait_for_item, "get()"), "wait_for_item", "Queue.get"
        ),
        WaitingTask(
            "locked",
            (0, 1),
            line_of(wait_for_lock, "with"),
            "wait_for_lock",
            "Lock.acquire",
        ),
    )
    message = str(caught.value)
    assert message.startswith(
        "deadlock at 2 virtual s: nothing is ready, no timer is set, and 3 tasks"
    )
    assert all(str(task) in message for task in caught.value.tasks)
    assert not re.search("0x[0-9a-f]{6}", message)


def test_a_deadlock_comes_out_of_the_run_and_not_into_the_tasks(loop: SimLoop) -> None:
    caught: list[BaseException] = []

    async def stubborn() -> None:
        try:
            await loop.create_future()
        except Exception as error:
            caught.append(error)

    with pytest.raises(HangError):
        loop.run_until_complete(stubborn())
    assert caught == []


def test_a_timer_at_infinity_is_no_way_out(loop: SimLoop) -> None:
    with pytest.raises(DeadlockError):
        loop.run_until_complete(asyncio.sleep(float("inf")))


def test_control_a_wait_with_a_timeout_is_no_deadlock(loop: SimLoop) -> None:
    async def main() -> None:
        async with asyncio.timeout(9):
            await loop.create_future()

    with pytest.raises(TimeoutError):
        loop.run_until_complete(main())
    assert loop.time() == 9.0


async def spin() -> None:
    while True:
        await asyncio.sleep(0)


async def poll() -> None:
    while True:
        await asyncio.sleep(0.001)


async def beside(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.create_task(asyncio.sleep(900), name="calm").add_done_callback(print)
    await asyncio.create_task(work(), name="busy")


def test_a_livelock_names_the_busiest_task(loop: SimLoop) -> None:
    with pytest.raises(LivelockError, match="livelock at 0 virtual s: 2000 steps") as caught:
        loop.run_until_complete(beside(spin))
    assert [busy.task.name for busy in caught.value.busiest] == ["busy"]
    assert caught.value.busiest[0].steps > 900
    assert caught.value.busiest[0].task.where == line_of(spin, "await")
    assert "idle_step_limit" in str(caught.value)


def test_polling_for_ever_ends_at_the_step_limit(loop: SimLoop) -> None:
    with pytest.raises(StepLimitError, match="5000 steps and no end") as caught:
        loop.run_until_complete(beside(poll))
    assert loop.steps == 5_000
    assert caught.value.busiest[0].task.name == "busy"


def test_waiting_too_long_ends_at_the_time_limit(loop: SimLoop) -> None:
    with pytest.raises(
        TimeLimitError, match=r"due at 1001 s, beyond 1000 s, and 1 task waits:"
    ) as caught:
        loop.run_until_complete(asyncio.sleep(1_001))
    assert (caught.value.limit, caught.value.due_at, caught.value.at) == (1_000, 1_001, 0)
    assert loop.time() == 0.0


def test_control_just_within_every_limit(loop: SimLoop) -> None:
    async def work() -> None:
        for _ in range(1_900):
            await asyncio.sleep(0)
        await asyncio.sleep(500)
        for _ in range(1_900):
            await asyncio.sleep(0)
        await asyncio.sleep(500)

    loop.run_until_complete(work())
    assert loop.time() == 1_000


@pytest.mark.parametrize("work", [spin, poll], ids=["livelock", "step limit"])
def test_after_a_limit_the_tasks_can_be_torn_down(
    work: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    released: list[str] = []

    async def main() -> None:
        try:
            await work()
        finally:
            await asyncio.sleep(1)
            released.append("main")

    with (
        pytest.raises(HangError),
        asyncio.Runner(
            loop_factory=lambda: SimLoop(step_limit=3_000, idle_step_limit=2_000)
        ) as runner,
    ):
        runner.run(main())
    assert released == ["main"]


def test_leftovers_tell_tasks_and_timers(loop: SimLoop) -> None:
    async def main() -> None:
        reader = asyncio.create_task(wait_for_item(asyncio.Queue()), name="reader")
        sleeper = asyncio.create_task(asyncio.sleep(60), name="sleeper")
        loop.call_later(30, describe_timer, 1.0, print)
        await asyncio.wait([reader, sleeper], timeout=1)

    loop.run_until_complete(main())
    left = loop.leftovers()
    assert left
    assert [task.name for task in left.tasks] == ["reader", "sleeper"]
    assert [timer.due_at for timer in left.timers] == [30.0, 60.0]
    assert left.timers[0].callback == "describe_timer"
    assert "detect.py:" in str(left.timers[0])


def test_control_a_clean_run_leaves_nothing(loop: SimLoop) -> None:
    loop.run_until_complete(asyncio.sleep(1))
    assert not loop.leftovers()


def test_a_task_that_has_not_started_waits_for_its_first_step(loop: SimLoop) -> None:
    task = loop.create_task(spin())
    assert describe_tasks([task])[0][0].awaits == "its first step"


def test_errors_survive_a_trip_to_another_process() -> None:
    task = WaitingTask("task-0", (0,), "agent.py:3", "main", "Queue.get")
    errors: list[HangError] = [
        DeadlockError(1.0, (task,)),
        LivelockError(1.0, 9, (BusyTask(5, task),)),
        StepLimitError(1.0, 9, (BusyTask(5, task),)),
        TimeLimitError(1.0, 2.0, 3.0, (task,)),
    ]
    for error in errors:
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_the_library_is_told_from_the_user() -> None:
    assert is_library(asyncio.__file__)
    assert not is_library(__file__)
    assert not is_library(pytest.__file__)
