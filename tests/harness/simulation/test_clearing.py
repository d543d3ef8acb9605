"""Clearing away: tasks may clean up, for a while; the loop is closed whatever they do."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from robotape_harness.simulation import SimLoop
from robotape_harness.simulation.clearing import GRACE, clear_away

log: list[str] = []


async def clean_up(seconds: float) -> None:
    try:
        await asyncio.sleep(1_000)
    finally:
        await asyncio.sleep(seconds)
        log.append("cleaned")


async def refuse() -> None:
    while True:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            log.append("refused")


async def spin() -> None:
    while True:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            log.append("refused")


async def exit_at_once() -> None:
    try:
        await asyncio.sleep(1_000)
    finally:
        raise SystemExit(3)


async def interrupt() -> None:
    try:
        await asyncio.sleep(1_000)
    finally:
        raise KeyboardInterrupt


def cleared(*bodies: Coroutine[Any, Any, None]) -> tuple[SimLoop, list[asyncio.Task[None]]]:
    """Let tasks begin, and clear them away."""
    log.clear()
    loop = SimLoop(idle_step_limit=1_000)
    tasks = [loop.create_task(body) for body in bodies]
    loop.run_until_complete(asyncio.sleep(0))
    clear_away(loop)
    return loop, tasks


def test_an_empty_loop_is_closed() -> None:
    loop, _ = cleared()
    assert loop.is_closed()


def test_a_task_may_clean_up() -> None:
    loop, (task,) = cleared(clean_up(5))
    assert log == ["cleaned"]
    assert task.cancelled()
    assert loop.time() == 5


def test_a_task_that_cleans_up_for_too_long_is_cancelled_again() -> None:
    loop, (task,) = cleared(clean_up(10 * GRACE))
    assert log == []
    assert task.cancelled()
    assert loop.time() == GRACE


@pytest.mark.parametrize("body", [refuse, spin])
def test_a_task_that_refuses_is_dropped(body: Any) -> None:
    loop, (task,) = cleared(body())
    assert log == ["refused"] * 2
    assert loop.is_closed() and not task.done()
    coroutine: Any = task.get_coro()
    assert coroutine.cr_frame is None  # closed, so the collector will find nothing to do


def test_what_exits_does_not_take_the_others_along() -> None:
    loop, (_, other) = cleared(exit_at_once(), clean_up(1))
    assert loop.is_closed()
    assert other.cancelled()
    assert log == ["cleaned"]


def test_ctrl_c_comes_out_and_the_loop_is_closed() -> None:
    loop = SimLoop()
    task = loop.create_task(interrupt())
    loop.run_until_complete(asyncio.sleep(0))
    with pytest.raises(KeyboardInterrupt):
        clear_away(loop)
    assert loop.is_closed() and task.done()
    assert isinstance(task.exception(), KeyboardInterrupt)
