"""SimLoop as a whole: asyncio's own promises hold on it, and threads run inline."""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Iterator

import pytest

from robotape_harness.simulation import (
    Choice,
    ChoiceDivergenceError,
    Choices,
    SimLoop,
    StepLimitError,
)

SEEDS = range(20)


class Halt(BaseException):
    """Neither an Exception nor one of the two that stop asyncio."""


@pytest.fixture
def loop() -> Iterator[SimLoop]:
    with_home = SimLoop(Choices.seeded(1))
    yield with_home
    with_home.close()


def test_a_runner_takes_the_loop() -> None:
    async def main() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=SimLoop, debug=True) as runner:
        assert [runner.run(main()), runner.run(main())] == [3600.0, 7200.0]


def test_a_runner_cancels_what_is_left_in_the_same_order_for_the_same_seed() -> None:
    def ended(seed: int) -> list[int]:
        order: list[int] = []

        async def serve(name: int) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                order.append(name)

        async def main() -> None:
            serving = [asyncio.create_task(serve(name)) for name in range(40)]
            await asyncio.sleep(1)
            for task in serving[::3]:
                task.cancel()

        with asyncio.Runner(loop_factory=lambda: SimLoop(Choices.seeded(seed))) as runner:
            runner.run(main())
        return order

    orders = [ended(seed) for seed in SEEDS]
    assert orders == [ended(seed) for seed in SEEDS]
    assert len({tuple(order) for order in orders}) == len(SEEDS)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, Halt])
def test_a_base_exception_comes_out_as_asyncio_has_it(kind: type[BaseException]) -> None:
    async def main() -> None:
        await asyncio.sleep(0)
        raise kind

    for new_loop in (SimLoop, asyncio.new_event_loop):
        loop = new_loop()
        with pytest.raises(kind):
            loop.run_until_complete(main())
        loop.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_after_a_keyboard_interrupt_the_others_can_be_torn_down(seed: int) -> None:
    started: list[int] = []
    ended: list[int] = []

    async def serve(name: int) -> None:
        started.append(name)
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(name)

    async def interrupt() -> None:
        raise KeyboardInterrupt

    async def main() -> None:
        await asyncio.gather(*map(serve, range(3)), interrupt(), *map(serve, range(3, 6)))

    with (
        pytest.raises(KeyboardInterrupt),
        asyncio.Runner(loop_factory=lambda: SimLoop(Choices.seeded(seed))) as runner,
    ):
        runner.run(main())
    assert sorted(ended) == sorted(started)


def test_cancellation_reaches_the_innermost_await(loop: SimLoop) -> None:
    seen: list[str] = []

    async def inner() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError as error:
            seen.append(str(error))
            raise

    async def main() -> float:
        task = asyncio.create_task(inner())
        await asyncio.sleep(2)
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError):
            await task
        return loop.time()

    assert loop.run_until_complete(main()) == 2.0
    assert seen == ["enough"]


def test_timeouts_follow_virtual_time(loop: SimLoop) -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(7200), 3600)
        return loop.time()

    assert loop.run_until_complete(main()) == 3600.0


def test_a_function_on_a_thread_runs_inline_as_one_step(loop: SimLoop) -> None:
    order: list[str] = []

    def work(name: str) -> int:
        order.append(name)
        return threading.get_ident()

    async def main() -> set[int]:
        ran_on = await asyncio.gather(*(asyncio.to_thread(work, name) for name in "abc"))
        return set(ran_on)

    assert loop.run_until_complete(main()) == {threading.get_ident()}
    assert sorted(order) == ["a", "b", "c"]


def test_a_function_on_a_thread_sees_what_a_thread_sees(loop: SimLoop) -> None:
    setting = contextvars.ContextVar("setting", default="unset")

    def look() -> tuple[str, bool]:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return setting.get(), False
        return setting.get(), True

    async def main() -> list[tuple[str, bool]]:
        setting.set("set")
        return [await loop.run_in_executor(None, look), await asyncio.to_thread(look)]

    assert loop.run_until_complete(main()) == [("unset", False), ("set", False)]


