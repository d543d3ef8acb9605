"""The one place that touches asyncio's private parts: an event loop without I/O.

`BareLoop` keeps the ready queue and the virtual clock. What it means that nothing is left
to run, and how much is too much, is for its subclasses to say. Checked on CPython 3.11.7,
3.12.1 and 3.13.0; `check_python` refuses an asyncio that is built otherwise.
"""

import asyncio
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from functools import cache
from itertools import groupby
from math import inf
from types import BuiltinMethodType
from typing import Any, TypeVar, TypeVarTuple

from robotape.errors import RobotapeError
from robotape_harness.simulation.choices import Chooser
from robotape_harness.simulation.ordered import OrderedWeakSet, creation_order
from robotape_harness.simulation.timers import Timers

__all__ = [
    "BareLoop",
    "UnsupportedPython",
    "abandon",
    "awaited_by",
    "check_python",
    "run_outside",
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
    if step.__self__ is not task or not _is_wakeup(wakeup._callback):
        return "a task's callbacks do not name their task"
    wakeup._run()
    return type(step) if task.done() else "a woken task does not go on"


def _is_wakeup(callback: object) -> bool:
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


class BareLoop(asyncio.BaseEventLoop):
    """An event loop with a ready queue, timers on a virtual clock, and nothing else.

    Adjacent steps of tasks change places as the chooser says; any plain callback is a
    barrier that nothing crosses, for asyncio itself relies on `call_soon` being first in,
    first out. Timers due at one instant fire in the order in which they were set.

    Attributes:
        steps: How many callbacks and task steps have run.

    Source:
        The rule about barriers: reference/simulation.md, section 2.2.
    """

    _closed = True  # until it is made
    _check_callback: Callable[[object, str], None]
    _check_closed: Callable[[], None]
    _check_thread: Callable[[], None]
    _debug: bool
    _ready: deque[Any]
    _stopping: bool

    def __init__(self) -> None:
        self._step_type = check_python()
        super().__init__()
        self._asyncgens = OrderedWeakSet()
        self._chooser: Chooser | None = None
        self._line: list[Any] = []  # adjacent task steps, taken off the head of _ready
        self._timers = Timers()
        self._now = 0.0
        self._watch_from: float = inf
        self._failure: BaseException | None = None
        self.steps = 0

    @property
    def has_open_generators(self) -> bool:
        """Whether an async generator was begun here and has not ended."""
        return bool(self._asyncgens)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def before_jump(self, when: float) -> None:
        """Hear that nothing can run before an instant, which may be infinite; may raise."""

    def before_step(self) -> None:
        """Hear that a step is to be taken, from the watched number of steps on; may raise."""

    def after_step(self, task: asyncio.Task[Any] | None) -> None:
        """Hear whose step it was, from the watched number of steps on."""

    def fail(self, error: BaseException) -> None:
        """End the run with an error as soon as the present step is over."""
        self._failure = error

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Set a timer; one at infinity never fires.

        Raises:
            ValueError: The instant is not a number.
        """
        self._check_closed()
        if self._debug:
            self._check_thread()
            self._check_callback(callback, "call_at")
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers.add(when, timer)
        return timer

    def pending_timers(self) -> list[tuple[float, Callable[..., object]]]:
        """Instant and callback of the timers that are set, in the order of firing."""
        pending: list[tuple[float, Any]] = [*self._timers.pending()]
        return [(when, timer._callback) for when, timer in pending]

    def close(self) -> None:
        """Drop what is ready and what is set.

        Raises:
            RuntimeError: The loop is running.
        """
        super().close()
        self._line.clear()
        self._timers.clear()

    def run_forever(self) -> None:
        """Run until `stop` is called, or an error ends the run.

        What was made ready while the loop stood still has no order of its own (a Runner
        cancels tasks in the order of a set): adjacent task steps start in the order in
        which their tasks were created.

        Raises:
            RuntimeError: This loop, or another one of this thread, is running.
        """
        # Python 3.13.0 refuses both too, and takes the running loop down with it.
        if self.is_running():
            raise RuntimeError("This event loop is already running")
        if asyncio._get_running_loop() is not None:
            raise RuntimeError("Cannot run the event loop while another loop is running")
        self._settle()
        try:
            super().run_forever()
            self._raise_failure()
        except BaseException:
            self._forget_ending()
            raise
        finally:
            self._failure = None

    def _settle(self) -> None:
        handles = [(handle, self._owner(handle)) for handle in (*self._line, *self._ready)]
        self._line.clear()
        self._ready.clear()
        for _, group in groupby(handles, lambda entry: entry[1] is not None):
            ordered = sorted(group, key=lambda entry: creation_order(entry[1]))
            self._ready.extend(handle for handle, _ in ordered)

    def _forget_ending(self) -> None:
        """Let a main task that ended along with the run not stop the next one."""
        for handle in self._ready:
            if getattr(handle._callback, "__name__", "") == ENDING:
                handle.cancel()

    def _owner(self, handle: Any) -> asyncio.Task[Any] | None:
        """The task that a handle steps, if it steps one."""
        callback = handle._callback
        if type(callback) is self._step_type or _is_wakeup(callback):
            owner: asyncio.Task[Any] = callback.__self__
            return owner
        return None

    def _run_once(self) -> None:
        if not (self._ready or self._line or self._stopping):
            self._jump()
        self._ready.extend(self._timers.pop_due(self._now))
        todo = len(self._ready) + len(self._line)
        if self._debug or self.steps + todo >= self._watch_from:
            self._run_watched(todo)
        elif self._chooser is None:
            self._run_in_order(todo)
        else:
            self._run_chosen(todo, self._chooser)

    def _jump(self) -> None:
        when = self._timers.next_at()
        self.before_jump(when)
        self._now = max(self._now, when)

    def _run_in_order(self, todo: int) -> None:
        ready = self._ready
        for _ in range(todo):
            handle = ready.popleft()
            if not handle._cancelled:
                self.steps += 1
                handle._run()
                if self._failure is not None:
                    self._raise_failure(handle)

    def _run_chosen(self, todo: int, choose: Chooser) -> None:
        """Take `todo` steps, in constant time each: the chosen one and the first change places."""
        ready, line, step_type = self._ready, self._line, self._step_type
        first = 0
        try:
            for _ in range(todo):
                while ready:
                    callback = ready[0]._callback
                    if type(callback) is not step_type and not _is_wakeup(callback):
                        break
                    line.append(ready.popleft())
                waiting = len(line) - first
                if waiting > 1:
                    chosen = first + choose(waiting)
                    handle, line[chosen] = line[chosen], line[first]
                else:
                    handle = line[first] if waiting else ready.popleft()
                first += waiting > 0
                if not handle._cancelled:
                    self.steps += 1
                    handle._run()
                if self._failure is not None:
                    self._raise_failure(handle)
        finally:
            del line[:first]

    def _run_watched(self, todo: int) -> None:
        """Do the same, announcing each step."""
        for _ in range(todo):
            self.before_step()
            handle = self._take()
            if handle._cancelled:
                continue
            self.steps += 1
            task = self._owner(handle)
            self._current_handle = handle
            try:
                handle._run()
            finally:
                self._current_handle = None
            self._raise_failure(handle)
            self.after_step(task)

    def _take(self) -> Any:
        if self._chooser is None:
            return self._ready.popleft()
        while self._ready and self._owner(self._ready[0]) is not None:
            self._line.append(self._ready.popleft())
        if not self._line:
            return self._ready.popleft()
        if len(self._line) > 1:
            chosen = self._chooser(len(self._line))
            self._line[0], self._line[chosen] = self._line[chosen], self._line[0]
        return self._line.pop(0)

    def _raise_failure(self, handle: Any = None) -> None:
        if self._failure is not None:
            task = None if handle is None else self._owner(handle)
            if task is not None and task.done() and not task.cancelled():
                task.exception()  # retrieved: it comes out of the run
            raise self._failure

    def _timer_handle_cancelled(self, timer: asyncio.TimerHandle) -> None:
        self._timers.note_cancelled()

    def _write_to_self(self) -> None:
        """Nothing sleeps here that would have to be woken."""
