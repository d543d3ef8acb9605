"""Laws of the oracles of fleets: the herd, the spendthrift and the storm; single runs are none."""

import asyncio
from typing import Any

from robotape import Retry, Tool
from robotape.agents import Parallel, SimpleAgent, Team
from robotape.retry import Decision
from robotape_harness.campaign.fleets import strike_fleet
from robotape_harness.faults.fleet import Fleet
from robotape_harness.faults.provider import Outage, Provider
from robotape_harness.oracles import Evidence, judge
from robotape_harness.oracles.fleet import budget_exceeded, metastable, no_jitter
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.trial import simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, Script, doing, pay_42, paying_with_key, under


class Punctual(Retry):
    """Waits as long as it may, to the instant."""

    def decide(self, error: BaseException, *, attempt: int, **_: Any) -> Decision:
        if attempt > self.max_retries:
            return Decision(True, reason="exhausted")
        return Decision(True, self.ceiling(attempt), self.ceiling(attempt))


def fleet(script: Script, *tools: Tool[Any], **options: Any) -> Evidence:
    return strike_fleet(Fleet(scenario=doing(script, *tools), **options))


DOWN = Outage(at=0.0, seconds=1.0)


def test_members_that_come_back_at_one_instant_are_accused() -> None:
    evidence = fleet(pay_42, paying_with_key(retry=Punctual()), outage=DOWN)
    [verdict] = no_jitter(evidence)
    assert verdict.harm == 2
    assert verdict.why == (
        "20 runs failed at 0 s, and 20 of them asked again at 0.5 s, all at once"
    )
    assert [each.oracle for each in judge(evidence).verdicts] == ["no_jitter"]


def test_control_waits_that_are_drawn_are_no_herd() -> None:
    for seed in range(5):
        scenario = doing(pay_42, paying_with_key())
        evidence = strike_fleet(Fleet(scenario=scenario, outage=DOWN), seed=seed)
        assert judge(evidence).verdicts == ()


def test_control_few_members_and_staggered_ones_are_no_herd() -> None:
    punctual = paying_with_key(retry=Punctual())
    assert not no_jitter(fleet(pay_42, punctual, outage=DOWN, size=4))
    assert not no_jitter(fleet(pay_42, punctual, outage=DOWN, stagger=0.01))


def visiting(waits: tuple[float, ...]) -> Script:
    async def visit(doer: Doer, _: World) -> None:
        for order in range(10):
            for wait in waits:
                try:
                    await doer.call("pay", order=str(order))
                    break
                except ConnectionError:
                    await asyncio.sleep(wait)

    return visit


LONG = Outage(at=0.0, seconds=10_000.0)


def test_retries_that_nobody_counts_are_accused() -> None:
    script = visiting((1.0, 2.0, 4.0))
    evidence = fleet(script, paying_with_key(max_retries=0), outage=LONG, stagger=0.1)
    [verdict] = budget_exceeded(evidence)
    assert verdict.harm == 3
    assert verdict.why.startswith("20 runs made 400 retries for 200 calls")


def test_control_the_corridors_own_budget_is_kept() -> None:
    evidence = fleet(visiting((1.0,)), paying_with_key(), outage=LONG, stagger=0.1)
    assert evidence.trial.result is not None
    assert sum(len(part.tape) for part in evidence.trial.result.parts) > 400
    assert judge(evidence).verdicts == ()


def test_a_single_run_and_a_team_are_no_fleet() -> None:
    single = under(doing(pay_42, paying_with_key(retry=Punctual())), "error")
    scenario = Scenario(
        world=World,
        agent=lambda _: Team("team", Parallel(SimpleAgent("one"), SimpleAgent("other"))),
        task="go",
    )
    trial = simulate(scenario)
    assert trial.result is not None
    assert len(trial.result.parts) == 2
    for evidence in (single, Evidence(trial=trial, baseline=trial)):
        for oracle in (no_jitter, budget_exceeded, metastable):
            assert oracle(evidence) == []


def pressing(*, is_patient: bool) -> Script:
    async def press(doer: Doer, _: World) -> None:
        clock = asyncio.get_running_loop()
        while clock.time() < 200.0:
            await asyncio.sleep(5.0)
            while clock.time() < 200.0:
                try:
                    await doer.call("pay", order="42")
                    break
                except TimeoutError:
                    if is_patient:
                        break

    return press


def storm(*, is_patient: bool, capacity: float = 8.0) -> Evidence:
    return fleet(
        pressing(is_patient=is_patient),
        paying_with_key(retry=Retry(max_retries=0, timeout=2.0)),
        stagger=0.25,
        provider=Provider(capacity=capacity),
        outage=Outage(at=30.0, seconds=15.0, manner="stall"),
    )


def test_a_fleet_that_keeps_its_provider_down_is_accused() -> None:
    evidence = storm(is_patient=False)
    [verdict] = metastable(evidence)
    assert verdict.harm == 4
    assert verdict.why.startswith("30 s after the provider was well again the fleet gets ")
    assert judge(evidence).verdicts[0].oracle == "metastable"


def test_control_patience_or_capacity_brings_the_goodput_back() -> None:
    assert metastable(storm(is_patient=True)) == []
    assert metastable(storm(is_patient=False, capacity=100.0)) == []
