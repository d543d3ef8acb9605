"""Waiting: what real threads bring comes in the order of beginning, once the last is done."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

from robotape_harness import SimLoop
from robotape_harness.simulation.waiting import RealThreads, settle
from robotape_harness.simulation.watchdog import BlockedThreadError, StillBlocked


@pytest.fixture
def loop() -> Any:
    made = SimLoop()
    yield made
    made.close()


def begin(threads: RealThreads, loop: SimLoop, work: Callable[[], Any]) -> "asyncio.Future[Any]":
    future = loop.create_future()
    threads.begin(None, future, work, loop.inside)
    return future


def test_nobody_is_waited_for_at_first(loop: SimLoop) -> None:
    threads = RealThreads(loop)
    assert not threads.are_waited_for
    assert not threads.may_wake(threading.get_ident())


def test_results_come_in_the_order_of_beginning(loop: SimLoop) -> None:
    threads = RealThreads(loop)
    go = threading.Event()
    order: list[object] = []

    def end_first() -> str:
        go.set()
        return "quick"

    slow = begin(threads, loop, lambda: "slow" if go.wait(10) else "too slow")
    quick = begin(threads, loop, end_first)
    for future in (slow, quick):
        future.add_done_callback(lambda done: order.append(done.result()))
    assert threads.are_waited_for
    assert threads.listen(10)
    assert not threads.are_waited_for
    loop.run_until_complete(asyncio.sleep(0))
    assert order == ["slow", "quick"]


def test_one_that_takes_too_long_is_given_up(loop: SimLoop) -> None:
    threads = RealThreads(loop)
    go = threading.Event()
    stuck = begin(threads, loop, go.wait)
    with pytest.raises(BlockedThreadError):
        threads.listen(0.05)
    assert not threads.are_waited_for
    go.set()
    # What it brings after all is nobody's; the next one is waited for as ever.
    late = begin(threads, loop, lambda: "late")
    assert threads.listen(10)
    assert late.result() == "late"
    assert not stuck.done()


def test_who_is_heard_is_waited_for_within_the_grace_alone(loop: SimLoop) -> None:
    threads = RealThreads(loop)
    threads.hear(0.01)
    assert threads.are_waited_for
    assert threads.may_wake(0)
    assert not threads.listen(None)
    threads.wake(print, (), None)
    assert threads.listen(None)


def test_another_process_is_waited_for(loop: SimLoop) -> None:
    threads = RealThreads(loop)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        future = loop.create_future()
        threads.begin(pool, future, int, loop.inside)
        assert threads.listen(60)
    assert future.result() == 0


def test_a_future_gets_what_a_thread_pool_would_give_it(loop: SimLoop) -> None:
    def stop() -> None:
        raise StopIteration

    def block() -> None:
        raise BlockedThreadError(1, "", "", ())

    def go_on() -> None:
        raise StillBlocked

    futures = [loop.create_future() for _ in range(4)]
    works: tuple[Callable[[], Any], ...] = (int, stop, block, go_on)
    for future, work in zip(futures, works, strict=True):
        settle(future, work)
    assert futures[0].result() == 0
    assert isinstance(futures[1].exception(), RuntimeError)
    assert futures[2].cancelled()
    assert futures[3].cancelled()
