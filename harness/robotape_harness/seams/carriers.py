"""What stands in a context goes along into the threads that are begun there.

`asyncio.to_thread` does so by itself; `run_in_executor`, thread pools and plain threads do not,
and a synchronous client in one of them would be out of sight.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from robotape_harness.seams.patches import Patch
from robotape_harness.seams.standing import NOTHING, Standing, here, standing

__all__ = ["patches"]

T = TypeVar("T")

BARE = Standing(is_whole=True)  # nothing, whatever the loop has


class _Carried:
    """A function that runs where the same things stand as where it was given away."""

    __slots__ = ("_function", "_state")

    def __init__(self, function: Callable[..., Any], state: Standing) -> None:
        self._function = function
        self._state = state

    def __call__(self, *args: Any, **options: Any) -> Any:
        token = standing.set(self._state)
        try:
            return self._function(*args, **options)
        finally:
            standing.reset(token)


def _whole() -> Standing:
    """What stands here, with the loop's counted in: a thread has no loop to ask."""
    now = here()
    is_nothing = not now.handlers and not now.guards
    return NOTHING if is_nothing else now._replace(is_whole=True)


def _submitting(original: Callable[..., Future[Any]]) -> Callable[..., Future[Any]]:
    def submit(
        self: ThreadPoolExecutor, fn: Callable[..., T], /, *args: Any, **options: Any
    ) -> Future[T]:
        state = _whole()
        if state is NOTHING:
            return original(self, fn, *args, **options)
        # The pool's own thread, should it begin one, serves others after this.
        token = standing.set(BARE)
        try:
            return original(self, _Carried(fn, state), *args, **options)
        finally:
            standing.reset(token)

    return submit


def _starting(original: Callable[..., None]) -> Callable[..., None]:
    def start(self: threading.Thread) -> None:
        state = _whole()
        if state is not NOTHING:
            running: Any = self
            running.run = _Carried(self.run, state)
        original(self)

    return start


def patches() -> Iterator[Patch]:
    """What must be replaced for it."""
    yield Patch(ThreadPoolExecutor, "submit", _submitting(ThreadPoolExecutor.submit))
    yield Patch(threading.Thread, "start", _starting(threading.Thread.start))