@pytest.mark.parametrize("kind", [LookupError, Halt])
def test_a_functions_error_reaches_whoever_awaits_it(
    loop: SimLoop, kind: type[BaseException]
) -> None:
    def work() -> None:
        raise kind

    async def main() -> None:
        with pytest.raises(kind):
            await asyncio.to_thread(work)

    loop.run_until_complete(main())


def test_a_function_that_stops_an_iteration_is_an_error_and_no_hang(loop: SimLoop) -> None:
    async def main() -> None:
        await asyncio.to_thread(next, iter(()))

    with pytest.raises(RuntimeError, match="StopIteration"):
        loop.run_until_complete(main())


def test_a_function_cancelled_in_time_does_not_run(loop: SimLoop) -> None:
    ran: list[None] = []

    async def main() -> None:
        never = loop.run_in_executor(None, ran.append, None)
        never.cancel()
        await asyncio.sleep(1)

    loop.run_until_complete(main())
    assert ran == []


def test_no_function_after_the_executor_was_shut_down(loop: SimLoop) -> None:
    loop.run_until_complete(loop.shutdown_default_executor())
    with pytest.raises(RuntimeError, match="shutdown"):
        loop.run_until_complete(asyncio.to_thread(print))


def test_a_divergence_on_the_schedule_comes_out_of_the_run() -> None:
    loop = SimLoop(Choices.replay([Choice("schedule:order", 2, 1)]))

    async def main() -> None:
        await asyncio.gather(asyncio.sleep(1), asyncio.sleep(1))

    with pytest.raises(ChoiceDivergenceError, match="'schedule:next' among 2"):
        loop.run_until_complete(main())
    loop.close()


def test_a_loop_within_a_loop_is_refused_and_the_outer_one_goes_on(loop: SimLoop) -> None:
    async def main() -> float:
        other = SimLoop()
        with pytest.raises(RuntimeError, match="another loop is running"):
            other.run_forever()
        other.close()
        await asyncio.sleep(1)
        return loop.time()

    assert loop.run_until_complete(main()) == 1.0


def test_a_running_loop_cannot_be_run_again_and_goes_on(loop: SimLoop) -> None:
    async def main() -> str:
        with pytest.raises(RuntimeError, match="already running"):
            loop.run_forever()
        await asyncio.sleep(1)
        return "went on"

    assert loop.run_until_complete(main()) == "went on"


def test_a_closed_loop_takes_nothing() -> None:
    loop = SimLoop()
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_soon(print)
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_later(1, print)


def test_interceptors_can_be_set_and_are_the_loops_own(loop: SimLoop) -> None:
    assert loop.robotape_interceptors == ()
    loop.robotape_interceptors = ("a middleware",)
    other = SimLoop()
    assert other.robotape_interceptors == ()
    other.close()


def test_acts_between_steps_happen_after_the_very_step_and_once(loop: SimLoop) -> None:
    met: list[tuple[int, int]] = []

    def acting(number: int) -> Callable[[], None]:
        return lambda: met.append((number, loop.steps))

    for number in (9, 3, 4):
        loop.at_step(number, acting(number))

    async def main() -> int:
        for _ in range(10):
            await asyncio.sleep(0)
        await asyncio.sleep(5)
        return loop.steps

    steps = loop.run_until_complete(main())
    assert met == [(3, 3), (4, 4), (9, 9)]
    untouched = SimLoop()
    assert untouched.run_until_complete(_same(untouched)) == steps
    untouched.close()


async def _same(loop: SimLoop) -> int:
    for _ in range(10):
        await asyncio.sleep(0)
    await asyncio.sleep(5)
    return loop.steps


def test_a_limit_still_holds_where_somebody_acts_between_steps() -> None:
    loop = SimLoop(step_limit=50)
    met: list[int] = []
    loop.at_step(20, lambda: met.append(loop.steps))

    async def poll() -> None:
        while True:
            await asyncio.sleep(1)

    with pytest.raises(StepLimitError):
        loop.run_until_complete(poll())
    assert (met, loop.steps) == ([20], 50)
    loop.close()
