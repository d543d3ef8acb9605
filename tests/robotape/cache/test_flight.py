"""Flights: cancellation hits who was cancelled and nobody else, and nothing is left behind."""

import asyncio
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from robotape.cache.flight import Flight
from tests.laws.scripts import simulated

Give = Callable[[], Any]
STEPS = 4


class Work:
    """Waits a few times, then answers or fails; it says what became of it."""

    def __init__(self, answer: Any = "answer", error: Exception | None = None) -> None:
        self.answer, self.error = answer, error
        self.log: list[str] = []

    async def __call__(self) -> Give:
        self.log.append("begun")
        try:
            for _ in range(STEPS):
                await asyncio.sleep(1)
        except asyncio.CancelledError:
            self.log.append("cancelled")
            await asyncio.sleep(1)  # cleaning up takes its time
            self.log.append("cleaned")
            raise
        self.log.append("ended")
        if self.error is not None:
            raise self.error
        return lambda: self.answer


def over(flight: Flight, give: Give | None) -> None: ...


async def crowd(
    work: Work, callers: int, cancelled_at: dict[int, float]
) -> tuple[list[Any], set[asyncio.Task[Any]]]:
    flight = Flight(work, over)
    tasks = [asyncio.create_task(flight.join()) for _ in range(callers)]
    loop = asyncio.get_running_loop()
    for caller, at in cancelled_at.items():
        loop.call_later(at, tasks[caller].cancel)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    return results, asyncio.all_tasks() - {asyncio.current_task()}


WHEN = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 3.5]


@pytest.mark.parametrize("leader_at", WHEN)
@pytest.mark.parametrize("follower_at", [None, *WHEN])
def test_the_cancelled_are_cancelled_and_the_others_have_the_answer(
    leader_at: float, follower_at: float | None
) -> None:
    work = Work()
    when = {0: leader_at} | ({} if follower_at is None else {1: follower_at})
    results, left = simulated(crowd(work, 3, when))
    for caller, result in enumerate(results):
        if caller in when:
            assert isinstance(result, asyncio.CancelledError)
        else:
            assert result == "answer"
    assert work.log == ["begun", "ended"]
    assert not left


@pytest.mark.parametrize(("first", "second"), [*product(WHEN, WHEN)])
def test_when_the_last_is_cancelled_the_work_is_and_nothing_is_left(
    first: float, second: float
) -> None:
    work = Work()
    results, left = simulated(crowd(work, 2, {0: first, 1: second}))
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    assert work.log in ([], ["begun", "cancelled", "cleaned"])
    assert not left


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_schedule_each_has_what_is_due(seed: int) -> None:
    work = Work()
    when = {0: 4.0, 1: 4.0}  # the very instant at which the work ends
    results, left = simulated(crowd(work, 4, when), seed)
    for caller, result in enumerate(results):
        is_due = caller not in when or isinstance(result, str)
        assert result == "answer" if is_due else isinstance(result, asyncio.CancelledError)
    assert not left


def test_cancelled_twice_the_last_one_still_waits_for_the_end() -> None:
    work = Work()

    async def main() -> tuple[float, set[asyncio.Task[Any]]]:
        task = asyncio.create_task(Flight(work, over).join())
        loop = asyncio.get_running_loop()
        loop.call_later(1.5, task.cancel)
        loop.call_later(2.0, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task
        return loop.time(), asyncio.all_tasks() - {asyncio.current_task()}

    at, left = simulated(main())
    assert at == 2.0  # the second cancellation cuts the cleaning short, as in a direct call
    assert work.log == ["begun", "cancelled"]
    assert not left


def test_each_caller_raises_an_error_of_its_own() -> None:
    results, left = simulated(crowd(Work(error=ValueError("bad")), 100, {}))
    assert {str(error) for error in results} == {"bad"}
    assert len(set(map(id, results))) == 100
    depths = {len(list(frames(error))) for error in results}
    assert max(depths) <= 6
    assert not left


def frames(error: BaseException) -> Any:
    link = error.__traceback__
    while link is not None:
        yield link
        link = link.tb_next


def test_a_failure_nobody_waits_for_any_more_is_not_complained_about() -> None:
    complaints: list[Any] = []

    class Stubborn(Work):
        async def __call__(self) -> Give:
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                raise ValueError("in cleaning up") from None
            raise AssertionError

    async def main() -> list[Any]:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
        results, _ = await crowd(Stubborn(), 1, {0: 1.0})
        return results

    [result] = simulated(main())
    assert isinstance(result, asyncio.CancelledError)
    assert not complaints


def test_work_that_is_cancelled_from_outside_cancels_its_callers() -> None:
    async def main() -> list[Any]:
        flight = Flight(Work(), over)
        joined = [asyncio.create_task(flight.join()) for _ in range(3)]
        await asyncio.sleep(1.5)
        flight._task.cancel()
        return await asyncio.gather(*joined, return_exceptions=True)

    assert all(isinstance(result, asyncio.CancelledError) for result in simulated(main()))


def test_whoever_asks_from_inside_is_told() -> None:
    async def main() -> tuple[bool, bool]:
        async def work() -> Give:
            inside = await asyncio.create_task(look())
            return lambda: inside

        async def look() -> bool:
            return flight.is_around

        flight = Flight(work, over)
        return await flight.join(), flight.is_around

    assert simulated(main()) == (True, False)
