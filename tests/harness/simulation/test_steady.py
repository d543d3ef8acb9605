"""Steady: sets of tasks in order of arrival, garbage at fixed steps, and nothing left behind."""

import asyncio
import builtins
import gc
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import anyio._backends._asyncio as anyio_backend
import pytest

from robotape_harness.simulation import Choices, SimLoop, UnsupportedPython, steady
from robotape_harness.simulation.bare import COLLECT_EVERY

NAMES = tuple(f"n{number}" for number in range(40))


def run(main: Callable[[], Any], choices: Choices | None = None) -> Any:
    loop = SimLoop(choices)
    try:
        return loop.run_until_complete(main())
    finally:
        loop.close()


def scattered(number: int) -> Iterator[None]:
    """Litter the heap, so that what is made next lies in another order each time."""
    litter: list[Any] = [bytearray(16 * (n * number % 97)) for n in range(100 * number)]
    kept = litter[:: number + 1]
    del litter
    yield
    kept.clear()


async def completed() -> list[str]:
    """Coroutines all done at once, in the order in which `as_completed` began them."""
    begun: list[str] = []

    async def work(name: str) -> str:
        begun.append(name)
        return name

    for each in asyncio.as_completed([work(name) for name in NAMES]):
        await each
    return begun


async def waited() -> list[str]:
    """Stock futures, which hash by address, out of the sets that `wait` returns."""
    loop = asyncio.get_running_loop()
    futures: list[asyncio.Future[str]] = [asyncio.Future(loop=loop) for _ in NAMES]
    for name, future in zip(NAMES, futures, strict=True):
        future.set_result(name)
    done, _ = await asyncio.wait(futures)
    return [future.result() for future in done]


async def gathered() -> list[str]:
    """Groups of tasks, which asyncio makes itself and nobody can give an order of creation."""
    groups = [asyncio.gather(asyncio.sleep(0, name)) for name in NAMES]
    done, _ = await asyncio.wait(groups)
    return [future.result()[0] for future in done]


async def cancelled_by_anyio() -> list[str]:
    """Scopes below one scope, in the order in which the cancellation reaches them."""
    reached: list[str] = []

    async def work(name: str) -> None:
        with anyio.CancelScope():
            try:
                await anyio.sleep(60)
            finally:
                reached.append(name)

    async with anyio.create_task_group() as group:
        for name in NAMES:
            group.start_soon(work, name)
        await anyio.sleep(1)
        group.cancel_scope.cancel()
    return reached


async def cancelled_by_all_tasks() -> list[str]:
    """Whoever still runs, cancelled in the order in which `all_tasks` names them."""
    tasks = [asyncio.create_task(asyncio.sleep(n % 7), name=name) for n, name in enumerate(NAMES)]
    await asyncio.sleep(1)
    await asyncio.sleep(0)
    named = [task.get_name() for task in asyncio.all_tasks() if task in tasks]
    await asyncio.wait(tasks)
    return named


FANS = (completed, waited, gathered, cancelled_by_anyio, cancelled_by_all_tasks)
fans = pytest.mark.parametrize("fan", FANS, ids=lambda fan: fan.__name__)


@fans
def test_the_order_is_the_same_under_any_prior_heap(fan: Callable[[], Any]) -> None:
    orders = set()
    for number in range(1, 12):
        for _ in scattered(number):
            orders.add(tuple(run(fan)))
    assert len(orders) == 1


