"""Laws of the plan: every fault at every call once, in one order, nothing silently left out."""

from itertools import product
from typing import Any

from robotape import LLMAgent, RunContext, Tool, tool
from robotape.cache import Caching
from robotape_harness.campaign.engine import run_campaign
from robotape_harness.campaign.sweep import NO_REPLY, plan_sweep
from robotape_harness.faults.catalogue import MODES, PHASES, kinds
from robotape_harness.faults.fault import Fault
from robotape_harness.scenario import Scenario
from robotape_harness.scripted import ScriptedLLM, call, say
from robotape_harness.simulation.trial import simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, doing, pay_42, paying


def add(a: int) -> int:
    """Add."""
    return a


def adding() -> Scenario:
    llm = ScriptedLLM([call("add", a=1), call("add", a=2)], say("done"))
    return Scenario(
        world=World, agent=lambda _: LLMAgent("adder", llm=llm, tools=[Tool(add)]), task="add"
    )


def test_possible_and_impossible_pairs_are_of_calls_x_kinds_x_phases_x_modes() -> None:
    plan = plan_sweep(simulate(adding()).tape)
    assert [site.alias for site in plan.sites] == [
        "llm[adder]#1",
        "tool:add#1",
        "tool:add#2",
        "llm[adder]#2",
    ]
    names = [str(fault) for fault in plan.faults] + [text for text, _ in plan.impossible]
    assert len(set(names)) == len(names)
    every = {
        str(Fault(kind.name, site, phase, mode))
        for site in plan.sites
        for kind, phase, mode in product(kinds(site.boundary), PHASES, MODES)
    }
    assert set(names) < every
    marks = ("by duplicate delivery", "with late reply", "repeat")
    for unsaid in every - set(names):  # what goes without saying
        assert any(mark in unsaid for mark in marks)


def test_the_plan_follows_the_calls_and_is_the_same_every_time() -> None:
    first, second = (plan_sweep(simulate(adding(), seed=seed).tape) for seed in (0, 1))
    assert first == second
    aliases = list(dict.fromkeys(fault.site.alias for fault in first.faults))
    assert aliases == [site.alias for site in first.sites]


def test_a_call_that_fails_by_itself_has_no_reply_to_lose() -> None:
    async def pay(ctx: RunContext[World], order: str) -> str:
        """Pay at the second attempt."""
        if ctx.retry == 0:
            raise ConnectionError("flaky by itself")
        return "paid"

    plan = plan_sweep(simulate(doing(pay_42, Tool(pay))).tape)
    refused = [text for text, reason in plan.impossible if reason == NO_REPLY]
    assert refused
    assert all("after commit" in text and text.endswith("once") for text in refused)
    tried = [str(fault) for fault in plan.faults]
    assert "error after commit at tool:pay#1, for ever" in tried
    assert "error before commit at tool:pay#1, once" in tried


def test_control_a_call_that_passes_loses_its_reply_in_every_way() -> None:
    plan = plan_sweep(simulate(doing(pay_42, paying())).tape)
    assert NO_REPLY not in {reason for _, reason in plan.impossible}


def test_a_run_without_calls_has_nothing_to_break() -> None:
    async def idle(doer: Any, _: World) -> None:
        return None

    assert plan_sweep(simulate(doing(idle)).tape).faults == ()


def test_an_answer_out_of_the_cache_is_no_site_for_no_attempt_is_made() -> None:
    @tool(pure=True, cache=Caching(ttl=60))
    async def look_up(city: str) -> str:
        return f"sunny in {city}"

    async def twice(doer: Doer, world: World) -> str:
        await doer.call("look_up", city="Rome")
        world.ledger.commit("told", city="Rome")
        return str(await doer.call("look_up", city="Rome"))

    scenario = doing(twice, look_up)
    sweep = plan_sweep(simulate(scenario).tape)
    assert [site.alias for site in sweep.sites] == ["tool:look_up#1"]
    report = run_campaign(scenario)
    assert not [
        verdict
        for finding in report.findings
        for verdict in finding.verdicts
        if verdict.oracle == "vacuous"
    ]
