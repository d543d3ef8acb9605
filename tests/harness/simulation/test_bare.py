"""The bare loop: exact virtual time, stable ties, and barriers that no step crosses."""

import asyncio
import gc
import logging
import warnings
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape_harness.simulation import Choices, SimLoop

TWO_DAYS = 48 * 3600.0


@pytest.fixture
def loop() -> Iterator[SimLoop]:
    with_home = SimLoop()
    yield with_home
    with_home.close()


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=9))
def test_time_jumps_exactly_to_each_timer(delays: list[float]) -> None:
    loop = SimLoop()
    fired: list[float] = []
    for delay in delays:
        loop.call_at(delay, lambda: fired.append(loop.time()))
    loop.call_at(max(delays), loop.stop)
    loop.run_forever()
    loop.close()
    assert fired == sorted(delays)


def test_a_sleep_of_two_days_takes_two_days(loop: SimLoop) -> None:
    loop.run_until_complete(asyncio.sleep(TWO_DAYS))
    assert loop.time() == TWO_DAYS


def test_ties_fire_in_the_order_in_which_they_were_set(loop: SimLoop) -> None:
    fired: list[int] = []
    for number in range(100):
        loop.call_at(5.0, fired.append, number)
    loop.run_until_complete(asyncio.sleep(6))
    assert fired == list(range(100))


def test_a_due_timer_does_not_wait_for_an_idle_loop(loop: SimLoop) -> None:
    async def main() -> int:
        done: list[None] = []
        loop.call_later(0, done.append, None)
        hops = 0
        while not done:
            await asyncio.sleep(0)
            hops += 1
        return hops

    assert loop.run_until_complete(main()) == 2


def test_a_cancelled_timer_moves_no_time(loop: SimLoop) -> None:
    async def main() -> None:
        async with asyncio.timeout(3600):
            await asyncio.sleep(1)

    loop.run_until_complete(main())
    assert loop.time() == 1.0
    assert loop.pending_timers() == []


def order_around_a_barrier(seed: int) -> list[str]:
    """Three tasks, a callback, three tasks: all ready at once."""
    loop = SimLoop(Choices.seeded(seed))
    order: list[str] = []

    async def note(name: str) -> None:
        order.append(name)

    async def main() -> None:
        before = [loop.create_task(note(name)) for name in "abc"]
        loop.call_soon(order.append, "|")
        after = [loop.create_task(note(name)) for name in "def"]
        await asyncio.wait([*before, *after])

    loop.run_until_complete(main())
    loop.close()
    return order


def test_no_task_step_crosses_a_plain_callback() -> None:
    orders = [order_around_a_barrier(seed) for seed in range(60)]
    assert all(sorted(order[:3]) == ["a", "b", "c"] for order in orders)
    assert all(order[3] == "|" for order in orders)


def test_control_within_the_barrier_every_order_occurs() -> None:
    orders = [order_around_a_barrier(seed) for seed in range(60)]
    assert len({tuple(order[:3]) for order in orders}) == 6
    assert len({tuple(order[4:]) for order in orders}) == 6


def test_callbacks_keep_their_order_under_every_seed() -> None:
    for seed in range(20):
        loop = SimLoop(Choices.seeded(seed))
        order: list[int] = []
        for number in range(20):
            loop.call_soon(order.append, number)
        loop.call_soon(loop.stop)
        loop.run_forever()
        loop.close()
        assert order == list(range(20))


def test_a_cancelling_callback_is_a_barrier_too() -> None:
    """`task.cancel` is bound to a task as well, but is no step of it."""
    for seed in range(20):
        loop = SimLoop(Choices.seeded(seed))
        order: list[str] = []

        async def note(name: str, order: list[str] = order) -> None:
            order.append(name)

        victim = loop.create_task(note("victim"))
        loop.call_soon(victim.cancel)
        later = loop.create_task(note("later"))
        loop.run_until_complete(later)
        loop.close()
        assert order == ["victim", "later"]


