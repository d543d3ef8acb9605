"""Steady: nothing but the run decides while a simulated loop runs, neither heap nor collector.

The sets in which asyncio and anyio keep tasks and scopes iterate in order of arrival,
`all_tasks` in order of creation, and the garbage collector is off: the loop collects at
fixed steps. All of it is as before once no simulated loop runs any more.
"""

import asyncio
import gc
import importlib
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import cache
from types import ModuleType
from typing import Any

from robotape_harness.simulation.asyncio_internals import UnsupportedPython
from robotape_harness.simulation.ordered import ArrivalSet, creation_order

__all__ = ["check_sets", "collect_young", "steady"]

SHADOWED = "set"
TASKS = ("_all_tasks", "_scheduled_tasks")  # Python 3.11; from 3.12 on
ANYIO = "anyio._backends._asyncio"
YOUNG = 1 if sys.version_info < (3, 14) else 0  # from 3.14 on, 1 takes a part of the old ones too


def steady() -> AbstractContextManager[None]:
    """Keep order and collector steady; calls may be nested, and overlap in threads.

    Raises:
        UnsupportedPython: asyncio keeps its tasks in another way than in sets.
    """
    return _STEADY


def collect_young() -> None:
    """Collect what became garbage since the last time; what survives is not looked at again.

    Whoever has asked to hear of collections does not hear of this one: a test library that
    measures them would draw from the run's clock.
    """
    listeners = [*gc.callbacks]
    gc.callbacks.clear()
    try:
        gc.collect(YOUNG)
    finally:
        gc.callbacks.extend(listeners)


@cache
def check_sets() -> tuple[ModuleType, ...]:
    """Make sure, once per process, that asyncio makes its sets by that name.

    Returns:
        The modules in which `set` is to be another one.

    Raises:
        UnsupportedPython: It does not.
    """
    as_completed: Any = getattr(asyncio.tasks, "_AsCompletedIterator", None)
    makers: list[Callable[..., Any]] = [
        asyncio.wait,
        as_completed.__init__ if as_completed else asyncio.as_completed,
        asyncio.TaskGroup.__init__,
    ]
    for maker in makers:
        if not _makes_sets(maker):
            raise UnsupportedPython(f"{maker.__qualname__} makes no set of what it is given")
    return asyncio.tasks, asyncio.taskgroups


@cache
def _anyio_sets() -> tuple[ModuleType, ...]:
    """The module of anyio that makes such sets, if it still does."""
    backend = importlib.import_module(ANYIO)  # optional dependency: only where anyio is in use
    if all(_makes_sets(maker.__init__) for maker in (backend.CancelScope, backend.TaskGroup)):
        return (backend,)
    warnings.warn(
        "this version of anyio keeps its tasks in another way than in sets: a seed found in code"
        " that uses its task groups and cancel scopes may not replay",
        RuntimeWarning,
        stacklevel=2,
    )
    return ()


def _makes_sets(function: Callable[..., Any]) -> bool:
    code: Any = getattr(function, "__code__", None)
    return code is not None and SHADOWED in code.co_names


class _InOrder:
    """asyncio's weak set of all tasks, read in order of their creation."""

    def __init__(self, tasks: Any) -> None:
        self._tasks = tasks

    def __iter__(self) -> Iterator[Any]:
        return iter(sorted(self._tasks, key=creation_order))

    def __len__(self) -> int:
        return len(self._tasks)

    def __contains__(self, task: object) -> bool:
        return task in self._tasks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tasks, name)


class _Steady:
    """Entered by every simulated loop that runs; the first one begins, the last one ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._collects = False
        self._modules: tuple[ModuleType, ...] = ()
        self._tasks: tuple[tuple[str, Any], ...] = ()

    def __enter__(self) -> None:
        modules = check_sets()
        if "anyio" in sys.modules:
            modules += _anyio_sets()
        with self._lock:
            self._depth += 1
            if self._depth == 1:
                self._begin()
            for module in modules:
                setattr(module, SHADOWED, ArrivalSet)
            self._modules = modules

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._depth -= 1
            if not self._depth:
                self._end()

    def _begin(self) -> None:
        self._collects = gc.isenabled()
        gc.disable()
        own = vars(asyncio.tasks)
        self._tasks = tuple((name, own[name]) for name in TASKS if name in own)
        for name, tasks in self._tasks:
            setattr(asyncio.tasks, name, _InOrder(tasks))

    def _end(self) -> None:
        for module in self._modules:
            delattr(module, SHADOWED)
        for name, tasks in self._tasks:
            setattr(asyncio.tasks, name, tasks)
        self._modules = self._tasks = ()
        if self._collects:
            gc.enable()


_STEADY = _Steady()
