"""run_many: never more than the limit, all ended at the end, results in the order of the starts."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import pytest

from robotape import LLMAgent, intercept, run_many
from robotape.begin import begin
from robotape.runtime import current_scope, entered
from robotape.tape import tape_of
from robotape.tools import tool
from robotape_harness.simulation import Choices, SimLoop
from tests.laws.scripts import Watcher, asks, call, say, script, simulated


class Crowd:
    """Counts who is running."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0
        self.begun: list[int] = []
        self.cancelled: list[int] = []

    async def work(self, n: int, seconds: float = 1.0) -> int:
        self.begun.append(n)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.cancelled.append(n)
            raise
        finally:
            self.running -= 1
        return n

    async def fail(self, n: int, seconds: float = 1.0) -> int:
        await self.work(n, seconds)
        raise LookupError(n)


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
@pytest.mark.parametrize("seed", [None, 1, 2])
def test_the_limit_is_reached_and_respected(limit: int, seed: int | None) -> None:
    crowd = Crowd()
    starts = [partial(crowd.work, n, 1 + n % 3) for n in range(20)]
    results = simulated(run_many(starts, limit=limit), seed)
    assert results == list(range(20))
    assert crowd.most == min(limit, 20)


def test_nothing_is_nothing() -> None:
    assert simulated(run_many([])) == []


def test_results_come_in_the_order_of_the_starts() -> None:
    crowd = Crowd()
    starts = [partial(crowd.work, n, 10 - n) for n in range(10)]
    assert simulated(run_many(starts)) == list(range(10))


def test_the_first_error_ends_the_rest() -> None:
    crowd = Crowd()
    starts: list[Callable[[], Awaitable[int]]] = [
        lambda: crowd.work(0, 9.0),
        lambda: crowd.fail(1, 2.0),
        lambda: crowd.fail(2, 1.0),
        lambda: crowd.work(3, 9.0),
    ]
    with pytest.raises(LookupError, match="2"):
        simulated(run_many(starts, limit=3))
    assert crowd.running == 0
    assert sorted(crowd.cancelled) == [0, 1]
    assert crowd.begun == [0, 1, 2]


def test_the_error_is_raised_as_it_was() -> None:
    cause = ValueError("cause")

    async def fail() -> None:
        raise LookupError("first") from cause

    with pytest.raises(LookupError, match="first") as raised:
        simulated(run_many([fail]))
    assert raised.value.__cause__ is cause


def test_errors_can_be_collected() -> None:
    crowd = Crowd()
    starts: list[Callable[[], Awaitable[int]]] = [
        lambda: crowd.work(0),
        lambda: crowd.fail(1, 0.5),
        lambda: crowd.work(2),
    ]
    first, second, third = simulated(run_many(starts, errors="collect"))
    assert (first, third) == (0, 2)
    assert isinstance(second, LookupError)
    assert crowd.cancelled == []


def test_progress_is_told_after_each_end() -> None:
    crowd, told = Crowd(), list[int]()
    starts: list[Callable[[], Awaitable[int]]] = [
        lambda: crowd.work(0, 3.0),
        lambda: crowd.fail(1, 1.0),
        lambda: crowd.work(2, 2.0),
    ]
    simulated(run_many(starts, errors="collect", limit=2, progress=told.append))
    assert told == [1, 2, 3]


def test_the_starts_are_read_as_places_become_free() -> None:
    crowd, read = Crowd(), list[int]()

    def endless() -> Iterator[Callable[[], Awaitable[int]]]:
        n = 0
        while True:
            read.append(n)
            yield partial(crowd.work if n < 5 else crowd.fail, n)
            n += 1

    with pytest.raises(LookupError):
        simulated(run_many(endless(), limit=3))
    assert len(read) < 10


@pytest.mark.parametrize("errors", ["first", "collect"])
@pytest.mark.parametrize("after", [0, 2])
def test_starts_that_fail_to_be_read_leave_nobody_running(errors: Any, after: int) -> None:
    crowd = Crowd()

    def breaking() -> Iterator[Callable[[], Awaitable[int]]]:
        for n in range(after):
            yield partial(crowd.work, n)
        raise ZeroDivisionError("the source broke")

    with pytest.raises(ZeroDivisionError, match="broke"):
        simulated(run_many(breaking(), errors=errors, limit=2))
    assert crowd.running == 0


