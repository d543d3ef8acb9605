"""The cache's cost table: a hit, a stampede, and what a hit in the corridor and in a file costs."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from measure import Paired, paired_async
from table import Row

from robotape import Tape, tool
from robotape.cache import Caching, SQLiteStore, cached
from robotape.runtime import Run, Scope, entered

__all__ = ["rows"]

CROWD = 1000


def rows() -> Iterator[Row]:
    """Every row, measured as it is asked for."""
    yield from hits()
    yield stampede()
    yield from corridor()
    yield from file()


async def plain(prompt: str) -> str:
    return prompt


@cached(maxsize=1024)
async def kept(prompt: str) -> str:
    return prompt


@cached(maxsize=1024, ttl=60)
async def kept_for_a_time(prompt: str) -> dict[str, object]:
    return {"a": [1, 2, 3], "b": prompt, "c": {"d": 1.5}}


def hits() -> Iterator[Row]:
    """The decorator, in memory, beside a plain await."""

    async def outside() -> Paired:
        return await paired_async(lambda: kept("Rome?"), lambda: plain("Rome?"), times=20_000)

    async def inside() -> Paired:
        with entered(Scope(Run(1), principal="me")):
            return await outside()

    async def copied() -> Paired:
        return await paired_async(
            lambda: kept_for_a_time("Rome?"), lambda: plain("Rome?"), times=10_000
        )

    text = asyncio.run(outside())
    yield Row("cache hit, a string, CPU", text.seconds * 1e6, 2, "us")
    yield Row("the same, best round", text.best * 1e6, 2, "us")
    yield Row("the same, times a plain await", text.ratio, 15, "x")
    yield Row(
        "the same within a run, for a principal", asyncio.run(inside()).seconds * 1e6, 2.5, "us"
    )
    yield Row(
        "the same with a TTL, a dict copied out", asyncio.run(copied()).seconds * 1e6, 4, "us"
    )


def stampede() -> Row:
    """1,000 callers on a cold key."""
    calls = 0

    @cached(maxsize=100)
    async def slow(prompt: str) -> str:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.005)
        return prompt

    async def main() -> None:
        await asyncio.gather(*[slow("Rome?") for _ in range(CROWD)])

    asyncio.run(main())
    return Row("1,000 callers on one cold key, calls", calls, 1, "")


def corridor() -> Iterator[Row]:
    """A tool's hit, written on the tape, beside its call."""

    async def body(city: str) -> str:
        return f"sunny in {city}"

    cold, warm = tool(pure=True)(body), tool(pure=True, cache=Caching())(body)

    async def measure() -> tuple[float, float]:
        scope = Scope(Run(1), prefix="a")
        Tape().attach(scope.run, "a")
        with entered(scope):
            told = {"city": "Rome"}
            pair = await paired_async(
                lambda: warm.execute(told), lambda: cold.execute(told), times=500
            )
        return pair.seconds, pair.ratio

    seconds, ratio = asyncio.run(measure())
    yield Row("a cached tool's hit, tape on, CPU", seconds * 1e6, 120, "us")
    yield Row("the same, times its uncached call", ratio, 1.5, "x")


def file() -> Iterator[Row]:
    """A hit in a SQLite file, in a thread, as a real loop has it."""
    with tempfile.TemporaryDirectory() as folder:
        store = SQLiteStore(Path(folder) / "answers.db")

        async def measure() -> float:
            await store.set("k", b'"Rome"', None)
            pair = await paired_async(lambda: store.get("k"), lambda: plain("Rome?"), times=300)
            await store.aclose()
            return pair.seconds

        yield Row("a hit in a SQLite file, CPU", asyncio.run(measure()) * 1e6, 500, "us")
