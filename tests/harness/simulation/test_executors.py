"""Executors: a function handed to a thread is one step of the run, or a thread it waits for."""

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio.from_thread
import anyio.to_thread
import pytest
from anyio.to_thread import run_sync

from robotape_harness import Choices, SimLoop, allow_real
from robotape_harness.simulation import BlockedThreadError, EscapeError
from tests.harness.simulation.draws import CHANCE, CLOCKS

time: Any = sys.modules["time"]


def run(main: Callable[[], Awaitable[Any]], **options: Any) -> Any:
    loop = SimLoop(**options)

    async def body() -> Any:
        return await main()

    try:
        return loop.run_until_complete(body())
    finally:
        loop.close()


def draw() -> tuple[object, object]:
    return CLOCKS["time.monotonic"](), CHANCE["random.random"]()


async def through_anyio(work: Callable[[], Any]) -> Any:
    return await anyio.to_thread.run_sync(work)


async def through_a_name(work: Callable[[], Any]) -> Any:
    return await run_sync(work)


HANDED: dict[str, Callable[[Callable[[], Any]], Awaitable[Any]]] = {
    "asyncio.to_thread": asyncio.to_thread,
    "run_in_executor": lambda work: asyncio.get_running_loop().run_in_executor(None, work),
    "anyio.to_thread.run_sync": through_anyio,
    "from anyio.to_thread import run_sync": through_a_name,
}
by_every_way = pytest.mark.parametrize("hand", HANDED.values(), ids=HANDED)


@by_every_way
def test_a_function_is_a_step_of_the_run(hand: Callable[..., Awaitable[Any]]) -> None:
    async def main() -> Any:
        await asyncio.sleep(5)
        own = threading.get_ident()
        assert await hand(threading.get_ident) == own
        return await hand(draw)

    assert run(main) == run(main)
    assert run(main)[0] == 5.0


@by_every_way
def test_allowed_it_is_a_real_thread_and_time_stands_still(
    hand: Callable[..., Awaitable[Any]],
) -> None:
    async def main() -> tuple[bool, float]:
        ticking = asyncio.create_task(asyncio.sleep(1))
        thread = await hand(threading.get_ident)
        # The thread's end is waited for although a timer is set.
        at = asyncio.get_running_loop().time()
        await ticking
        return thread != threading.get_ident(), at

    with allow_real("executor"):
        assert run(main) == (True, 0.0)


@by_every_way
def test_what_it_raises_comes_out(hand: Callable[..., Awaitable[Any]]) -> None:
    def fail() -> None:
        raise LookupError("no such order")

    async def main() -> None:
        await hand(fail)

    with pytest.raises(LookupError, match="no such order"):
        run(main)
    with allow_real("executor"), pytest.raises(LookupError, match="no such order"):
        run(main)


def test_real_threads_draw_from_the_seed_each_for_itself_and_end_in_order() -> None:
    async def main() -> tuple[list[Any], list[int]]:
        gates = [threading.Event() for _ in range(3)]
        order: list[int] = []

        def work(number: int) -> object:
            if number < 2:  # the last one begun is the first one done
                assert gates[number].wait(10)
            if number:
                gates[number - 1].set()
            return CHANCE["random.random"]()

        async def hand(number: int) -> object:
            drawn = await asyncio.to_thread(work, number)
            order.append(number)
            return drawn

        return await asyncio.gather(*map(hand, range(3))), order

    with allow_real("executor"):
        drawn, order = run(main)
        assert run(main) == (drawn, order)
    assert len(set(drawn)) == 3
    assert order == [0, 1, 2]


def test_a_real_thread_may_wait_for_the_loop() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()

        async def later() -> float:
            return float(str(CLOCKS["time.time"]()))

        def work() -> Any:
            return asyncio.run_coroutine_threadsafe(later(), loop).result(10)

        return float(await asyncio.to_thread(work))

    with allow_real("executor"):
        assert run(main) == 1_577_836_800.0


def test_a_real_thread_sees_wall_time_stand_and_what_measures_go_on() -> None:
    def work() -> tuple[object, object, bool]:
        first = CLOCKS["time.monotonic"]()
        wall = CLOCKS["time.time"]()
        while CLOCKS["time.monotonic"]() == first:
            pass
        return wall, first, CLOCKS["time.time"]() == wall

    async def main() -> Any:
        await asyncio.sleep(5)
        return await asyncio.to_thread(work)

    with allow_real("executor"):
        assert run(main) == (1_577_836_805.0, 5.0, True)


