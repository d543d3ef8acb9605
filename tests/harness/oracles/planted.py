"""Small agents with one bug each, and what it takes to put them under one fault."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from robotape import BaseAgent, RunContext, RunResult, Tool
from robotape_harness.campaign.strike import strike
from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Fault, Mode, Phase, sites_of
from robotape_harness.oracles import Evidence, Oracle, Verdict, judge
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.trial import simulate
from robotape_harness.world import World

Script = Callable[["Doer", Any], Awaitable[Any]]


class Doer(BaseAgent):
    """An agent that does what a function says."""

    def __init__(self, script: Script, *tools: Tool[Any]) -> None:
        super().__init__("doer", tools=tools)
        self._script = script

    async def work(self, task: Any, deps: Any) -> RunResult:
        self.deps = deps
        output = await self._script(self, deps)
        return output if isinstance(output, RunResult) else RunResult(output, self.current_tape)

    async def call(self, name: str, **arguments: Any) -> Any:
        return await self.call_tool(name, arguments, RunContext(self.deps))


def doing(script: Script, *tools: Tool[Any], **options: Any) -> Scenario:
    options.setdefault("name", "planted")
    return Scenario(world=World, agent=lambda _: Doer(script, *tools), task="go", **options)


async def pay_42(doer: Doer, _: World) -> str:
    return str(await doer.call("pay", order="42"))


def paying(**options: Any) -> Tool[Any]:
    """A write without a key, named `pay`."""

    async def pay(ctx: RunContext[World], order: str) -> str:
        """Pay."""
        ctx.deps.ledger.commit("payment", order=order)
        return "paid"

    return Tool(pay, **options)


def paying_with_key(**options: Any) -> Tool[Any]:
    """The same write, sound."""

    async def pay(ctx: RunContext[World], order: str) -> str:
        """Pay."""
        ctx.deps.ledger.commit("payment", key=ctx.idempotency_key, order=order)
        return "paid"

    return Tool(pay, effect_key=lambda args: args.order, **options)


def under(
    scenario: Scenario,
    kind: str,
    phase: Phase = "before_commit",
    mode: Mode = "once",
    *,
    site: str = "tool:pay#1",
    params: Mapping[str, Any] | None = None,
) -> Evidence:
    """Run a scenario under one fault."""
    baseline = simulate(scenario)
    assert baseline.ending == "answered", baseline.error
    place = {found.alias: found for found in sites_of(baseline.tape)}[site]
    fault = Fault(kind, place, phase, mode, dict(params or {}))
    return strike(scenario, Case(faults=(fault,)), baseline)


def accused(oracle: Oracle, evidence: Evidence) -> list[Verdict]:
    """What one oracle says, and nobody else would say under its name."""
    verdicts = oracle(evidence)
    assert {verdict.oracle for verdict in verdicts} <= {oracle.__name__}
    length = len(evidence.trial.tape)
    for verdict in verdicts:
        assert "\n" not in verdict.why
        assert list(verdict.steps) == sorted(set(verdict.steps))
        assert all(0 <= step < length for step in verdict.steps)
    return verdicts


def names(evidence: Evidence) -> list[str]:
    """Who accuses when all oracles are asked."""
    return [verdict.oracle for verdict in judge(evidence).verdicts]
