"""Behaviours: each does one thing to a call, and spoils nothing it was not asked to."""

import asyncio
from collections.abc import Callable

import pytest

from robotape_harness.faults.behaviours import ACTS, SETTLE, Strike
from robotape_harness.faults.catalogue import kind_of
from robotape_harness.faults.fault import Fault, Site
from robotape_harness.faults.spoiled import REWRITES
from robotape_harness.simulation import SimLoop

SITE = Site("tool", "tool:pay#1", "desk/1/tool:pay[0]")


def strike(name: str, cancel: Callable[[], object] = lambda: None, **params: float) -> Strike:
    fault = Fault(name, SITE, "before_commit", "once", params)
    return Strike(fault, kind_of(fault), cancel)


def seconds_of(does: str, blow: Strike) -> tuple[float, BaseException | None]:
    """Virtual seconds it takes, and what it raises."""

    async def act() -> None:
        await ACTS[does](blow)

    loop = SimLoop()
    try:
        loop.run_until_complete(act())
    except Exception as error:
        return loop.time(), error
    else:
        return loop.time(), None
    finally:
        loop.close()


def test_fail_raises_at_once() -> None:
    seconds, error = seconds_of("fail", strike("error"))
    assert (seconds, type(error)) == (0.0, ConnectionResetError)


def test_delay_lets_time_pass_and_raises_nothing() -> None:
    assert seconds_of("delay", strike("delay", seconds=4.5)) == (4.5, None)


def test_time_out_lets_time_pass_and_then_raises() -> None:
    seconds, error = seconds_of("time_out", strike("timeout", seconds=4.5))
    assert (seconds, type(error)) == (4.5, TimeoutError)


def test_cancel_asks_once_and_waits_until_everything_ready_has_had_its_turn() -> None:
    asked: list[int] = []
    blow = strike("cancellation", lambda: asked.append(1))
    assert seconds_of("cancel", blow) == (SETTLE, None)
    assert asked == [1]


def test_cancel_in_the_run_itself_does_not_return() -> None:
    async def run() -> None:
        task = asyncio.current_task()
        assert task is not None
        await ACTS["cancel"](strike("cancellation", task.cancel))
        raise AssertionError("it went on")

    with asyncio.Runner(loop_factory=SimLoop) as runner, pytest.raises(asyncio.CancelledError):
        runner.run(run())


def test_no_name_stands_for_two_behaviours() -> None:
    assert not ACTS.keys() & REWRITES.keys()
