"""Many runs at once: a bound on how many, cancellation that leaves none behind, progress."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, Literal, TypeVar, overload

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
        Exception: With `first`, the first error in time; ties go to the earlier start.

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
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(limit):
                if not fan.start_next(group):
                    break
    except BaseExceptionGroup as failed:
        raise fan.first_error or failed from None
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
        self.first_error: BaseException | None = None
        self._waiting = waiting
        self._collect = collect
        self._progress = progress

    def start_next(self, group: asyncio.TaskGroup) -> bool:
        """Give one place to the next run; False if there is none."""
        entry = next(self._waiting, None)
        if entry is None:
            return False
        group.create_task(self._run(*entry, group))
        return True

    async def _run(self, index: int, start: Start[Any], group: asyncio.TaskGroup) -> None:
        try:
            self.results[index] = await start()
        except Exception as error:
            if not self._collect:
                self.first_error = self.first_error or error
                raise
            self.results[index] = error
        if self._progress is not None:
            self._progress(len(self.results))
        self.start_next(group)
