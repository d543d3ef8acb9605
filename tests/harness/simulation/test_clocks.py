"""Clocks: one instant on all of them; what is given a time is left alone."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robotape_harness import SimLoop, allow_real
from robotape_harness.simulation import EPOCH, DeadlockError, TimeLimitError, UnsupportedPython
from robotape_harness.simulation.clocks import _BuiltinMethod
from tests.harness.simulation.draws import CHANCE, CLOCKS

time: Any = sys.modules["time"]


def run(main: Callable[[], Awaitable[Any]], **options: Any) -> Any:
    loop = SimLoop(**options)

    async def body() -> Any:
        return await main()

    try:
        return loop.run_until_complete(body())
    finally:
        loop.close()


@settings(deadline=None)
@given(st.floats(min_value=0, max_value=1e7))
def test_all_clocks_tell_one_instant(seconds: float) -> None:
    async def main() -> dict[str, Any]:
        await asyncio.sleep(seconds)
        return {name: read() for name, read in CLOCKS.items()}

    told = run(main)
    at = told["time.monotonic"]
    assert at == seconds
    assert told["time.time"] == told["a default by name"] == EPOCH + at
    assert told["time.perf_counter"] == told["a class attribute"] == told["a default"] == at
    assert told["time.time_ns"] == EPOCH * 10**9 + round(at * 10**9)
    assert told["time.clock_gettime_ns"] == told["time.monotonic_ns"] == round(at * 10**9)
    assert datetime.fromisoformat(told["datetime.now(UTC)"]) == datetime.fromtimestamp(
        EPOCH + at, UTC
    )
    assert told["datetime.now"] == datetime.fromtimestamp(EPOCH + at).isoformat()
    assert told["date.today"] == date.fromtimestamp(EPOCH + at).isoformat()
    assert told["time.gmtime"] == list(time.gmtime(EPOCH + at))


def test_functions_that_are_given_a_time_are_left_alone() -> None:
    async def main() -> list[Any]:
        return [time.gmtime(0)[0], time.ctime(0), time.strftime("%Y", time.gmtime(0))]

    assert run(main) == [1970, time.ctime(0), "1970"]


def test_clocks_of_cpu_time_stay_real() -> None:
    async def main() -> Any:
        await asyncio.sleep(1e6)
        return max(time.process_time(), time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID))

    assert run(main) < 1e6


def test_a_sleep_that_blocks_lets_virtual_time_pass_for_everybody() -> None:
    seen: list[float] = []

    async def tick() -> None:
        while True:
            await asyncio.sleep(1)
            seen.append(asyncio.get_running_loop().time())

    async def main() -> float:
        ticking = asyncio.create_task(tick())
        await asyncio.sleep(1.5)
        time.sleep(10)
        await asyncio.sleep(0.25)
        ticking.cancel()
        return asyncio.get_running_loop().time()

    assert run(main) == 11.75
    assert seen == [1.0, 11.5]  # a tick that was due is late, as behind a blocked loop


@pytest.mark.parametrize("seconds", [-1, nan, "1", None])
def test_a_sleep_refuses_what_the_real_one_refuses(seconds: Any) -> None:
    async def main() -> None:
        time.sleep(seconds)

    with pytest.raises((TypeError, ValueError)) as real:
        time.sleep(seconds)
    with pytest.raises(real.type):
        run(main)


@pytest.mark.parametrize(("seconds", "error"), [(1e9, TimeLimitError), (inf, DeadlockError)])
def test_a_sleep_that_is_too_long_ends_the_run_even_if_it_is_swallowed(
    seconds: float, error: type[Exception]
) -> None:
    async def main() -> None:
        try:
            time.sleep(seconds)
        except Exception:
            await asyncio.sleep(1)

    with pytest.raises(error):
        run(main)


def test_a_clock_can_be_left_real_for_a_module() -> None:
    async def main() -> tuple[Any, Any]:
        with allow_real("clock", modules=["tests.harness"]):
            return CLOCKS["time.time"](), CLOCKS["datetime.now"]()

    wall, now = run(main)
    assert wall > EPOCH + 1e8
    assert now > "2024"


def test_control_for_another_module_it_is_virtual() -> None:
    async def main() -> Any:
        with allow_real("clock", modules=["tests.robotape"]), allow_real("entropy"):
            return CLOCKS["time.time"](), CHANCE["random.random"]()

    (first, one), (second, other) = run(main), run(main)
    assert first == second == EPOCH
    assert one != other


def test_a_class_that_is_built_otherwise_is_refused() -> None:
    with pytest.raises(UnsupportedPython, match=r"datetime\.later cannot be replaced"):
        _BuiltinMethod(datetime, "later", lambda original: original)
