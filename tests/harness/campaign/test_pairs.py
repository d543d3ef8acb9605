"""Laws of pairs: what only two faults show is found, and what is left out could show nothing."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from robotape import Tool
from robotape.errors import ToolError
from robotape_harness.campaign.engine import run_campaign
from robotape_harness.campaign.examine import Examiner
from robotape_harness.campaign.pairs import FAILING, SEEN, UNREACHED, PairPlan, plan_pairs
from robotape_harness.campaign.proposal import Proposal, fault_key
from robotape_harness.campaign.stages import Known
from robotape_harness.campaign.sweep import plan_sweep
from robotape_harness.campaign.traces import END
from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Fault
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.trial import simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, doing, pay_42, paying, paying_with_key


async def main(order: str) -> str:
    """The first way."""
    return order


async def spare(order: str) -> str:
    """The second way, taken where the first fails."""
    return order


async def lenient(doer: Doer, _: World) -> str:
    """Hides it if both ways fail: no single fault shows that."""
    for way in ("main", "spare"):
        try:
            await doer.call(way, order="42")
        except Exception:
            continue
        return str(await doer.call("pay", order="42"))
    return "paid"


async def strict(doer: Doer, world: World) -> str:
    """The sound twin."""
    said = await lenient(doer, world)
    if not len(world.ledger):
        raise ToolError("nothing was paid")
    return said


def with_ways(script: Callable[[Doer, Any], Awaitable[Any]]) -> Scenario:
    return doing(script, Tool(main), Tool(spare), paying_with_key())


def known_of(scenario: Scenario) -> Known:
    """What a campaign knows after all single faults."""
    baseline = simulate(scenario)
    known = Known(0, baseline, plan_sweep(baseline.tape))
    examiner = Examiner(scenario, {0: baseline}, known.plan.sites)
    for fault in known.plan.faults:
        proposal = Proposal(Case(faults=(fault,)))
        known.learn(proposal, examiner(proposal))
    return known


def told(plan: PairPlan) -> list[tuple[str, str]]:
    return [(fault_key(first), fault_key(second)) for first, second in plan]


@pytest.mark.parametrize("seed", range(5))
def test_a_bug_that_only_a_pair_shows_is_found(seed: int) -> None:
    report = run_campaign(with_ways(lenient), seed=seed, stages=("singles", "pairs"))
    assert report.coverage is not None
    singles, pairs = report.coverage.stages
    assert (singles.findings, report.status) == (0, "findings")
    assert pairs.findings
    assert {len(found.case.faults) for found in report.findings} == {2}
    assert {found.verdicts[0].oracle for found in report.findings} == {"silent_skip"}


def test_control_its_sound_twin_is_not_flagged() -> None:
    report = run_campaign(with_ways(strict), stages=("singles", "pairs"))
    assert (report.status, report.findings) == ("sound", ())


def test_control_single_faults_alone_do_not_find_it() -> None:
    assert run_campaign(with_ways(lenient), stages=("singles",)).status == "sound"


def test_a_pair_with_a_fault_that_fails_alone_is_left_out() -> None:
    known = known_of(doing(pay_42, paying()))
    plan = plan_pairs(known)
    failing = {next(iter(keys)) for keys in known.failing}
    assert failing
    assert not any(failing & set(pair) for pair in told(plan))

    async def pay_twice(doer: Doer, world: World) -> str:
        await doer.call("main", order="1")
        return await pay_42(doer, world)

    plan = plan_pairs(known_of(doing(pay_twice, Tool(main), paying())))
    assert plan.left_out[FAILING] > 0


def test_what_is_left_out_goes_as_a_case_goes_that_is_tried() -> None:
    scenario = with_ways(strict)
    known = known_of(scenario)
    plan = plan_pairs(known)
    examiner = Examiner(scenario, {0: known.baseline}, known.plan.sites)

    def end(*faults: Fault) -> str:
        """How things stand at the end of a run."""
        outcome = examiner(Proposal(Case(faults=faults)))
        assert outcome.trace is not None
        return outcome.trace.states[END]

    ends = {end(fault) for fault, _ in known.singles} | {end(*pair) for pair in plan}
    kept = set(told(plan))
    faults = [fault for fault, _ in known.singles]
    places = [site.place for site in known.plan.sites]
    pruned = [
        (first, second)
        for first in faults
        for second in faults
        if places.index(first.site.place) < places.index(second.site.place)
        and (fault_key(first), fault_key(second)) not in kept
    ]
    assert len(pruned) > 50
    assert min(plan.left_out[SEEN], plan.left_out[UNREACHED]) > 0
    assert {end(*pair) for pair in pruned} <= ends


def test_the_same_knowledge_gives_the_same_pairs() -> None:
    assert told(plan_pairs(known_of(with_ways(lenient)))) == told(
        plan_pairs(known_of(with_ways(lenient)))
    )


def test_no_pair_is_tried_twice() -> None:
    pairs = told(plan_pairs(known_of(with_ways(lenient))))
    assert len(set(pairs)) == len(pairs)


def test_two_in_a_row_at_one_call_are_among_them() -> None:
    pairs = told(plan_pairs(known_of(with_ways(lenient))))
    twice = [pair for pair in pairs if pair[0] == pair[1]]
    assert any(key.startswith("error before commit at tool:main#1, once") for key, _ in twice)