def test_a_real_thread_may_have_a_loop_of_its_own() -> None:
    async def answer() -> int:
        await asyncio.sleep(0.001)
        return 42

    def work() -> int:
        with asyncio.Runner() as runner:
            runner.get_loop()
            return runner.run(answer())

    async def main() -> int:
        return await asyncio.to_thread(work)

    with allow_real("executor"):
        assert run(main) == 42
    with pytest.raises(EscapeError, match=r"asyncio\.new_event_loop"):
        run(main)


def test_an_executor_that_is_given_is_used() -> None:
    with ThreadPoolExecutor(1, thread_name_prefix="mine") as pool, allow_real("executor"):

        async def main() -> str:
            loop = asyncio.get_running_loop()
            name: str = await loop.run_in_executor(pool, lambda: threading.current_thread().name)
            return name

        assert run(main).startswith("mine")


def test_a_thread_that_never_ends_is_named() -> None:
    forever = threading.Event()

    def stuck() -> None:
        forever.wait()

    async def main() -> None:
        await asyncio.to_thread(stuck)

    with allow_real("executor"), pytest.raises(BlockedThreadError) as caught:
        run(main, block_limit=0.2)
    forever.set()
    assert caught.value.function.endswith("stuck")
    assert caught.value.where.startswith(__file__)


def test_a_cancelled_wait_is_cancelled_and_its_thread_ends_first() -> None:
    done: list[str] = []
    go = threading.Event()

    def work() -> None:
        assert go.wait(10)
        done.append("work")

    async def main() -> float:
        task = asyncio.create_task(asyncio.to_thread(work))
        await asyncio.sleep(0)
        task.cancel()
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(1)
        return asyncio.get_running_loop().time()

    with allow_real("executor"):
        assert run(main) == 1.0
    assert done == ["work"]


def test_anyio_shields_a_function_from_a_scope_unless_it_may_be_abandoned() -> None:
    async def main(*, abandon: bool) -> list[str]:
        done: list[str] = []
        with anyio.CancelScope() as scope:
            scope.cancel()
            await run_sync(lambda: done.append("work"), abandon_on_cancel=abandon)
        return done

    # As in anyio: a scope that is cancelled beforehand does not let it begin.
    assert run(lambda: main(abandon=False)) == run(lambda: main(abandon=True)) == []


def test_anyio_takes_a_limiter() -> None:
    async def main() -> int:
        limiter = anyio.CapacityLimiter(1)
        await run_sync(lambda: None, limiter=limiter)
        return int(limiter.borrowed_tokens)

    assert run(main) == 0


def test_a_foreign_thread_is_heard_within_its_grace() -> None:
    async def main() -> tuple[str, float]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str] = loop.create_future()
        thread = threading.Thread(
            target=lambda: loop.call_soon_threadsafe(answer.set_result, "from outside")
        )
        thread.start()
        async with asyncio.timeout(10):
            found = await answer
        thread.join()
        return found, loop.time()

    with allow_real("threads", grace=5):
        assert run(main) == ("from outside", 0.0)


def test_after_its_grace_time_jumps() -> None:
    async def main() -> float:
        await asyncio.sleep(10)
        return asyncio.get_running_loop().time()

    with allow_real("threads", grace=0.01):
        assert run(main) == 10.0


def test_control_without_an_allowance_a_foreign_thread_is_refused() -> None:
    started: list[SimLoop] = []
    go, told = threading.Event(), threading.Event()
    caught: list[EscapeError] = []

    def intrude() -> None:
        assert go.wait(10)
        try:
            started[0].call_soon_threadsafe(print)
        except EscapeError as error:
            caught.append(error)
        told.set()

    thread = threading.Thread(target=intrude)
    thread.start()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimLoop)
        started.append(loop)
        go.set()
        assert await asyncio.to_thread(told.wait, 10)

    run(main)
    thread.join()
    assert caught[0].where.startswith(__file__)


def test_a_handle_cancelled_in_time_is_not_called() -> None:
    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        called: list[str] = []

        def work() -> None:
            loop.call_soon_threadsafe(called.append, "dropped").cancel()
            loop.call_soon_threadsafe(called.append, "kept")

        await asyncio.to_thread(work)
        return called

    with allow_real("executor"):
        assert run(main) == ["kept"]


@pytest.mark.parametrize("seed", range(5))
def test_real_threads_leave_the_schedule_to_the_choices(seed: int) -> None:
    async def main() -> list[int]:
        order: list[int] = []

        async def hand(number: int) -> None:
            await asyncio.to_thread(lambda: None)
            order.append(number)

        await asyncio.gather(*map(hand, range(5)))
        return order

    with allow_real("executor"):
        first = run(main, choices=Choices.seeded(seed))
        assert run(main, choices=Choices.seeded(seed)) == first
