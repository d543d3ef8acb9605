"""The cost table of shrinking: how many runs, and how many seconds, until one cause is left."""

import asyncio
import random
import time
from collections.abc import Iterator
from itertools import count, islice
from statistics import median
from typing import Any

from table import Row

from robotape import BaseAgent, RunContext, RunResult, Tool
from robotape_harness import Scenario, World, simulate
from robotape_harness.campaign.budget import Budget, Purse
from robotape_harness.campaign.findings import Finding
from robotape_harness.campaign.fingerprint import Fingerprint
from robotape_harness.campaign.reductions import deviations
from robotape_harness.campaign.refine import refine
from robotape_harness.campaign.strike import strike
from robotape_harness.faults.case import Case
from robotape_harness.faults.catalogue import possible
from robotape_harness.faults.fault import Fault, Site, sites_of
from robotape_harness.oracles import judge
from robotape_harness.simulation.choices import Choices
from robotape_harness.simulation.trial import Trial

__all__ = ["rows"]

CALLS = 16
SEEDS = 25
SURE = {"error", "timeout", "malformed_reply", "delay"}


def rows() -> Iterator[Row]:
    """Sixteen faults to one; and a long run with faults and a schedule."""
    counted = [_runs_of_sixteen(random.Random(seed)) for seed in range(SEEDS)]
    yield Row("shrink 16 faults to 1, runs beside the first", median(counted), 10, "runs")
    seconds = [_seconds_of_a_long_run(finding) for finding in islice(_long_findings(), 5)]
    yield Row("shrink a 100-step run, faults and schedule", max(seconds), 5, "s")


class Till(World):
    """A balance that is read, and written a step later."""

    def __init__(self) -> None:
        super().__init__()
        self.balance = 0


async def look(ctx: RunContext[Till], number: int) -> int:
    """Look something up, which is harmless."""
    return number


async def pay(ctx: RunContext[Till], number: int) -> int:
    """Pay, without a key."""
    ctx.deps.ledger.commit("payment", number=number)
    return number


async def add(ctx: RunContext[Till], number: int) -> int:
    """Add to the balance; the first one reads it some steps before it writes it."""
    if number:
        for _ in range(8):
            await asyncio.sleep(0)
    seen = ctx.deps.balance
    if not number:
        for _ in range(4):
            await asyncio.sleep(0)
    ctx.deps.balance = seen + 1
    return number


class Clerk(BaseAgent):
    """Does many things, one after the other or at once."""

    def __init__(self, names: list[str], *, at_once: bool) -> None:
        super().__init__("clerk", tools=[Tool(look), Tool(pay), Tool(add)])
        self._names = names
        self._at_once = at_once

    async def work(self, task: Any, deps: Any) -> RunResult:
        context = RunContext(deps)
        calls = (
            self.call_tool(name, {"number": number}, context)
            for number, name in enumerate(self._names)
        )
        if self._at_once:
            await asyncio.gather(*calls)
        else:
            for call in calls:
                await call
        return RunResult("done", self.current_tape)


def _runs_of_sixteen(chance: random.Random) -> float:
    """A fault at each of sixteen calls, of which one pays: the runs until that one is left."""
    paying = chance.randrange(CALLS)
    names = ["pay" if number == paying else "look" for number in range(CALLS)]
    scenario = Scenario(
        world=Till, agent=lambda _: Clerk(names, at_once=False), task="go", name="sixteen"
    )
    baseline = simulate(scenario)
    faults = tuple(_any_fault(site, chance) for site in sites_of(baseline.tape))
    finding = _found(scenario, Case(faults=faults), baseline)
    mark = Fingerprint("duplicate_side_effect", "clerk/pay")
    small = refine(scenario, finding, baseline, keep=mark, purse=Purse(Budget()))
    assert small.shrunk is not None
    assert len(small.case.faults) == 1
    return small.shrunk.runs - 1


def _any_fault(site: Site, chance: random.Random) -> Fault:
    """One that the run survives; at the call that pays, a reply that is lost."""
    lost = site.alias.startswith("tool:pay")
    fits = [
        fault
        for fault in possible(site)
        if fault.kind in SURE
        and fault.mode == "once"
        and fault.phase == ("after_commit" if lost else "before_commit")
        and not (lost and fault.kind == "delay")
    ]
    return chance.choice(fits)


LONG = Scenario(
    world=Till,
    agent=lambda _: Clerk(["add"] * 25 + ["look"] * 25, at_once=True),
    task="go",
    outcome=lambda _, till: {"balance": till.balance},
    name="long",
)


def _long_findings() -> Iterator[Finding]:
    """Fifty calls at once, under random schedules and faults that the bug does not need."""
    baseline = simulate(LONG)
    sites = [site for site in sites_of(baseline.tape) if site.alias.startswith("tool:look")]
    for seed in count():
        chance = random.Random(seed)
        case = Case(faults=tuple(_any_fault(site, chance) for site in sites[:8]))
        finding = _found(LONG, case, baseline, choices=Choices.seeded(seed))
        if finding.verdicts:
            yield finding


def _seconds_of_a_long_run(finding: Finding) -> float:
    """CPU seconds until it is 1-minimal."""
    assert len(finding.trial.tape) >= 100
    assert len(deviations(finding.case)) > 20
    baseline = simulate(LONG)
    began = time.process_time()
    small = refine(LONG, finding, baseline, purse=Purse(Budget()))
    seconds = time.process_time() - began
    assert small.shrunk is not None
    assert small.shrunk.is_minimal
    assert small.case.faults == ()
    return seconds


def _found(
    scenario: Scenario, case: Case, baseline: Trial, *, choices: Choices | None = None
) -> Finding:
    evidence = strike(scenario, case, baseline, choices=choices)
    recorded = None if choices is None else evidence.trial.choices.recorded
    verdicts = judge(evidence).verdicts
    return Finding(
        id="0" * 10,
        scenario=scenario.name,
        case=Case(seed=case.seed, faults=case.faults, choices=recorded),
        struck=evidence.struck,
        verdicts=verdicts,
        trial=evidence.trial,
        digest="",
    )