@pytest.mark.parametrize("errors", ["first", "collect"])
def test_progress_that_fails_leaves_nobody_running(errors: Any) -> None:
    crowd = Crowd()

    def tell(number: int) -> None:
        raise ZeroDivisionError("no screen")

    starts = [partial(crowd.work, n, n + 1) for n in range(4)]
    with pytest.raises(ZeroDivisionError, match="screen"):
        simulated(run_many(starts, errors=errors, progress=tell))
    assert crowd.running == 0


@pytest.mark.parametrize("errors", ["first", "collect"])
@pytest.mark.parametrize("instant", [0.0, 0.5, 1.0, 1.5])
def test_cancellation_leaves_nobody_running(errors: Any, instant: float) -> None:
    crowd = Crowd()
    loop = SimLoop(Choices.seeded(4))

    async def main() -> None:
        starts = [partial(crowd.work, n) for n in range(9)]
        task = loop.create_task(run_many(starts, limit=3, errors=errors))
        await asyncio.sleep(instant)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    loop.run_until_complete(main())
    assert crowd.running == 0
    assert not loop.leftovers().tasks
    assert not loop.leftovers().timers
    assert len(crowd.begun) <= 3 * (1 + int(instant))
    loop.close()


def test_a_failure_on_the_way_out_does_not_hide_a_cancellation() -> None:
    async def fails_when_cancelled() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            raise LookupError("on the way out")

    async def main() -> None:
        task = asyncio.create_task(run_many([fails_when_cancelled]))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    simulated(main())


def test_who_ignores_a_cancellation_starts_nobody_else() -> None:
    crowd = Crowd()

    async def stubborn() -> int:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            return -1
        return 0

    starts: list[Callable[[], Awaitable[int]]] = [
        stubborn,
        lambda: crowd.fail(1, 1.0),
        lambda: crowd.work(2),
    ]
    with pytest.raises(LookupError):
        simulated(run_many(starts, limit=2))
    assert crowd.begun == [1]


@pytest.mark.parametrize("errors", ["first", "collect"])
def test_a_run_that_is_cancelled_from_within_is_not_lost(errors: Any) -> None:
    crowd = Crowd()

    async def gives_up() -> int:
        await asyncio.sleep(0.5)
        raise asyncio.CancelledError

    starts: list[Callable[[], Awaitable[int]]] = [
        lambda: crowd.work(0),
        gives_up,
        lambda: crowd.work(2),
        lambda: crowd.work(3),
    ]
    with pytest.raises(asyncio.CancelledError):
        simulated(run_many(starts, errors=errors, limit=2))
    assert crowd.running == 0


@pytest.mark.parametrize(
    ("options", "words"), [({"limit": 0}, "limit"), ({"errors": "x"}, "errors")]
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        simulated(run_many([], **options))


# -- names -----------------------------------------------------------------------------------------


@tool
async def wait(n: int) -> int:
    """Take a while, unlike for each."""
    await asyncio.sleep((7 * n) % 5)
    return n


def names_inside_a_run(seed: int, limit: int) -> list[tuple[int, str]]:
    async def main() -> list[tuple[int, str]]:
        with entered(begin("desk", seed=1)) as scope:
            await run_many([partial(wait.execute, {"n": n}) for n in range(9)], limit=limit)
            await run_many([partial(wait.execute, {"n": n}) for n in range(2)], limit=limit)
            tape = tape_of(scope)
        assert tape is not None
        return sorted((s.value["n"], s.call_id) for s in tape if s.type == "action")

    return simulated(main(), seed)


def test_ids_do_not_move_with_the_schedule_nor_with_the_limit() -> None:
    told = {tuple(names_inside_a_run(seed, limit)) for seed in range(10) for limit in (2, 3)}
    assert len(told) == 1
    [once] = told
    assert len({name for _, name in once}) == 11
    assert max(len(name) for _, name in once) < 40


def test_seeds_of_runs_do_not_move_with_the_schedule() -> None:
    agent = LLMAgent("desk", script(asks(call("wait", n=2)), say("ok")), tools=[wait])

    def seeds(seed: int) -> list[int]:
        async def main() -> list[int]:
            with intercept(Watcher()):
                scope = current_scope()
                assert scope is not None
                scope.run.seed = 5
                results = await run_many([lambda: agent.run("go")] * 7, limit=2)
            return [result.tape.seed for result in results]

        return simulated(main(), seed)

    assert len({tuple(seeds(seed)) for seed in range(10)}) == 1
    assert len(set(seeds(0))) == 7


def test_control_without_surroundings_seeds_are_drawn() -> None:
    agent = LLMAgent("desk", script(say("ok")))
    results = simulated(run_many([lambda: agent.run("go")] * 3))
    assert len({result.tape.seed for result in results}) == 3