def test_what_was_readied_while_the_loop_stood_starts_in_order_of_creation(loop: SimLoop) -> None:
    ended: list[str] = []

    async def serve(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    tasks = [loop.create_task(serve(name)) for name in "abcd"]
    loop.run_until_complete(asyncio.sleep(1))
    for task in (tasks[2], tasks[0], tasks[3], tasks[1]):
        task.cancel()
    loop.run_until_complete(asyncio.wait(tasks))
    assert ended == ["a", "b", "c", "d"]


def test_stop_ends_the_run_after_what_is_ready(loop: SimLoop) -> None:
    ran: list[str] = []
    loop.call_later(1, ran.append, "later")
    loop.call_soon(loop.stop)
    loop.call_soon(ran.append, "soon")
    loop.run_forever()
    assert ran == ["soon"]
    loop.stop()
    loop.run_forever()
    assert (ran, loop.time()) == (["soon"], 0.0)


def test_async_generators_are_closed_in_order_of_first_use(loop: SimLoop) -> None:
    closed: list[int] = []
    kept: list[AsyncIterator[int]] = []

    async def numbers(name: int) -> AsyncIterator[int]:
        try:
            while True:
                yield name
        finally:
            closed.append(name)

    async def main() -> None:
        for name in range(20):
            generator = numbers(name)
            kept.append(generator)
            await anext(generator)

    loop.run_until_complete(main())
    loop.run_until_complete(loop.shutdown_asyncgens())
    assert closed == list(range(20))


def test_debug_mode_changes_nothing_but_checks() -> None:
    orders = []
    for debug in (False, True):
        loop = SimLoop(Choices.seeded(5))
        loop.set_debug(debug)
        order: list[int] = []

        async def work(name: int, order: list[int] = order) -> None:
            for _ in range(3):
                order.append(name)
                await asyncio.sleep(0)

        async def main(loop: SimLoop = loop) -> None:
            await asyncio.gather(*map(work, range(6)))
            loop.call_at(9, print).cancel()

        loop.run_until_complete(main())
        loop.close()
        orders.append(order)
    assert orders[0] == orders[1]


def test_debug_mode_refuses_a_coroutine_function_as_timer(loop: SimLoop) -> None:
    async def work() -> None: ...

    loop.set_debug(True)
    with pytest.raises(TypeError, match="coroutines cannot be used"):
        loop.call_later(1, work)


def test_a_failing_callback_goes_to_the_exception_handler(loop: SimLoop) -> None:
    seen: list[object] = []
    loop.set_exception_handler(lambda _, context: seen.append(context["exception"]))
    error = LookupError()

    def fail() -> None:
        raise error

    loop.call_soon(fail)
    loop.run_until_complete(asyncio.sleep(1))
    assert seen == [error]


def test_close_is_silent_about_tasks_left(caplog: pytest.LogCaptureFixture) -> None:
    loop = SimLoop()
    left = loop.create_task(asyncio.sleep(60))
    loop.run_until_complete(asyncio.sleep(1))
    with warnings.catch_warnings(), caplog.at_level(logging.DEBUG):
        warnings.simplefilter("error")
        loop.close()
        loop.close()
        del left
        gc.collect()
    assert not caplog.records


def test_control_a_loop_never_closed_warns() -> None:
    loop = SimLoop()
    with pytest.warns(ResourceWarning, match="unclosed event loop"):
        loop.__del__()


def test_a_loop_cannot_be_closed_while_it_runs(loop: SimLoop) -> None:
    async def main() -> None:
        loop.close()

    with pytest.raises(RuntimeError, match="running"):
        loop.run_until_complete(main())


def test_close_ends_what_is_left_in_order_of_creation() -> None:
    ended: list[int] = []

    async def hold(name: int) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(name)
            await asyncio.sleep(0)

    loop = SimLoop()
    tasks = [loop.create_task(hold(name)) for name in range(20)]
    loop.run_until_complete(asyncio.sleep(1))
    tasks.append(loop.create_task(hold(20)))
    loop.close()
    assert ended == list(range(20))
    assert not any(task.done() for task in tasks)
