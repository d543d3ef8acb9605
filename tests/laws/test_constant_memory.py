"""A large input goes through tools and agents in pieces: memory does not grow with it."""

import gc
import resource
import tracemalloc
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from robotape import BaseAgent, LLMAgent, RunContext, RunResult, Tape, Tool, tool
from robotape.models.steps import StepStatus, StepType
from robotape_harness import ScriptedLLM, call, say
from tests.laws.scripts import simulated

MIB = 1 << 20
GIB = 1 << 30
CHUNKS = 1024
CHUNK = bytes(MIB)


async def chunks(count: int) -> AsyncIterator[memoryview]:
    """A stream of `count` MiB that exists one piece at a time; each piece says which it is."""
    for index in range(count):
        piece = bytearray(CHUNK)
        piece[:8] = index.to_bytes(8, "big")
        yield memoryview(piece)


@tool(pure=True)
async def measure(ctx: RunContext[Callable[[], AsyncIterator[memoryview]]]) -> dict[str, int]:
    """Measure the stream."""
    size = pieces = 0
    async for piece in ctx.deps():
        assert int.from_bytes(piece[:8], "big") == pieces
        size += len(piece)
        pieces += 1
    return {"bytes": size, "pieces": pieces}


class Sieve(BaseAgent):
    """Works through a stream piece by piece, a call and an observation for each."""

    async def work(self, task: Any, deps: Any) -> RunResult:
        total = 0
        async for piece in deps():
            index = int.from_bytes(piece[:8], "big")
            total += await self.call_tool("weigh", {"index": index, "size": len(piece)})
            self.current_tape.record(
                StepType.OBSERVATION,
                StepStatus.COMPLETED,
                agent=self.name,
                node="progress",
                content={"bytes": total},
            )
        return RunResult(total, self.current_tape)


async def weigh(index: int, size: int) -> int:
    """Weigh one piece."""
    return size


def peak(main: Coroutine[Any, Any, Any]) -> tuple[Any, int]:
    """The result, and bytes of Python memory at the worst moment above those at the start."""
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    try:
        result = simulated(main)
        return result, tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_a_tool_reads_a_gigabyte_in_constant_memory() -> None:
    model = ScriptedLLM(call("measure"), say("Measured."))
    desk = LLMAgent("desk", model, tools=[measure])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result, size = peak(desk.run("How large is it?", deps=lambda: chunks(CHUNKS)))
    [seen] = [step for step in result.tape.query(node="measure") if step.type == "observation"]
    assert seen.content == {"bytes": GIB, "pieces": CHUNKS}
    assert size < 8 * MIB
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # KiB on Linux
    assert grown < 64 * 1024


def test_an_agent_works_through_a_gigabyte_in_constant_memory(tmp_path: Path) -> None:
    tape = Tape.journaled(tmp_path / "long.tape.jsonl", keep=32)
    agent = Sieve("sieve", tools=[Tool(weigh)])
    result, size = peak(agent.run("Weigh it", deps=lambda: chunks(CHUNKS), tape=tape))
    assert result.output == GIB
    assert len(tape) == 3 * CHUNKS
    assert size < 8 * MIB
    assert tape.get_steps_by_type(StepType.OBSERVATION)[-1].content == {"bytes": GIB}
    tape.close()


@pytest.mark.parametrize("keep", [None, 32])
def test_the_tape_of_a_long_run_does_not_grow_if_it_spills(
    keep: int | None, tmp_path: Path
) -> None:
    sizes = []
    for count in (20, 320):
        tape = Tape.journaled(tmp_path / f"{count}.jsonl", keep=keep)
        agent = Sieve("sieve", tools=[Tool(weigh)])

        async def small(count: int = count) -> AsyncIterator[memoryview]:
            for index in range(count):
                yield memoryview(index.to_bytes(8, "big"))

        sizes.append(peak(agent.run("Weigh it", deps=small, tape=tape))[1])
        tape.close()
    growth = sizes[1] - sizes[0]
    # The control is the tape that holds all: 900 more steps are a quarter of a megabyte.
    assert growth < 50_000 if keep else growth > 150_000


def test_control_a_tool_that_gathers_the_stream_holds_all_of_it() -> None:
    async def gather(ctx: RunContext[Callable[[], AsyncIterator[memoryview]]]) -> int:
        """Measure it the naive way."""
        return len(b"".join([piece async for piece in ctx.deps()]))

    desk = LLMAgent("desk", ScriptedLLM(call("gather"), say("x")), tools=[Tool(gather)])
    _, size = peak(desk.run("How large is it?", deps=lambda: chunks(32)))
    assert size > 32 * MIB
