"""One attempt under one timer: late or not, and whoever else cancels it goes first."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape.calls import Call
from robotape.errors import CallTimeoutError, DeadlineExceeded
from robotape.runtime import Run
from robotape.timed import timed
from robotape_harness.simulation import SimLoop


async def limited(body: Any, timeout: float) -> Any:
    return await timed(Call("tool", "x", {}), lambda _: body(), timeout, Run(1))


async def by_the_library(body: Any, timeout: float) -> Any:
    try:
        async with asyncio.timeout(timeout) as timer:
            return await body()
    except TimeoutError:
        if timer.expired():
            raise CallTimeoutError("x", timeout) from None
        raise


async def behaving(manner: str, lasts: float) -> str:
    try:
        await asyncio.sleep(lasts)
    except asyncio.CancelledError:
        if manner == "deaf":
            return "deaf"
        if manner == "angry":
            raise KeyError("angry") from None
        if manner == "slow":
            await asyncio.sleep(2)
        raise
    return "done"


def played(
    limit: Any, *, lasts: float, timeout: float, cancelled_at: list[float], manner: str
) -> tuple[Any, ...]:
    """What becomes of an attempt, when, how often its task is still asked to end, what is left."""
    loop = SimLoop()

    async def body() -> str:
        return await behaving(manner, lasts)

    async def work() -> tuple[str, int]:
        task = asyncio.current_task()
        assert task is not None
        try:
            ended = str(await limit(body, timeout))
        except (asyncio.CancelledError, CallTimeoutError, KeyError) as error:
            ended = type(error).__name__
        return ended, task.cancelling()

    async def main() -> tuple[Any, ...]:
        task = asyncio.create_task(work())
        for instant in cancelled_at:
            loop.call_at(instant, task.cancel)
        return (*await task, loop.time())

    try:
        result = loop.run_until_complete(main())
        return *result, [timer for timer in loop.leftovers().timers if "expire" in str(timer)]
    finally:
        loop.close()


@given(
    lasts=st.integers(0, 4).map(float),
    timeout=st.integers(1, 4).map(float),
    cancelled_at=st.lists(st.integers(0, 6).map(float), max_size=2),
    manner=st.sampled_from(["obedient", "slow", "deaf", "angry"]),
)
def test_it_does_as_the_standard_library(
    lasts: float, timeout: float, cancelled_at: list[float], manner: str
) -> None:
    case: dict[str, Any] = {
        "lasts": lasts,
        "timeout": timeout,
        "cancelled_at": cancelled_at,
        "manner": manner,
    }
    assert played(limited, **case) == played(by_the_library, **case)


def test_control_a_timer_that_forgets_its_own_request_is_seen() -> None:
    async def forgetful(body: Any, timeout: float) -> Any:
        task = asyncio.current_task()
        assert task is not None
        timer = asyncio.get_running_loop().call_later(timeout, task.cancel)
        try:
            return await body()
        except asyncio.CancelledError:
            raise CallTimeoutError("x", timeout) from None
        finally:
            timer.cancel()

    case: dict[str, Any] = {"lasts": 3.0, "timeout": 1.0, "cancelled_at": [], "manner": "obedient"}
    assert played(forgetful, **case) != played(by_the_library, **case)


@pytest.mark.parametrize(
    ("timeout", "deadline", "kind", "instant"),
    [
        (2.0, None, CallTimeoutError, 2.0),
        (2.0, 5.0, CallTimeoutError, 2.0),
        (2.0, 2.0, CallTimeoutError, 2.0),
        (5.0, 2.0, DeadlineExceeded, 2.0),
        (None, 2.0, DeadlineExceeded, 2.0),
        (5.0, -1.0, DeadlineExceeded, 0.0),
    ],
)
def test_the_nearer_limit_is_the_one_that_is_told(
    timeout: float | None, deadline: float | None, kind: type[Exception], instant: float
) -> None:
    loop = SimLoop()

    async def main() -> tuple[BaseException, BaseException | None]:
        call = Call("tool", "x", {}, deadline=deadline)
        with pytest.raises(kind) as caught:
            await timed(call, lambda _: asyncio.sleep(60), timeout, Run(1))
        return caught.value, caught.value.__cause__

    error, cause = loop.run_until_complete(main())
    assert type(error) is kind
    assert isinstance(cause, asyncio.CancelledError)
    assert loop.time() == instant
    loop.close()


def test_a_timeout_of_the_attempts_own_passes_as_it_is() -> None:
    loop = SimLoop()

    async def own(_: Call) -> None:
        async with asyncio.timeout(1):
            await asyncio.sleep(2)

    async def main() -> type[BaseException]:
        with pytest.raises(TimeoutError) as caught:
            await timed(Call("tool", "x", {}), own, 5.0, Run(1))
        return type(caught.value)

    assert loop.run_until_complete(main()) is TimeoutError
    loop.close()
