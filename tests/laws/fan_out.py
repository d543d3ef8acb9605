"""An agent that fans out to six tools of which one fails; as a script: one run of one seed.

What is asserted is the order in which the other five clean up, which is the schedule's
choice: whoever uses the pool must have let it go before the pool is closed. It fans out
in four ways, each of which keeps what it waits for in sets.
"""

import asyncio
import hashlib
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

import anyio

from robotape import BaseAgent, RunContext, RunResult, Tool
from robotape.errors import mark_permanent
from robotape_harness.oracles import Evidence, judge
from robotape_harness.scenario import Scenario
from robotape_harness.simulation import Choice, Choices, portfolio
from robotape_harness.simulation.trial import Trial, simulate
from robotape_harness.world import World

NAMES = ("reader", "writer", "index", "cache", "pool", "clock")


class Depot(World):
    """Six resources; the pool is used by those before it."""

    def __init__(self) -> None:
        super().__init__()
        self.closed: list[str] = []


def resource(name: str) -> Tool[Any]:
    """A tool that works for a while, and cleans up however it ends; the clock fails."""

    async def work(ctx: RunContext[Depot]) -> str:
        """Work."""
        try:
            for _ in range(4):
                await asyncio.sleep(0)
            if name == "clock":
                raise mark_permanent(RuntimeError("the clock stopped"))
            await asyncio.sleep(1.0)
        finally:
            ctx.deps.closed.append(name)
            ctx.deps.ledger.commit("closed", name=name)
        return name

    return Tool(work, name=name)


Calls = list[Coroutine[Any, Any, Any]]


async def in_a_group(calls: Calls) -> None:
    """The standard library's structured way."""
    async with asyncio.TaskGroup() as group:
        for each in calls:
            group.create_task(each)


async def by_wait(calls: Calls) -> None:
    """The set of what is pending is cancelled in the order in which it iterates."""
    tasks = [asyncio.create_task(each) for each in calls]
    _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)


async def as_completed(calls: Calls) -> None:
    """Coroutines are begun in the order of a set; nobody but `all_tasks` has their tasks."""
    bystanders = asyncio.all_tasks()
    try:
        for each in asyncio.as_completed(calls):
            await each
    except RuntimeError:
        begun = [task for task in asyncio.all_tasks() if task not in bystanders]
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)


async def in_anyio(calls: Calls) -> None:
    """Anyio's scopes and groups keep their tasks in sets of their own."""

    async def finish(awaitable: Awaitable[Any]) -> None:
        with anyio.CancelScope():
            await awaitable

    async with anyio.create_task_group() as group:
        for each in calls:
            group.start_soon(finish, each)


WAYS: dict[str, Callable[[Calls], Awaitable[None]]] = {
    way.__name__: way for way in (in_a_group, by_wait, as_completed, in_anyio)
}


class FanOut(BaseAgent):
    """Uses all six at once."""

    def __init__(self, way: str) -> None:
        super().__init__("fan_out", tools=[resource(name) for name in NAMES])
        self._fan_out = WAYS[way]

    async def work(self, task: Any, deps: Any) -> RunResult:
        context = RunContext(deps)
        try:
            await self._fan_out([self.call_tool(name, {}, context) for name in self.tools])
        except* RuntimeError:
            pass
        return RunResult(deps.closed, self.current_tape)


def in_use(result: RunResult, world: Depot) -> list[str]:
    """Who let the pool go only after it was closed."""
    if "pool" not in world.closed:
        return []
    return [name for name in world.closed[world.closed.index("pool") :] if name in NAMES[:4]]


def scenario(way: str) -> Scenario:
    """The fan-out in one of its ways."""
    return Scenario(
        world=Depot,
        agent=lambda _: FanOut(way),
        task="use them all",
        outcome=in_use,
        name="fan_out",
    )


SCENARIOS = {way: scenario(way) for way in WAYS}


def baseline(seed: int, way: str) -> Trial:
    """The run that is measured against: first in, first out."""
    return simulate(SCENARIOS[way], seed=seed)


def run(seed: int, way: str, recorded: Iterable[Choice] | None = None) -> dict[str, object]:
    """One run of a seed, under its schedule of the portfolio or as it was recorded.

    Returns:
        All that must be the same elsewhere.
    """
    choices = Choices.seeded(seed) if recorded is None else Choices.replay(recorded)
    calm = baseline(seed, way)
    _, schedule = portfolio(calm.steps)[seed]
    trial = simulate(SCENARIOS[way], seed=seed, choices=choices, schedule=schedule)
    evidence = Evidence(trial=trial, baseline=calm)
    return {
        "seed": seed,
        "tape": hashlib.sha256(trial.tape.to_bytes()).hexdigest(),
        "choices": [list(choice) for choice in trial.choices.recorded],
        "closed": [commit.details["name"] for commit in trial.ledger.commits],
        "verdicts": [[verdict.oracle, verdict.why] for verdict in judge(evidence).verdicts],
    }


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), sys.argv[2])))
