"""The watchdog: real seconds for one step of a loop, so that a blocked thread is named and left.

Virtual time cannot see code that blocks the thread, so this is the one module of the
room that knows real time. It looks a few times per limit whether the loop's count of
steps has moved, which costs the steps themselves nothing.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from types import FrameType, TracebackType
from typing import Any, Protocol

from robotape.errors import RobotapeError
from robotape_harness.simulation.detect import is_library

__all__ = ["BlockedThreadError", "StillBlocked", "blocked", "watch"]

LOOKS = 4  # per limit: a block is noticed after one limit, and a quarter of it at most
DEBUGGERS = frozenset({"bdb", "pdb", "pydevd"})


class BlockedThreadError(RobotapeError):
    """One step of the loop kept the thread for longer than it may.

    Raised inside the blocking call where it can be, and out of the run in any case.

    Attributes:
        limit: Real seconds that a step has.
        where: file:line of the innermost frame outside the standard library.
        function: The function that this line belongs to.
        stack: Every frame as file:line in function, innermost first.
    """

    def __init__(self, limit: float, where: str, function: str, stack: tuple[str, ...]) -> None:
        super().__init__(limit, where, function, stack)
        self.limit = limit
        self.where = where
        self.function = function
        self.stack = stack

    def __str__(self) -> str:
        return (
            f"the thread was blocked for more than {self.limit:g} real s at {self.where} in"
            f" {self.function}. Await instead (asyncio.sleep, an async client, asyncio.Lock);"
            " if the step is honestly slow, raise block_limit."
        )


class StillBlocked(BaseException):
    """Follows where a step goes on blocking after it caught a `BlockedThreadError`."""


class Watched(Protocol):
    """A loop that counts its steps and can be told to give up."""

    steps: int

    def fail(self, error: BaseException) -> None:
        """End the run with an error as soon as the present step is over."""


def watch(loop: Watched, limit: float | None) -> AbstractContextManager[object]:
    """Watch the calling thread while it runs a loop.

    In the main thread of a system with interval timers, SIGALRM interrupts the block
    (`time.sleep`, locks, sockets, Python code; not C code that never returns) and whoever
    used signal and timer before gets them back. Elsewhere another thread looks on: it names
    the block, but the error comes out only once the blocking call returns by itself.

    Args:
        loop: Its count of steps has to move.
        limit: Real seconds for one step; None to watch nothing.
    """
    if limit is None:
        return nullcontext()
    in_main_thread = threading.current_thread() is threading.main_thread()
    if in_main_thread and hasattr(signal, "setitimer"):
        return _AlarmWatch(loop, limit)
    return _ThreadWatch(loop, limit)


class _Patience:
    """Counts looks at a loop that has not moved."""

    def __init__(self, loop: Watched) -> None:
        self._loop = loop
        self._steps = loop.steps
        self._looks = 0
        self.reports = 0

    def is_exhausted(self) -> bool:
        """Look once; true after a limit's worth of looks at the same step."""
        if self._loop.steps != self._steps:
            self._steps = self._loop.steps
            self._looks = self.reports = 0
        self._looks += 1
        return self._looks > LOOKS

    def report(self) -> None:
        """Begin another limit on the same step."""
        self._looks = 0
        self.reports += 1


class _AlarmWatch:
    def __init__(self, loop: Watched, limit: float) -> None:
        self._loop = loop
        self._limit = limit
        self._interval = limit / LOOKS

    def __enter__(self) -> None:
        self._patience = _Patience(self._loop)
        self._elapsed = 0.0
        self._old_handler: Any = signal.signal(signal.SIGALRM, self._look)
        self._old_due, self._old_interval = signal.setitimer(
            signal.ITIMER_REAL, self._interval, self._interval
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._old_handler or signal.SIG_DFL)
        if self._old_due:
            passed = self._elapsed + self._interval - left
            signal.setitimer(
                signal.ITIMER_REAL, max(self._old_due - passed, 1e-6), self._old_interval
            )

    def _look(self, signum: int, frame: FrameType | None) -> None:
        self._elapsed += self._interval
        self._serve_old_timer(signum, frame)
        if not self._patience.is_exhausted() or _is_debugged(frame):
            return
        self._patience.report()
        error = blocked(frame, self._limit)
        if self._patience.reports == 1:
            self._loop.fail(error)
            raise error
        raise StillBlocked(str(error))

    def _serve_old_timer(self, signum: int, frame: FrameType | None) -> None:
        """Whoever set a timer before (pytest-timeout does) is called when it is due."""
        if self._old_due and self._elapsed >= self._old_due and callable(self._old_handler):
            self._old_due = self._elapsed + self._old_interval if self._old_interval else 0.0
            self._old_handler(signum, frame)


class _ThreadWatch:
    def __init__(self, loop: Watched, limit: float) -> None:
        self._loop = loop
        self._limit = limit
        self._over = threading.Event()
        self._subject = threading.get_ident()

    def __enter__(self) -> None:
        self._patience = _Patience(self._loop)
        self._watcher = threading.Thread(
            target=self._look_on, name="robotape-watchdog", daemon=True
        )
        self._watcher.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._watcher.join()

    def _look_on(self) -> None:
        while not self._over.wait(self._limit / LOOKS):
            frame = sys._current_frames().get(self._subject)
            if self._patience.is_exhausted() and not _is_debugged(frame):
                if not self._patience.reports:
                    self._loop.fail(blocked(frame, self._limit))
                self._patience.report()


def blocked(frame: FrameType | None, limit: float) -> BlockedThreadError:
    """Say where a thread stands that is kept.

    Args:
        frame: Its innermost; None if it has ended.
        limit: Real seconds that it had.
    """
    frames = list(_upwards(frame))
    users = [each for each in frames if not is_library(each.f_code.co_filename)]
    stack = tuple(f"{_place(each)} in {each.f_code.co_qualname}" for each in frames)
    if not users:
        return BlockedThreadError(limit, "<no source>", "<no source>", stack)
    return BlockedThreadError(limit, _place(users[0]), users[0].f_code.co_qualname, stack)


def _is_debugged(frame: FrameType | None) -> bool:
    """Whether somebody sits at a debugger's prompt: that is no block."""
    names = (str(each.f_globals.get("__name__", "")) for each in _upwards(frame))
    return any(name.partition(".")[0] in DEBUGGERS for name in names)


def _upwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _place(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
