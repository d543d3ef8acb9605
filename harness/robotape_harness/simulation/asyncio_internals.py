"""What the simulation relies on of asyncio's private parts, and whether it holds here.

Checked on CPython 3.11.7, 3.12.1 and 3.13.0; `check_python` refuses an asyncio that is
built otherwise. `BareLoop` and `steady_sets` build on it, nobody else.
"""

import asyncio
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from types import BuiltinMethodType
from typing import Any, TypeVar, TypeVarTuple

from robotape.errors import RobotapeError

__all__ = [
    "ENDING",
    "UnsupportedPython",
    "abandon",
    "awaited_by",
    "callback_of",
    "check_python",
    "is_wakeup",
    "run_outside",
    "task_of",
]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

NEEDED = (
    "_asyncgens",
    "_check_callback",
    "_check_closed",
    "_check_thread",
    "_debug",
    "_ready",
    "_run_once",
    "_stopping",
    "_timer_handle_cancelled",
    "_write_to_self",
)
"""What `BareLoop` expects of `asyncio.BaseEventLoop`."""

WAKEUP = "task_wakeup"
ENDING = "_run_until_complete_cb"


class UnsupportedPython(RobotapeError):
    """This interpreter's asyncio is not built as the simulation needs it.

    Attributes:
        missing: What is not there or behaves otherwise.
    """

    def __init__(self, missing: str) -> None:
        super().__init__(missing)
        self.missing = missing

    def __str__(self) -> str:
        version = ".".join(map(str, sys.version_info[:3]))
        return (
            f"the simulation cannot run on {sys.implementation.name} {version}: {self.missing}."
            " Use CPython 3.11, 3.12 or 3.13."
        )


@cache
def check_python() -> type:
    """Make sure, once per process, that asyncio's insides are what `BareLoop` builds on.

    Returns:
        The type of a task's first callback.

    Raises:
        UnsupportedPython: They are not.
    """
    found: list[type | str] = []
    # In a thread of its own, so that no running loop disturbs the probe, or is disturbed.
    thread = threading.Thread(target=lambda: found.append(_probe()), name="robotape-probe")
    thread.start()
    thread.join()
    if isinstance(found[0], str):
        raise UnsupportedPython(found[0])
    return found[0]


def _probe() -> type | str:
    """Watch one task start and wake up on a loop that nobody runs; else say what is amiss."""
    if not hasattr(asyncio.base_events, ENDING):
        return f"asyncio.base_events lacks {ENDING}"
    loop = asyncio.BaseEventLoop()
    asyncio._set_running_loop(loop)
    try:
        lacking = [name for name in NEEDED if not hasattr(loop, name)]
        return f"BaseEventLoop lacks {', '.join(lacking)}" if lacking else _watch_task(loop)
    except (AttributeError, IndexError, RuntimeError, TypeError) as error:
        return f"a task is not stepped through call_soon as expected: {error!r}"
    finally:
        asyncio._set_running_loop(None)
        loop.close()


def _watch_task(loop: asyncio.BaseEventLoop) -> type | str:
    insides: Any = loop
    ready = insides._ready
    future: asyncio.Future[None] = asyncio.Future(loop=loop)

    async def wait() -> None:
        await future

    task = asyncio.Task(wait(), loop=loop)
    start = ready.popleft()
    step = start._callback
    start._run()
    if awaited_by(task) is not future:
        return "a task does not say what it awaits"
    future.set_result(None)
    wakeup = ready.popleft()
    if step.__self__ is not task or not is_wakeup(wakeup._callback):
        return "a task's callbacks do not name their task"
    wakeup._run()
    return type(step) if task.done() else "a woken task does not go on"


def is_wakeup(callback: object) -> bool:
    """Whether this is what wakes a task; its other bound methods are plain callbacks."""
    return (
        type(callback) is BuiltinMethodType
        and isinstance(callback.__self__, asyncio.Task)
        and callback.__name__ == WAKEUP
    )


def awaited_by(task: asyncio.Task[Any]) -> asyncio.Future[Any] | None:
    """What a task waits for; None when it is ready or done."""
    insides: Any = task
    waiter: asyncio.Future[Any] | None = insides._fut_waiter
    return waiter


def callback_of(handle: asyncio.Handle) -> Callable[..., object]:
    """What a handle calls."""
    insides: Any = handle
    callback: Callable[..., object] = insides._callback
    return callback


def task_of(handle: asyncio.Handle) -> asyncio.Task[Any]:
    """The task that a handle steps; it must be one that does."""
    bound: Any = callback_of(handle)
    task: asyncio.Task[Any] = bound.__self__
    return task


def abandon(task: asyncio.Task[Any]) -> None:
    """End a task that will never step again, silently, by closing its coroutine."""
    insides: Any = task
    insides._log_destroy_pending = False
    coroutine = insides.get_coro()
    if coroutine is not None:
        with suppress(Exception, asyncio.CancelledError):
            coroutine.close()


def run_outside(function: Callable[[*Ts], T], *args: *Ts) -> T:
    """Call a function as a thread would run it: without a running loop."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        return function(*args)
    finally:
        asyncio._set_running_loop(loop)
