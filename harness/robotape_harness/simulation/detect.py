"""What is left waiting in a run, and the errors that say that a run will not end.

Everything here is told by name, lineage and file:line, never by address.
"""

import functools
import inspect
import os
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from robotape.errors import RobotapeError

__all__ = [
    "BusyTask",
    "CallLimitError",
    "DeadlockError",
    "HangError",
    "Leftovers",
    "LivelockError",
    "PendingTimer",
    "StepLimitError",
    "TimeLimitError",
    "WaitingTask",
    "describe_timer",
    "is_library",
]

STDLIB = os.path.join(sysconfig.get_path("stdlib"), "")


@dataclass(frozen=True, slots=True)
class WaitingTask:
    """A task that is not done.

    Attributes:
        name: Its name.
        lineage: Its place in the tree of tasks; empty when a foreign factory made it.
        where: file:line of the innermost `await` outside the standard library.
        function: The function that this line belongs to.
        awaits: What it awaits there.
        waits_for: The names of the tasks that have to do something first: those that it
            awaits, or that hold what it awaits; empty when that cannot be known.
    """

    name: str
    lineage: tuple[int, ...]
    where: str
    function: str
    awaits: str
    waits_for: tuple[str, ...] = ()

    def __str__(self) -> str:
        told = f"{self.name} {self.lineage} at {self.where} in {self.function}, for {self.awaits}"
        if not self.waits_for or self.awaits == f"task {self.waits_for[0]}":
            return told
        return f"{told}: up to {', '.join(self.waits_for)}"


@dataclass(frozen=True, slots=True)
class PendingTimer:
    """A timer that is set.

    Attributes:
        due_at: The virtual instant, in seconds.
        callback: The qualified name of what it calls.
        where: file:line of that, or empty where it has no source.
    """

    due_at: float
    callback: str
    where: str

    def __str__(self) -> str:
        return f"timer due at {self.due_at:g} s calls {self.callback} {self.where}".rstrip()


