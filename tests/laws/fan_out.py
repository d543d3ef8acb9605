"""An agent that fans out to six tools of which one fails; as a script: one run of one seed.

What is asserted is the order in which the other five clean up, which is the schedule's
choice: whoever uses the pool must have let it go before the pool is closed.
"""

import asyncio
import hashlib
import json
import sys
from typing import Any

from robotape import BaseAgent, RunContext, RunResult, Tool
from robotape.errors import mark_permanent
from robotape_harness.campaign.strike import strike
from robotape_harness.faults.case import Case
from robotape_harness.oracles import judge
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.choices import Choices
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


class FanOut(BaseAgent):
    """Uses all six at once."""

    async def work(self, task: Any, deps: Any) -> RunResult:
        context = RunContext(deps)
        try:
            async with asyncio.TaskGroup() as tasks:
                for name in self.tools:
                    tasks.create_task(self.call_tool(name, {}, context))
        except* RuntimeError:
            pass
        return RunResult(deps.closed, self.current_tape)


def in_use(result: RunResult, world: Depot) -> list[str]:
    """Who let the pool go only after it was closed."""
    return [name for name in world.closed[world.closed.index("pool") :] if name in NAMES[:4]]


SCENARIO = Scenario(
    world=Depot,
    agent=lambda _: FanOut("fan_out", tools=[resource(name) for name in NAMES]),
    task="use them all",
    outcome=in_use,
    name="fan_out",
)


def baseline(seed: int) -> Trial:
    """The run that is measured against: first in, first out."""
    return simulate(SCENARIO, seed=seed)


def run(seed: int) -> dict[str, object]:
    """One run under the schedule of a seed, and all that must be the same elsewhere."""
    evidence = strike(SCENARIO, Case(seed=seed), baseline(seed), choices=Choices.seeded(seed))
    trial = evidence.trial
    return {
        "seed": seed,
        "tape": hashlib.sha256(trial.tape.to_bytes()).hexdigest(),
        "choices": [list(choice) for choice in trial.choices.recorded],
        "closed": [commit.details["name"] for commit in trial.ledger.commits],
        "verdicts": [[verdict.oracle, verdict.why] for verdict in judge(evidence).verdicts],
    }


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]))))
