"""One attempt of a call under one timer; what follows when it is late is `retry`'s business."""

import asyncio
from typing import Any

from robotape.calls import Call, CallNext
from robotape.errors import CallTimeoutError, DeadlineExceeded
from robotape.runtime import Run

__all__ = ["timed"]


async def timed(call: Call, call_next: CallNext, timeout: float | None, run: Run) -> Any:
    """Make one attempt, under its own timeout or the call's deadline, whichever is nearer.

    Guarantee: a cancellation from outside goes before the timer's own, and is never taken for
    it.

    Args:
        call: Has a deadline if `timeout` is None.
        call_next: Makes the attempt.
        timeout: Seconds; > 0; None for no limit but the deadline.
        run: Gives the clock.

    Raises:
        CallTimeoutError: The attempt outlived `timeout`.
        DeadlineExceeded: The deadline passed.

    Source:
        The rules are those of `asyncio.timeout`. Its object and its two coroutines were a third
        of what the corridor adds to a call over the network.
    """
    instant, by_deadline = _limit(call, timeout, run)
    loop = asyncio.get_running_loop()
    task = asyncio.current_task(loop)
    assert task is not None  # as for `asyncio.timeout`: only a task can be cancelled
    is_due = False

    def expire() -> None:
        nonlocal is_due
        is_due = True
        task.cancel()

    requests = task.cancelling()
    timer = loop.call_at(run.started_at + instant, expire)
    try:
        value = await call_next(call)
    except BaseException as error:
        timer.cancel()
        is_ours = is_due and task.uncancel() <= requests
        if not is_ours or not isinstance(error, asyncio.CancelledError):
            raise
        if by_deadline:
            raise DeadlineExceeded(call.target, instant) from error
        raise CallTimeoutError(call.target, timeout or 0.0) from error
    timer.cancel()
    if is_due:  # and the attempt took no notice
        task.uncancel()
    return value


def _limit(call: Call, timeout: float | None, run: Run) -> tuple[float, bool]:
    """The instant at which an attempt is late, and whether the deadline is."""
    limit = None if timeout is None else run.now() + timeout
    if call.deadline is not None and (limit is None or call.deadline < limit):
        return call.deadline, True
    assert limit is not None
    return limit, False