@dataclass(frozen=True, slots=True)
class BusyTask:
    """A task that keeps stepping.

    Attributes:
        steps: How many of the last steps were its own.
        task: Who and where.
    """

    steps: int
    task: WaitingTask

    def __str__(self) -> str:
        return f"{self.steps} steps of {self.task}"


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What a run leaves behind; false when that is nothing.

    Attributes:
        tasks: Tasks not done, in order of creation.
        timers: Timers set, in order of firing.
        transports: Connections not closed, described, in order of opening.
    """

    tasks: tuple[WaitingTask, ...]
    timers: tuple[PendingTimer, ...]
    transports: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tasks or self.timers or self.transports)


class HangError(RobotapeError):
    """A run that will not end by itself; the loop raises it out of the run, not into a task.

    Attributes:
        at: Virtual seconds.
    """

    at: float


class DeadlockError(HangError):
    """Nothing is ready, no timer is set, and the run is not done.

    Attributes:
        tasks: Every task that waits, in order of creation.
        ring: Indexes in `tasks` of those which wait for each other, each for the next one
            and the last for the first; empty when no such ring is known.
    """

    def __init__(
        self, at: float, tasks: tuple[WaitingTask, ...], ring: tuple[int, ...] = ()
    ) -> None:
        super().__init__(at, tasks, ring)
        self.at = at
        self.tasks = tasks
        self.ring = ring

    def __str__(self) -> str:
        ring = [self.tasks[index].name for index in (*self.ring, *self.ring[:1])]
        told = f"\nIn a ring: {', which waits for '.join(ring)}." if ring else ""
        return (
            f"deadlock at {self.at:g} virtual s: nothing is ready, no timer is set, and"
            f" {_these(len(self.tasks), 'task')} for ever{':' if self.tasks else '.'}"
            f"{_listed(self.tasks)}{told}\n"
            "Something has to set what they wait for, or they need a timeout. A thread cannot"
            " wake a simulated loop: use asyncio.to_thread."
        )


class LivelockError(HangError):
    """Step follows step, and virtual time stands still.

    Attributes:
        steps: How many, since time last moved.
        busiest: Who took most of the last ones, busiest first.
    """

    def __init__(self, at: float, steps: int, busiest: tuple[BusyTask, ...]) -> None:
        super().__init__(at, steps, busiest)
        self.at = at
        self.steps = steps
        self.busiest = busiest

    def __str__(self) -> str:
        return (
            f"livelock at {self.at:g} virtual s: {self.steps} steps without time moving."
            f" Busiest at the end:{_listed(self.busiest)}\n"
            "Whoever tries again has to wait in between (asyncio.sleep above 0); if the work is"
            " honest, raise idle_step_limit."
        )


class StepLimitError(HangError):
    """The run took as many steps as it may.

    Attributes:
        steps: How many.
        busiest: Who took most of the last ones, busiest first.
    """

    def __init__(self, at: float, steps: int, busiest: tuple[BusyTask, ...]) -> None:
        super().__init__(at, steps, busiest)
        self.at = at
        self.steps = steps
        self.busiest = busiest

    def __str__(self) -> str:
        return (
            f"step limit at {self.at:g} virtual s: {self.steps} steps and no end."
            f" Busiest at the end:{_listed(self.busiest)}\n"
            "What polls needs a deadline; if the work is honest, raise step_limit."
        )


class CallLimitError(HangError):
    """The run made as many calls as it may.

    Attributes:
        at: Virtual seconds.
        calls: Attempts of calls, all told.
        target: What the call that was one too many asked for.
    """

    def __init__(self, at: float, calls: int, target: str) -> None:
        super().__init__(at, calls, target)
        self.at = at
        self.calls = calls
        self.target = target

    def __str__(self) -> str:
        return (
            f"call limit at {self.at:g} virtual s: {self.calls} attempts of calls and no end;"
            f" the last asked for {self.target}.\n"
            "What tries again needs a limit; if the work is honest, raise Limits.calls."
        )


class TimeLimitError(HangError):
    """The next thing to happen lies beyond the virtual time that the run has.

    Attributes:
        limit: Virtual seconds that it had.
        due_at: When the next timer would fire.
        tasks: Every task that waits, in order of creation.
    """

    def __init__(
        self, at: float, limit: float, due_at: float, tasks: tuple[WaitingTask, ...]
    ) -> None:
        super().__init__(at, limit, due_at, tasks)
        self.at = at
        self.limit = limit
        self.due_at = due_at
        self.tasks = tasks

    def __str__(self) -> str:
        return (
            f"time limit at {self.at:g} virtual s: the next timer is due at {self.due_at:g} s,"
            f" beyond {self.limit:g} s, and"
            f" {_these(len(self.tasks), 'task')}:{_listed(self.tasks)}\n"
            "What polls needs a deadline; if the wait is honest, raise time_limit."
        )


def describe_timer(due_at: float, callback: Callable[..., object]) -> PendingTimer:
    """Say what a timer will do."""
    plain: Any = callback
    while isinstance(plain, functools.partial):
        plain = plain.func
    plain = inspect.unwrap(plain)
    name = getattr(plain, "__qualname__", type(plain).__qualname__)
    code = getattr(plain, "__code__", None)
    return PendingTimer(due_at, name, f"{code.co_filename}:{code.co_firstlineno}" if code else "")


def is_library(path: str) -> bool:
    """Whether a source file belongs to the standard library."""
    return path.startswith("<frozen") or (path.startswith(STDLIB) and "site-packages" not in path)


def _these(number: int, noun: str) -> str:
    return f"1 {noun} waits" if number == 1 else f"{number} {noun}s wait"


def _listed(entries: tuple[object, ...]) -> str:
    return "".join(f"\n  {entry}" for entry in entries)