@fans
def test_control_without_it_the_heap_decides(
    fan: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if fan is cancelled_by_all_tasks:
        pytest.skip("tasks hash by order of creation: it takes a collision in another process")
    monkeypatch.setattr(steady._Steady, "__enter__", lambda self: None)
    monkeypatch.setattr(steady._Steady, "__exit__", lambda self, *_: None)
    orders = set()
    for number in range(1, 20):
        for _ in scattered(number):
            orders.add(tuple(run(fan)))
    assert len(orders) > 1


@pytest.mark.parametrize("fan", FANS[:4], ids=lambda fan: fan.__name__)
def test_the_order_is_that_of_arrival(fan: Callable[[], Any]) -> None:
    assert tuple(run(fan)) == NAMES


def borrowed() -> tuple[object, ...]:
    """All that is another while a simulated loop runs."""
    modules = (asyncio.tasks, asyncio.taskgroups, anyio_backend)
    own = [vars(module).get("set") for module in modules]
    return (*own, *(vars(asyncio.tasks).get(name) for name in steady.TASKS), gc.isenabled())


@pytest.mark.parametrize("ending", [None, LookupError, KeyboardInterrupt])
def test_all_is_as_before_however_a_run_ends(ending: type[BaseException] | None) -> None:
    during: list[object] = []

    async def main() -> None:
        during.append(borrowed())
        if ending:
            raise ending

    before = borrowed()
    if ending is None:
        run(main)
    else:
        with pytest.raises(ending):
            run(main)
    assert borrowed() == before
    assert during != [before]
    assert asyncio.tasks.__dict__.get("set", builtins.set) is builtins.set


def test_runs_in_several_threads_end_it_once() -> None:
    before = borrowed()
    inside = threading.Barrier(2)

    async def main() -> None:
        inside.wait(10)
        await asyncio.sleep(1)
        assert not gc.isenabled()

    threads = [threading.Thread(target=run, args=(main,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert borrowed() == before


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        run(completed)
        assert not gc.isenabled()
    finally:
        gc.enable()


class Knot:
    """Garbage that says when it is collected."""

    def __init__(self, loop: SimLoop, told: list[int]) -> None:
        self.me = self
        self.loop = loop
        self.told = told

    def __del__(self) -> None:
        self.told.append(self.loop.steps)


def finalized(seed: int, litter: int) -> list[int]:
    """At which steps garbage in cycles ends, with more or less other garbage around."""
    told: list[int] = []
    loop = SimLoop(Choices.seeded(seed))
    waste: list[Any] = [[] for _ in range(litter)]

    async def work() -> None:
        for _ in range(COLLECT_EVERY // 2):
            Knot(loop, told)
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(work(), work(), work())

    loop.run_until_complete(main())
    loop.close()
    del waste
    return told


def test_garbage_is_finalized_at_the_same_steps_whatever_else_there_is() -> None:
    told = [finalized(3, litter) for litter in (0, 311, 5_000, 77)]
    during = [[step for step in each if step < COLLECT_EVERY + 1_000] for each in told]
    assert during[0] == during[1] == during[2] == during[3]
    assert len(during[0]) > COLLECT_EVERY // 2
    assert min(during[0]) >= COLLECT_EVERY


def test_what_an_earlier_run_left_does_not_end_within_this_one() -> None:
    told: list[int] = []
    earlier = SimLoop()
    Knot(earlier, told)
    gc.disable()
    try:
        Knot(earlier, told)
        run(completed)
    finally:
        gc.enable()
    assert told == [0, 0]
    earlier.close()


def test_an_asyncio_without_sets_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait(fs: object) -> None: ...

    monkeypatch.setattr(asyncio, "wait", wait)
    steady.check_sets.cache_clear()
    try:
        with pytest.raises(UnsupportedPython, match="wait makes no set"):
            run(completed)
    finally:
        steady.check_sets.cache_clear()


def test_an_anyio_without_sets_is_warned_about(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        """Neither scope nor group as they are now."""

    monkeypatch.setattr(anyio_backend, "CancelScope", Other)
    steady._anyio_sets.cache_clear()
    try:
        with pytest.warns(RuntimeWarning, match="may not replay"):
            run(completed)
        assert run(completed) == [*NAMES]
    finally:
        steady._anyio_sets.cache_clear()


def test_the_youngest_generation_alone_is_collected_where_the_old_one_is_incremental() -> None:
    assert (sys.version_info >= (3, 14)) == (steady.YOUNG == 0)
