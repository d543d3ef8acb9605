"""The core's cost table: runs, concurrency, creation, import, retries, tape."""

import asyncio
import gc
import json
import tempfile
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from statistics import median

import floor
import subject
from measure import child, cpu, paired, paired_async
from table import Row

from robotape import LLMAgent, Retry, Tape
from robotape.calls import Call
from robotape.models.steps import StepStatus, StepType
from robotape.retry import Decision, retrying
from robotape.runtime import Run

__all__ = ["rows"]

MIB = 1 << 20


def rows() -> Iterator[Row]:
    """Every row, measured as it is asked for."""
    yield from one_run()
    yield from many_runs()
    yield from creation()
    yield imports()
    yield from retry_stage()
    yield from long_tape()


def one_run() -> Iterator[Row]:
    """LLM, tool, answer: scripted, zero latency, tape and validation on."""
    agent, model = subject.agent(), floor.scripted()
    result = asyncio.run(
        paired_async(lambda: agent.run("weather?"), lambda: floor.run(model, "weather?"), times=300)
    )
    yield Row("one run: LLM -> tool -> answer, CPU", result.seconds * 1e6, 180, "us")
    yield Row("the same, times the hand-written floor", result.ratio, 30, "x")


_CONCURRENT = """
import asyncio, gc, json, resource, time
import subject
agent = subject.agent(delay=0.01)
def rss():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
async def fan(n):
    await asyncio.gather(*[agent.run("weather?") for _ in range(n)])
async def main():
    await fan(10)
    # Each size makes 1,000 runs in all; CPU only, for at small sizes the wall is all waiting.
    costs = {}
    for n in (1, 10, 100):
        start = time.process_time()
        for _ in range(min(100, 1000 // n)):
            await fan(n)
        costs[n] = (time.process_time() - start) / (n * min(100, 1000 // n))
    before, gc_before = rss(), gc.collect()
    wall, start = time.perf_counter(), time.process_time()
    await fan(1000)
    costs[1000] = (time.process_time() - start) / 1000
    print(json.dumps({"wall": time.perf_counter() - wall, "mib": rss() - before, "costs": costs}))
asyncio.run(main())
"""


def many_runs() -> Iterator[Row]:
    """1,000 concurrent runs with a model that takes 10 ms."""
    seen = [json.loads(child(_CONCURRENT)) for _ in range(3)]
    yield Row("1,000 concurrent runs, 10 ms LLM, wall", median(s["wall"] for s in seen), 0.5, "s")
    yield Row("the same, more memory at the peak", median(s["mib"] for s in seen), 20, "MiB")
    growth = median(s["costs"]["1000"] / s["costs"]["10"] for s in seen)
    yield Row("the same, cost per run at 1,000 to at 10", growth, 1.3, "x")


def creation() -> Iterator[Row]:
    """An agent made of prebuilt parts."""
    llm, tools = subject.Scripted(), [subject.TOOL]
    seconds = median(cpu(lambda: LLMAgent("weather", llm, tools=tools), 2000) for _ in range(7))
    yield Row("create an agent with prebuilt tools, CPU", seconds * 1e6, 5, "us")
    gc.collect()
    tracemalloc.start()
    kept = [LLMAgent("weather", llm, tools=tools) for _ in range(1000)]
    size = tracemalloc.get_traced_memory()[0] / len(kept)
    tracemalloc.stop()
    yield Row("the same, memory", size, 1500, "B")


_IMPORT = "import time; s = time.process_time(); {}; print(time.process_time() - s)"


def imports() -> Row:
    """Import time against that of what it is built on, in alternation."""
    mine = _IMPORT.format("from robotape import Tool, SimpleAgent, Tape, LLMAgent")
    base = _IMPORT.format("import asyncio; from pydantic import BaseModel, TypeAdapter")
    child(mine)
    child(base)
    ratios = [float(child(mine)) / float(child(base)) for _ in range(11)]
    return Row("import, times asyncio + pydantic", median(ratios), 1.5, "x")


class _Silent:
    """An observer that looks away: what is left is the stage itself."""

    def started(self, call: Call) -> None: ...

    def succeeded(self, call: Call, value: object) -> None: ...

    def failed(self, call: Call, error: BaseException, decision: Decision) -> None: ...

    def cancelled(self, call: Call) -> None: ...


def retry_stage() -> Iterator[Row]:
    """The retry stage alone, on the path where nothing fails."""

    async def measure() -> tuple[float, float]:
        run, silent = Run(1), _Silent()
        call = Call("tool", "x", {})

        async def effect(_: Call) -> int:
            return 1

        async def bare() -> object:
            return await effect(call)

        def stage(retry: Retry) -> Callable[[], Awaitable[object]]:
            return lambda: retrying(call, effect, retry=retry, run=run, observer=silent)

        plain = await paired_async(stage(Retry()), bare, times=5000)
        timed = await paired_async(stage(Retry(timeout=60)), bare, times=3000)
        return plain.seconds - plain.floor, timed.seconds - timed.floor

    plain, timed = asyncio.run(measure())
    yield Row("retry stage, success, CPU", plain * 1e6, 3, "us")
    yield Row("retry stage with a timeout, success, CPU", timed * 1e6, 15, "us")


def _fill(tape: Tape, steps: int) -> None:
    for index in range(steps // 2):
        for type, status in (
            (StepType.ACTION, StepStatus.PENDING),
            (StepType.OBSERVATION, StepStatus.COMPLETED),
        ):
            tape.record(
                type,
                status,
                agent="weather",
                node="lookup",
                call_id=f"weather/{index}/tool:lookup[0]",
                attempt=1,
                content={"city": "Rome", "note": "a content of ordinary size, as tools give"},
            )


def long_tape() -> Iterator[Row]:
    """A tape of 100,000 steps, in memory and as a stream."""
    gc.collect()
    tracemalloc.start()
    tape = Tape()
    _fill(tape, 100_000)
    size = tracemalloc.get_traced_memory()[0] / MIB
    tracemalloc.stop()
    yield Row("tape of 100,000 steps", size, 80, "MiB")
    growth = paired(lambda: _fill(Tape(), 16_000), lambda: _fill(Tape(), 1_000), times=1, rounds=5)
    yield Row("append, cost of 16,000 to 16 times that of 1,000", growth.ratio / 16, 1.3, "x")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.tape.jsonl"
        tape.save(path)
        del tape
        gc.collect()
        tracemalloc.start()
        count = sum(1 for _ in Tape.stream(path))
        peak = tracemalloc.get_traced_memory()[1] / MIB
        tracemalloc.stop()
    assert count == 100_000
    yield Row("the same read as a stream, peak", peak, 1, "MiB")
