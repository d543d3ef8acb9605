"""Many runs at once: a bound on how many, cancellation that leaves none behind, progress."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, Literal, TypeVar, overload

from robotape.runtime import current_scope, entered

__all__ = ["run_many"]

T = TypeVar("T")
Start = Callable[[], Awaitable[T]]


@overload
async def run_many(
    starts: Iterable[Start[T]],
    *,
    limit: int = ...,
    errors: Literal["first"] = ...,
    progress: Callable[[int], None] | None = ...,
) -> list[T]: ...


@overload
async def run_many(
    starts: Iterable[Start[T]],
    *,
    limit: int = ...,
    errors: Literal["collect"],
    progress: Callable[[int], None] | None = ...,
) -> list[T | Exception]: ...


async def run_many(
    starts: Iterable[Start[Any]],
    *,
    limit: int = 100,
    errors: Literal["first", "collect"] = "first",
    progress: Callable[[int], None] | None = None,
) -> list[Any]:
    """Run many things, at most `limit` at a time.

    Guarantee: when this returns or raises, none of them is running any more. The
    iterable is read as places become free, so it may be endless work made lazily.

    Args:
        starts: Each begins one run when called: `lambda: agent.run(task)`.
        limit: >= 1.
        errors: `first` cancels the rest at the first error and raises it; `collect` puts
            each error in its run's place.
        progress: Told after each end how many have ended.

    Returns:
        One result for each start, in their order.

    Raises:
        ValueError: `limit` is below 1, or `errors` is neither word.
        Exception: With `first`, the first error in time; ties go to the earlier start. Always:
            what reading `starts` or `progress` raised.
        CancelledError: From outside, or because a run was cancelled from within.

    Example:
        >>> async def double(n):
        ...     return 2 * n
        >>> asyncio.run(run_many([lambda n=n: double(n) for n in range(3)], limit=2))
        [0, 2, 4]
    """
    if limit < 1:
        raise ValueError(f"limit must be at least 1, got {limit}")
    if errors not in ("first", "collect"):
        raise ValueError(f"errors must be 'first' or 'collect', got {errors!r}")
    fan = _FanOut(enumerate(starts), collect=errors == "collect", progress=progress)
    failure: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(limit):
                if not fan.start_next(group):
                    break
    except BaseExceptionGroup as failed:
        failure = fan.failure or failed
    if failure is not None:
        if fan.is_cancelled:
            raise asyncio.CancelledError  # no failure on the way out may hide it
        raise failure  # out here, so that its cause and context stay what they were
    return [fan.results[index] for index in range(len(fan.results))]


class _FanOut:
    """The places of one `run_many`; a place that is done starts the next run itself."""

    def __init__(
        self,
        waiting: Iterator[tuple[int, Start[Any]]],
        *,
        collect: bool,
        progress: Callable[[int], None] | None,
    ) -> None:
        self.results: dict[int, Any] = {}
        self.failure: BaseException | None = None
        self.is_cancelled = False
        self._waiting = waiting
        self._collect = collect
        self._progress = progress
        # Which place gets free first is the schedule's business; names go by the order of starts.
        self._around = current_scope()
        self._name = "" if self._around is None else self._around.next_id("many")

    def start_next(self, group: asyncio.TaskGroup) -> bool:
        """Give one place to the next run; False if there is none, or no more are wanted."""
        if self.failure is not None:
            return False
        try:
            entry = next(self._waiting, None)
        except Exception as error:
            self.failure = error
            raise
        if entry is None:
            return False
        group.create_task(self._run(*entry, group))
        return True

    async def _run(self, index: int, start: Start[Any], group: asyncio.TaskGroup) -> None:
        task = asyncio.current_task()
        try:
            self.results[index] = await self._ended(index, start)
            if self._progress is not None:
                self._progress(len(self.results))
        except asyncio.CancelledError as error:
            if task is not None and task.cancelling():
                raise
            # Nobody cancelled it: the group would take that for a quiet end.
            self.failure = self.failure or error
            raise RuntimeError("cancelled from within") from error
        except Exception as error:
            self.is_cancelled |= self._is_ending(task)
            self.failure = self.failure or error
            raise
        if self._is_ending(task):
            self.is_cancelled = True
        else:
            self.start_next(group)

    def _is_ending(self, task: "asyncio.Task[Any] | None") -> bool:
        """Whether we are cancelled from outside: a run is, and no failure of ours is why."""
        return self.failure is None and task is not None and task.cancelling() > 0

    async def _ended(self, index: int, start: Start[Any]) -> Any:
        try:
            if self._around is None:
                return await start()
            turn = self._around.turn
            with entered(self._around.inner(f"{self._name}~{index}", turn=turn)):
                return await start()
        except Exception as error:
            if self._collect:
                return error
            raise
