"""A run whose results come in many shapes; as a program, it writes its tape to stdout."""

import asyncio
import sys
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from robotape import LLMAgent, Policy, Tape, Tool, allow
from tests.laws.scripts import asks, call, say, script, simulated

WORDS = ("sets of things", "beta", "gamma", "delta", "epsilon")


class Order(BaseModel):
    tags: set[str]


@dataclass
class Bag:
    order: Order
    words: frozenset[str] = frozenset(WORDS)
    nested: dict[str, set[str]] = field(default_factory=lambda: {"x": set(WORDS)})


async def bag(tags: set[str]) -> Bag:
    """Give sets in models in dataclasses."""
    return Bag(Order(tags=tags | set(WORDS)))


async def odd(ctx: Any, note: str) -> list[Any]:
    """Give what JSON has no words for."""
    if ctx.retry == 0:
        raise ConnectionResetError(note)
    return [object(), {frozenset(WORDS): 1}, note]


async def nest() -> list[int]:
    """Call others at once."""

    async def leaf(n: int) -> int:
        await asyncio.sleep(n)
        return n

    made: Tool[Any] = Tool(leaf)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(made.execute({"n": n})) for n in (2, 1)]
    return [task.result() for task in tasks]


def run(seed: int, note: str = "note") -> Tape:
    """The tape of one run; its schedule does not move with the seed."""
    reply = asks(call("bag", tags=["b", "a"]), call("odd", note=note), call("nest"))
    desk = LLMAgent(
        "desk",
        script(reply, asks(call("bag", tags=[])), say("done")),
        tools=[Tool(bag), Tool(odd, takes_ctx=True), Tool(nest)],
        policy=Policy(allow("*", "*")),
    )
    return simulated(desk.run("go", seed=seed, principal="eve")).tape


if __name__ == "__main__":
    sys.stdout.buffer.write(run(int(sys.argv[1])).to_bytes())
