"""A wait is as long as it may be, and no timer is made where none is needed."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from robotape_harness.seams import ExchangeError
from robotape_harness.seams.exchange import drive
from robotape_harness.seams.patience import Interrupted, Patience
from robotape_harness.simulation import SimLoop


def simulated(steps: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=SimLoop) as runner:
        return runner.run(steps)


def test_what_takes_too_long_is_cancelled_and_said() -> None:
    async def law() -> float:
        with pytest.raises(ExchangeError, match="read_timeout"):
            await Patience(5).wait(asyncio.sleep(60))
        return asyncio.get_running_loop().time()

    assert simulated(law()) == 5


def test_control_what_is_quick_enough_comes_back() -> None:
    assert simulated(Patience(5).wait(asyncio.sleep(4, "done"))) == "done"


def test_what_is_held_does_not_count_and_what_follows_counts_anew() -> None:
    patience = Patience(5)

    async def steps(last: float) -> float:
        await asyncio.sleep(4)
        patience.hold()
        await asyncio.sleep(100)
        patience.go_on()
        await asyncio.sleep(last)
        return asyncio.get_running_loop().time()

    assert simulated(patience.wait(steps(4))) == 108
    with pytest.raises(ExchangeError):
        simulated(Patience.wait(patience, steps(6)))


def test_held_from_the_beginning_it_needs_no_timer_until_it_goes_on() -> None:
    patience = Patience(5)

    async def steps() -> None:
        patience.hold()
        await asyncio.sleep(100)
        patience.go_on()
        await asyncio.sleep(60)

    with pytest.raises(ExchangeError):
        simulated(patience.wait(steps()))


def test_interrupted_it_looks_up_at_once_and_ever_after() -> None:
    patience = Patience(None, has_interrupts=True)

    async def law() -> float:
        loop = asyncio.get_running_loop()
        loop.call_later(3, patience.interrupt)
        for _ in range(2):
            with pytest.raises(Interrupted):
                await patience.wait(asyncio.sleep(60))
        return loop.time()

    assert simulated(law()) == 3


def test_cancellation_from_outside_stays_cancellation() -> None:
    async def law(held: bool) -> None:
        patience = Patience(5)
        if held:
            patience.hold()
        task = asyncio.create_task(patience.wait(asyncio.sleep(60)))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    for held in (True, False):
        simulated(law(held))


def test_errors_of_the_thing_itself_pass() -> None:
    async def fails(first: float) -> None:
        await asyncio.sleep(first)
        raise TimeoutError("its own")

    for first in (0, 1):
        with pytest.raises(TimeoutError, match="its own"):
            simulated(Patience(5).wait(fails(first)))


def test_what_does_not_suspend_needs_no_loop() -> None:
    async def at_once() -> str:
        return "done"

    assert drive(Patience(5).wait(at_once())) == "done"
