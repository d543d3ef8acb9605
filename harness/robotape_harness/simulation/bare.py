"""The bare loop: a ready queue, timers on a virtual clock, and nothing else.

What it means that nothing is left to run, and how much is too much, is for its
subclasses to say.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from contextvars import Context
from itertools import groupby, islice
from math import inf
from typing import Any, TypeVarTuple

from robotape_harness.simulation.accesses import Recorder
from robotape_harness.simulation.asyncio_internals import ENDING, check_python, is_wakeup
from robotape_harness.simulation.line import Line
from robotape_harness.simulation.ordered import OrderedWeakSet, creation_order
from robotape_harness.simulation.steady import collect_young, steady
from robotape_harness.simulation.timers import Timers

__all__ = ["BareLoop"]

Ts = TypeVarTuple("Ts")

COLLECT_EVERY = 5_000  # steps; what an agent leaves in cycles in so many is no burden


class BareLoop(asyncio.BaseEventLoop):
    """An event loop with a ready queue, timers on a virtual clock, and nothing else.

    Adjacent steps of tasks form a line and change places in it; any plain callback is a
    barrier that nothing crosses, for asyncio itself relies on `call_soon` being first in,
    first out. Timers due at one instant fire in the order in which they were set. The
    garbage collector runs at fixed steps, so that finalizers do too.

    Attributes:
        steps: How many callbacks and task steps have run.
        line: The task steps that are ready now, and who is asked which of them goes next;
            None where they go as they came.
        recorder: Hears of every step, if there is one.

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
        collect_young()  # what earlier runs left is not to end in the middle of this one
        self._step_type = check_python()
        super().__init__()
        self._asyncgens = OrderedWeakSet()
        self.line: Line | None = None
        self.recorder: Recorder | None = None
        self._timers = Timers()
        self._now = 0.0
        self._watch_from: float = inf
        self._collect_at = COLLECT_EVERY
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
        self.line = self.recorder = None  # they may refer to the loop
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
            with steady(), nullcontext() if self.recorder is None else self.recorder.primitives():
                super().run_forever()
            self._raise_failure()
        except BaseException:
            self._forget_ending()
            raise
        finally:
            self._failure = None

    def _settle(self) -> None:
        queued = [*self._ready] if self.line is None else [*self.line.clear(), *self._ready]
        handles = [(handle, self._owner(handle)) for handle in queued]
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
        if type(callback) is self._step_type or is_wakeup(callback):
            owner: asyncio.Task[Any] = callback.__self__
            return owner
        return None

    def _run_once(self) -> None:
        line = self.line
        if not (self._ready or line or self._stopping):
            self._jump()
        self._ready.extend(self._timers.pop_due(self._now))
        if self.steps >= self._collect_at:
            self._collect_at = self.steps + COLLECT_EVERY
            collect_young()
        todo = len(self._ready) + (0 if line is None else len(line))
        if self._debug or self.recorder or self.steps + todo >= self._watch_from:
            self._run_watched(todo)
        elif line is None:
            self._run_in_order(todo)
        else:
            self._run_chosen(todo, line)
        if line is not None:
            line.close_up()

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

    def _run_chosen(self, todo: int, line: Line) -> None:
        """Take `todo` steps, in constant time each."""
        ready, step_type = self._ready, self._step_type
        append, take = line.append, line.take
        for _ in range(todo):
            while ready:
                callback = ready[0]._callback
                if type(callback) is not step_type and not is_wakeup(callback):
                    break
                append(ready.popleft())
            handle = take() or ready.popleft()
            if not handle._cancelled:
                self.steps += 1
                handle._run()
            if self._failure is not None:
                self._raise_failure(handle)

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
            ready = len(self._ready)
            if self.recorder is not None:
                self.recorder.begin(handle, task)
            try:
                handle._run()
            finally:
                self._current_handle = None
                if self.recorder is not None:
                    self.recorder.end(islice(self._ready, ready, None))
            self._raise_failure(handle)
            self.after_step(task)

    def _take(self) -> Any:
        if self.line is None:
            return self._ready.popleft()
        while self._ready and self._owner(self._ready[0]) is not None:
            self.line.append(self._ready.popleft())
        return self.line.take() or self._ready.popleft()

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
