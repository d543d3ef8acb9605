"""A fleet: many runs of one scenario at once, in one loop, one world and before one provider.

It only puts them side by side; what comes of it, oracles judge.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from robotape import BaseAgent, RunResult
from robotape.runtime import ambient, current_scope, derive, entered
from robotape.tape import Tape
from robotape_harness.faults.provider import Outage, Provider
from robotape_harness.scenario import Scenario

__all__ = ["Fleet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Many copies of a scenario's agent, each in a run of its own.

    Attributes:
        scenario: What each of them does; its world is made once, for all of them.
        size: How many there are; >= 2.
        stagger: Virtual seconds between the beginnings of two runs; >= 0.
        provider: Whom all of them ask.
        outage: When it does not answer.
    """

    scenario: Scenario
    size: int = 20
    stagger: float = 0.0
    provider: Provider = field(default_factory=Provider)
    outage: Outage = field(default_factory=Outage)

    def __post_init__(self) -> None:
        if self.size < 2 or self.stagger < 0:
            raise ValueError(
                f"a fleet wants size >= 2 and stagger >= 0 s, got {self.size} and {self.stagger}"
            )

    def as_scenario(self) -> Scenario:
        """The fleet as one scenario.

        Returns:
            One whose result has a part for each run, with its own tape, in their order; its
            output is when each of them began, in virtual seconds. A run that raises is a part
            with the stop reason `failed`. Its tape is that of the first run.
        """
        one = self.scenario
        return Scenario(
            world=one.world,
            agent=lambda world: _Crew(self, [one.agent(world) for _ in range(self.size)]),
            task=one.task,
            outcome=lambda result, world: None,  # what a single run leaves, single runs are for
            principal=one.principal,
            deadline=one.deadline,
            oracles=one.oracles,
            waived=one.waived,
            name=one.name,
        )


class _Crew(BaseAgent):
    """The runs of a fleet, as one agent."""

    def __init__(self, fleet: Fleet, members: list[BaseAgent]) -> None:
        super().__init__("fleet")
        self._fleet = fleet
        self._members = members

    async def run(self, task: Any, **options: Any) -> RunResult:
        """Run all of them, each with a seed and a tape of its own."""
        async with asyncio.TaskGroup() as group:
            runs = [
                group.create_task(self._run_one(number, agent, task, options))
                for number, agent in enumerate(self._members)
            ]
        ended = [run.result() for run in runs]
        parts = tuple(part for _, part in ended)
        return RunResult(tuple(at for at, _ in ended), parts[0].tape, parts=parts)

    async def _run_one(
        self, number: int, agent: BaseAgent, task: Any, options: dict[str, Any]
    ) -> tuple[float, RunResult]:
        around = current_scope()
        assert around is not None
        await asyncio.sleep(number * self._fleet.stagger)
        began_at = around.run.now()
        scope = ambient(int(derive(around.run.seed, "fleet", number)[:16], 16))
        scope.interceptors = around.interceptors
        tape = Tape()
        try:
            with entered(scope):
                return began_at, await self._begin(agent, task, {**options, "tape": tape})
        except Exception as error:
            failed = f"{type(error).__name__}: {error}"
            return began_at, RunResult(None, tape, stop_reason="failed", error=failed)

    async def _begin(self, agent: BaseAgent, task: Any, options: dict[str, Any]) -> RunResult:
        set_going = self._fleet.scenario.run
        if set_going is None:
            return await agent.run(task, **options)
        return await set_going(agent, options["deps"], task)
