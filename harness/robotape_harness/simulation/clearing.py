"""Clearing away: ends whatever a simulated run left on its loop, so that the process stays clean.

It judges nothing: what was left has been taken down before.
"""

import asyncio
from typing import Any

from robotape_harness.simulation.asyncio_internals import run_outside
from robotape_harness.simulation.loop import SimLoop

__all__ = ["clear_away"]

ROUNDS = 2  # a task may catch one cancellation to clean up; one that catches two is dropped
GRACE = 60.0


def clear_away(loop: SimLoop) -> None:
    """Cancel what is left, let it clean up for a while, and close the loop.

    Guarantee: the loop is closed, whatever the tasks do.

    Raises:
        KeyboardInterrupt: Ctrl-C; the loop is closed all the same.
    """
    try:
        _end_tasks(loop)
    finally:
        _drop(loop)


def _end_tasks(loop: SimLoop) -> None:
    for _ in range(ROUNDS):
        tasks = _tasks(loop)
        if not tasks:
            break
        for task in tasks:
            task.cancel()
        _run(loop, asyncio.wait(tasks, timeout=GRACE))
    if loop.has_open_generators:
        _run(loop, loop.shutdown_asyncgens())


def _tasks(loop: SimLoop) -> list[asyncio.Task[Any]]:
    """Those not done, in the order of their creation."""
    return sorted(asyncio.all_tasks(loop), key=lambda task: getattr(task, "order", -1))


def _run(loop: SimLoop, ending: Any) -> None:
    try:
        run_outside(loop.run_until_complete, ending)
    except KeyboardInterrupt:
        raise
    except BaseException:
        # A limit, a blocked thread, a SystemExit: the run was judged before, this is its debris.
        return


def _drop(loop: SimLoop) -> None:
    """Close the loop, and the coroutines of the tasks that would not end."""
    stubborn = _tasks(loop)
    loop.close()
    for task in stubborn:
        try:
            coroutine: Any = task.get_coro()
            coroutine.close()
        except KeyboardInterrupt:
            raise
        except BaseException:
            # What it raises while it is thrown away concerns nobody.
            continue
