"""A run that makes calls without end is ended by their number, whatever it does with the error."""

import asyncio

import pytest

from robotape import BaseAgent, RunResult, tool
from robotape_harness.scenario import Scenario
from robotape_harness.simulation import CallLimitError
from robotape_harness.simulation.trial import Limits, simulate
from robotape_harness.world import World


@tool(max_retries=0)
async def ping() -> str:
    """Answer."""
    return "pong"


def asking(times: int, *, waits: bool) -> Scenario:
    """Asks `times` times and swallows whatever is raised at it."""

    class Asker(BaseAgent):
        async def work(self, task: object, deps: object) -> RunResult:
            for _ in range(times):
                try:
                    await self.call_tool("ping", {})
                except Exception:
                    if waits:
                        await asyncio.sleep(0)
            return RunResult("done", self.current_tape)

    return Scenario(world=World, agent=lambda _: Asker("asker", tools=[ping]), task="go")


@pytest.mark.parametrize("waits", [True, False])
def test_one_attempt_too_many_ends_the_run(waits: bool) -> None:
    trial = simulate(asking(60, waits=waits), limits=Limits(calls=50))
    assert trial.ending == "hung"
    assert isinstance(trial.error, CallLimitError)
    assert (trial.error.calls, trial.error.target) == (50, "ping")
    assert "50 attempts of calls" in str(trial.error)


def test_control_as_many_as_allowed_is_no_hang() -> None:
    assert simulate(asking(50, waits=True), limits=Limits(calls=50)).ending == "answered"
