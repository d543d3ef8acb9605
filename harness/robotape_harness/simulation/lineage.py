"""Lineage: tasks and futures that know their place in the run instead of in memory.

The stock ones hash by address, so whatever asyncio keeps in a set (`TaskGroup`, `wait`)
comes out in an order that depends on the heap, and seeds would not replay. Sets of
anything else that asyncio makes are steadied by `steady`.
"""

import asyncio
from collections.abc import Coroutine, Generator
from contextvars import Context
from itertools import count
from typing import Any, TypeVar

from robotape_harness.simulation.asyncio_internals import abandon
from robotape_harness.simulation.bare import BareLoop

__all__ = ["LineageLoop", "SimFuture", "SimTask"]

T = TypeVar("T")

FEW = 256  # tasks held before those that are done are looked for


class SimFuture(asyncio.Future[T]):
    """A future that hashes by its order of creation; equality is identity.

    `SimLoop.create_future` makes it.

    Attributes:
        order: Its place in the order of creation on its loop.
    """

    __slots__ = ("order",)

    order: int

    def __hash__(self) -> int:
        return self.order


class SimTask(asyncio.Task[T]):
    """A task that hashes by its order of creation; equality is identity.

    Its name, unless given, is made of its lineage: asyncio's `Task-N` counts across every
    loop of the process. Fit for `asyncio.create_eager_task_factory` (Python 3.12).

    Attributes:
        order: Its place in the order of creation on its loop.
        robotape_lineage: The lineage of the task that created it, and which of that
            task's children it is, from 0; `(n,)` when no task was running.

    Source:
        Measured in reference/simulation.md, section 4: of 25 failing seeds, 0 replayed
        alone with address hashes, and 25 without.
    """

    __slots__ = ("children", "label", "order", "robotape_lineage")

    def __init__(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        loop: "LineageLoop",
        name: object = None,
        context: Context | None = None,
        **options: Any,
    ) -> None:
        self.order = next(loop.births)  # before asyncio hashes the task
        self.children = 0
        parent: asyncio.Task[Any] | None = asyncio.current_task(loop)
        if isinstance(parent, SimTask):
            self.robotape_lineage: tuple[int, ...] = (*parent.robotape_lineage, parent.children)
            self.label: str = f"{parent.label}.{parent.children}"
            parent.children += 1
        else:
            self.robotape_lineage = (loop.roots,)
            self.label = f"task-{loop.roots}"
            loop.roots += 1
        name = self.label if name is None else str(name)
        super().__init__(coro, loop=loop, name=name, context=context, **options)

    def __hash__(self) -> int:
        return self.order


class LineageLoop(BareLoop):
    """A loop that makes such tasks and futures, and holds its tasks until they are done.

    asyncio holds them weakly: one that waits for what nobody else knows is collected at
    some time, and runs its `finally` blocks then. Here it stays, and is a leftover.

    Attributes:
        births: Hands out places in the order of creation, tasks and futures together.
        roots: How many tasks were created while no task was running.
    """

    def __init__(self) -> None:
        super().__init__()
        self.births = count()
        self.roots = 0
        self._held: list[asyncio.Task[Any]] = []
        self._let_go_at = FEW

    def create_future(self) -> asyncio.Future[Any]:
        """Make a future that hashes by its order of creation."""
        future: SimFuture[Any] = SimFuture(loop=self)
        future.order = next(self.births)
        return future

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: object = None,
        context: Context | None = None,
        **options: Any,
    ) -> asyncio.Task[T]:
        """Make a `SimTask`, unless a task factory was set: then what that makes."""
        if self.get_task_factory() is None:
            task: asyncio.Task[T] = SimTask(coro, loop=self, name=name, context=context, **options)
        else:
            task = super().create_task(coro, name=name, context=context, **options)
        self._held.append(task)
        if len(self._held) >= self._let_go_at:
            self._held = [each for each in self._held if not each.done()]
            self._let_go_at = max(FEW, 2 * len(self._held))
        return task

    def unfinished(self) -> list[asyncio.Task[Any]]:
        """The tasks it made that are not done, in order of creation."""
        return [task for task in self._held if not task.done()]

    def close(self) -> None:
        """Drop what is left, silently: tasks not done are for the caller to report first.

        Their coroutines are closed here, in order of creation, or the garbage collector
        would run their `finally` blocks in the middle of another run.

        Raises:
            RuntimeError: The loop is running.
        """
        if not self.is_closed() and not self.is_running():
            for task in self.unfinished():
                abandon(task)
        super().close()
        self._held.clear()
