"""Waits: where a task stands, what it waits for, and who holds that, as far as can be seen.

Nothing is noted down while a run goes on: all of it is read off the suspended tasks.
"""

import asyncio
import gc
import inspect
from collections.abc import Iterable, Iterator, Sequence
from types import FrameType, FunctionType, MethodType
from typing import Any, NamedTuple

from robotape_harness.simulation.asyncio_internals import awaited_by
from robotape_harness.simulation.detect import WaitingTask, is_library

__all__ = ["describe_tasks"]

Task = asyncio.Task[Any]

FRAMES = ("cr_frame", "gi_frame", "ag_frame")
AWAITED = ("cr_await", "gi_yieldfrom", "ag_await")
OWNER = "_owner_task"  # of anyio's locks


class _Wait(NamedTuple):
    """What one task waits for.

    Attributes:
        chain: Its coroutine and whatever that awaits, outermost first.
        frames: Their frames.
        at: Index of the innermost frame outside the standard library.
        on: The lock, queue or group whose method it is in; None when it is in none.
    """

    chain: list[Any]
    frames: list[FrameType]
    at: int
    on: Any


def describe_tasks(tasks: Sequence[Task]) -> tuple[tuple[WaitingTask, ...], tuple[int, ...]]:
    """Say where tasks stand, and who waits for whom.

    The line is the innermost one outside the standard library: who awaits a queue is
    told by its own line, and that it is a queue by `awaits`. The holder of a lock is known
    where it was taken by `async with`, and of a lock of anyio always.

    Returns:
        The tasks, as given; and the indexes of those which wait for each other in a ring,
        each for the next one and the last for the first; empty when there is no ring.
    """
    waits = [_wait_of(task) for task in tasks]
    holders = _holders(tasks, waits)
    ahead = [_ahead(task, wait, holders) for task, wait in zip(tasks, waits, strict=True)]
    told = tuple(map(_described, tasks, waits, ahead))
    index = {task: i for i, task in enumerate(tasks)}
    edges = [[index[other] for other in others if other in index] for others in ahead]
    return told, _ring(edges)


def _wait_of(task: Task) -> _Wait:
    chain = list(_chain(task.get_coro()))
    frames = [frame for each in chain if (frame := _frame(each)) is not None]
    users = [i for i, frame in enumerate(frames) if not is_library(frame.f_code.co_filename)]
    at = users[-1] if users else len(frames) - 1
    objects = (frame.f_locals.get("self") for frame in reversed(frames[at:]))
    library = (each for each in objects if each is not None and _is_librarys(each))
    return _Wait(chain, frames, at, next(library, None))


def _is_librarys(thing: object) -> bool:
    return type(thing).__module__.partition(".")[0] in ("asyncio", "anyio")


def _chain(awaitable: Any) -> Iterator[Any]:
    """A suspended coroutine and what it awaits, as far as they can be seen."""
    while awaitable is not None and _frame(awaitable) is not None:
        yield awaitable
        awaitable = next((a for name in AWAITED if (a := getattr(awaitable, name, None))), None)


def _frame(awaitable: Any) -> FrameType | None:
    frames = (getattr(awaitable, name, None) for name in FRAMES)
    return next((frame for frame in frames if frame is not None), None)


def _holders(tasks: Sequence[Task], waits: Sequence[_Wait]) -> dict[int, list[Task]]:
    """Who is inside an `async with` of what, by identity of that; but not who waits for it."""
    held: dict[int, list[Task]] = {}
    for task, wait in zip(tasks, waits, strict=True):
        for manager in (each for part in wait.chain for each in _entered(part)):
            if manager is not wait.on and _lock(manager) is not wait.on:
                held.setdefault(id(_lock(manager)), []).append(task)
    return held


def _entered(coroutine: Any) -> Iterator[Any]:
    """What a suspended coroutine has on its stack the exit of."""
    referents = gc.get_referents(coroutine)
    exits = [each for each in referents if getattr(each, "__name__", "") == "__aexit__"]
    yield from (each.__self__ for each in exits if isinstance(each, MethodType))
    # From Python 3.14 on the function and its object lie side by side.
    functions = [each for each in exits if isinstance(each, FunctionType)]
    for each in referents:
        if getattr(type(each), "__aexit__", None) in functions:
            yield each


def _lock(manager: Any) -> Any:
    """The lock that a condition is entered by; anything else is its own."""
    return getattr(manager, "_lock", None) or manager


def _ahead(task: Task, wait: _Wait, holders: dict[int, list[Task]]) -> list[Task]:
    """The tasks that have to do something first."""
    owner = getattr(wait.on, OWNER, None)
    found: Iterable[Any] = () if owner is None else (owner,)
    found = found or _awaited_tasks(task, wait) or holders.get(id(wait.on), ())
    return [each for each in dict.fromkeys(found) if each is not task and not each.done()]


def _awaited_tasks(task: Task, wait: _Wait) -> list[Task]:
    """Those whose end is awaited: one, those of `gather` or `wait`, or of a group."""
    waiter = awaited_by(task)
    below = [frame.f_locals for frame in wait.frames[wait.at + 1 :]]
    groups = (getattr(wait.on, "_tasks", None), *(names.get("fs") for names in below))
    candidates = [waiter, *getattr(waiter, "_children", ())]
    for group in groups:
        candidates += group or ()
    return [each for each in candidates if isinstance(each, asyncio.Task)]


def _described(task: Task, wait: _Wait, ahead: list[Task]) -> WaitingTask:
    lineage: tuple[int, ...] = getattr(task, "robotape_lineage", ())
    waits_for = tuple(each.get_name() for each in ahead)
    if not wait.frames:
        nowhere = "<no source>"
        awaited = _awaited(task)
        return WaitingTask(task.get_name(), lineage, nowhere, nowhere, awaited, waits_for)
    code = wait.frames[wait.at].f_code
    where = f"{code.co_filename}:{wait.frames[wait.at].f_lineno}"
    awaits = _awaits(task, wait)
    return WaitingTask(task.get_name(), lineage, where, code.co_qualname, awaits, waits_for)


def _awaits(task: Task, wait: _Wait) -> str:
    coroutine = task.get_coro()
    if inspect.iscoroutine(coroutine) and inspect.getcoroutinestate(coroutine) == "CORO_CREATED":
        return "its first step"
    if wait.on is not None:
        inner = [frame for frame in wait.frames if frame.f_locals.get("self") is wait.on]
        return f"{type(wait.on).__name__}.{inner[-1].f_code.co_name}"
    below = wait.frames[wait.at + 1 :]
    return below[0].f_code.co_qualname if below else _awaited(task)


def _awaited(task: Task) -> str:
    waiter = awaited_by(task)
    if isinstance(waiter, asyncio.Task):
        return f"task {waiter.get_name()}"
    return "its next step" if waiter is None else "a future"


def _ring(edges: list[list[int]]) -> tuple[int, ...]:
    """A ring in a graph, from its lowest node on; the first one that is found."""
    done: set[int] = set()
    for start in range(len(edges)):
        path = [start]
        trail = [iter(edges[start])]
        while trail:
            following = next(trail[-1], None)
            if following is None:
                done.add(path.pop())
                trail.pop()
            elif following in path:
                ring = path[path.index(following) :]
                lowest = ring.index(min(ring))
                return tuple(ring[lowest:] + ring[:lowest])
            elif following not in done:
                path.append(following)
                trail.append(iter(edges[following]))
    return ()
