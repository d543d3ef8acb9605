"""Laws of refining: runs of real agents, shrunk together with their schedules, and explained."""

import asyncio
import itertools
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from robotape import RunContext, Tool
from robotape_harness.campaign.budget import Budget, Purse
from robotape_harness.campaign.findings import Finding, finding_id
from robotape_harness.campaign.fingerprint import Fingerprint, fingerprints
from robotape_harness.campaign.reductions import deviations, reductions
from robotape_harness.campaign.refine import explained, fingerprints_of, refine, refined, shows
from robotape_harness.campaign.strike import strike
from robotape_harness.faults.case import Case
from robotape_harness.faults.catalogue import possible
from robotape_harness.faults.fault import Fault, sites_of
from robotape_harness.oracles import Evidence, judge
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.choices import Choices
from robotape_harness.simulation.trial import Trial, simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, doing, paying, paying_with_key

PAID_TWICE = Fingerprint("duplicate_side_effect", "doer/pay")


def met(evidence: Evidence) -> Evidence:
    """Without faults that struck nothing, which would speak for all the others."""
    return replace(evidence, struck=tuple(each for each in evidence.struck if each.attempts))


def found(scenario: Scenario, case: Case, *, choices: Choices | None = None) -> Finding:
    """A finding as a campaign makes it."""
    evidence = met(strike(scenario, case, simulate(scenario, seed=case.seed), choices=choices))
    recorded = None if choices is None else evidence.trial.choices.recorded
    case = Case(seed=case.seed, faults=case.faults, choices=recorded)
    verdicts = judge(evidence).verdicts
    assert verdicts, "this case was to fail"
    return Finding(
        id=finding_id(scenario.name, case, [verdict.oracle for verdict in verdicts]),
        scenario=scenario.name,
        case=case,
        struck=evidence.struck,
        verdicts=verdicts,
        trial=evidence.trial,
        digest="",
    )


async def four_things(doer: Doer, _: World) -> str:
    """Read, pay, read, note: only paying is not safe to repeat."""
    await doer.call("read", what="order")
    await doer.call("pay", order="42")
    await doer.call("read", what="receipt")
    await doer.call("note", order="42")
    return "paid"


async def read(what: str) -> str:
    """Read."""
    return what


async def note(order: str) -> str:
    """Note."""
    return order


FOUR = doing(four_things, paying(), Tool(read), Tool(note))
BASELINE = simulate(FOUR)
SITES = sites_of(BASELINE.tape)
MANY = [fault for site in SITES for fault in possible(site) if fault.kind != "cancellation"]


def lost_reply(site: str = "tool:pay#1") -> Fault:
    wanted = ("error", site, "after_commit")
    return next(f for f in MANY if (f.kind, f.site.alias, f.phase) == wanted)


def test_a_finding_is_shrunk_to_the_simplest_fault_that_shows_it() -> None:
    lasting = next(f for f in MANY if str(f) == "timeout after commit at tool:pay#1, for ever")
    refused = next(f for f in MANY if str(f) == "error before commit at tool:read#1, once")
    slow = next(f for f in MANY if str(f) == "delay before commit at tool:note#1, once")
    small = refine(
        FOUR, found(FOUR, Case(seed=3, faults=(refused, lasting, slow))), simulate(FOUR, seed=3)
    )
    assert str(small.case) == "error after commit at tool:pay#1, once"
    assert small.case.seed == 0
    assert small.fingerprint == PAID_TWICE
    assert small.shrunk is not None
    assert (small.shrunk.faults, small.shrunk.is_minimal) == (3, True)


def test_what_comes_out_is_a_finding_of_its_own_case() -> None:
    small = refine(FOUR, found(FOUR, Case(faults=(lost_reply(),))), BASELINE)
    again = found(FOUR, small.case)
    assert (small.id, small.verdicts, small.struck) == (again.id, again.verdicts, again.struck)
    assert small.trial.tape.to_bytes() == again.trial.tape.to_bytes()
    assert small.confirmed is not None
    assert small.confirmed.difference == ""


@given(st.lists(st.sampled_from(MANY), unique_by=str, max_size=6))
@settings(max_examples=25)
def test_of_any_faults_around_the_one_that_matters_that_one_is_left(others: list[Fault]) -> None:
    """Shrinking never loses the fingerprint, is 1-minimal by brute force, and idempotent."""
    case = Case(faults=(lost_reply(), *others))
    evidence = met(strike(FOUR, case, BASELINE))
    verdicts = judge(evidence).verdicts
    marks = {mark for verdict in verdicts for mark in fingerprints(evidence, verdict)}
    if PAID_TWICE not in marks:  # another fault keeps it from happening
        return
    big = found(FOUR, case)
    small = refine(FOUR, big, BASELINE, keep=PAID_TWICE, purse=Purse(Budget()))
    assert shows(small, BASELINE, PAID_TWICE)
    assert refine(FOUR, small, BASELINE, keep=PAID_TWICE).case == small.case
    for what, smaller in reductions(small.case):
        assert PAID_TWICE not in marks_of(FOUR, smaller), what


def marks_of(scenario: Scenario, case: Case) -> set[Fingerprint]:
    lenient = None if case.choices is None else Choices.replay(case.choices, lenient=True)
    baseline = simulate(scenario, seed=case.seed)
    evidence = met(strike(scenario, case, baseline, choices=lenient))
    verdicts = judge(evidence).verdicts
    return {mark for verdict in verdicts for mark in fingerprints(evidence, verdict)}


# -- schedules


class Till(World):
    """A balance that two tasks read, and then write."""

    def __init__(self) -> None:
        super().__init__()
        self.balance = 0


async def racing(doer: Doer, till: Till) -> str:
    """The second deposit waits its turn unless it is let in early."""

    async def first() -> None:
        seen = till.balance
        for _ in range(5):
            await asyncio.sleep(0)
        till.balance = seen + 1

    async def second() -> None:
        for _ in range(12):
            await asyncio.sleep(0)
        till.balance += 2

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(first())
        tasks.create_task(second())
        for _ in range(3):
            tasks.create_task(asyncio.sleep(0))
    await doer.call("pay", order=str(till.balance))
    return "deposited"


def racing_scenario(*tools: Tool[Any]) -> Scenario:
    return Scenario(
        world=Till,
        agent=lambda _: Doer(racing, *(tools or (paying_with_key(),))),
        task="go",
        outcome=lambda _, till: {"balance": till.balance},
        name="racing",
    )


LOST = {"silent_skip", "wrong_result"}


def seeds_that_fail(scenario: Scenario, faults: tuple[Fault, ...] = ()) -> list[int]:
    baseline = simulate(scenario)
    case = Case(faults=faults)
    runs = {
        seed: strike(scenario, case, baseline, choices=Choices.seeded(seed)) for seed in range(60)
    }
    return [
        seed
        for seed, evidence in runs.items()
        if any(verdict.oracle in LOST for verdict in judge(met(evidence)).verdicts)
    ]


def test_a_schedule_is_shrunk_to_the_few_decisions_that_matter() -> None:
    scenario = racing_scenario()
    seeds = seeds_that_fail(scenario)
    assert seeds, "the race is never lost"
    for seed in seeds[:5]:
        big = found(scenario, Case(), choices=Choices.seeded(seed))
        baseline = simulate(scenario)
        small = refine(scenario, big, baseline, purse=Purse(Budget()))
        [mark] = fingerprints_of(big, baseline)
        assert mark.oracle in LOST
        assert 0 < len(deviations(small.case)) <= len(deviations(big.case))
        assert shows(small, baseline, mark)
        assert small.confirmed is not None
        assert small.confirmed.difference == ""
        for what, smaller in reductions(small.case):
            assert smaller.choices is None or mark not in marks_of(scenario, smaller), what


def test_faults_that_a_race_does_not_need_are_left_out_with_the_rest_of_the_schedule() -> None:
    scenario = racing_scenario()
    [site] = sites_of(simulate(scenario).tape)
    faults = tuple(f for f in possible(site) if f.kind in {"delay", "error"} and f.mode == "once")
    [seed, *_] = seeds_that_fail(scenario, faults)
    small = refine(
        scenario,
        found(scenario, Case(faults=faults), choices=Choices.seeded(seed)),
        simulate(scenario),
    )
    assert small.case.faults == ()
    assert small.case.choices is not None


def test_a_schedule_that_a_fault_does_not_need_is_left_out() -> None:
    scenario = racing_scenario(paying())
    big = found(scenario, Case(faults=(lost_reply_of(scenario),)), choices=Choices.seeded(1))
    mark = Fingerprint("duplicate_side_effect", "doer/pay")
    small = refine(scenario, big, simulate(scenario), keep=mark)
    assert small.case.choices is None
    assert str(small.case) == "error after commit at tool:pay#1, once"


def lost_reply_of(scenario: Scenario) -> Fault:
    [site] = sites_of(simulate(scenario).tape)
    faults = [f for f in possible(site) if f.kind == "error" and f.phase == "after_commit"]
    return faults[0]


# -- what passes


def test_the_explanation_names_each_single_change_that_makes_it_pass() -> None:
    small = refine(FOUR, found(FOUR, Case(faults=(lost_reply(),))), BASELINE)
    assert small.explanation is not None
    assert small.explanation.passing == (
        "without error after commit at tool:pay#1, once",
        "before commit instead of after commit",
    )


def test_a_change_that_leads_to_another_bug_does_not_pass() -> None:
    lasting = next(f for f in MANY if str(f) == "error after commit at tool:pay#1, for ever")
    told = explained(FOUR, found(FOUR, Case(faults=(lasting,))), BASELINE)
    by_what = {change.what: change.oracles for change in told.changes}
    assert by_what["once instead of for ever"] == ("duplicate_side_effect",)
    assert by_what["before commit instead of after commit"] == ()


# -- what cannot be made again


def test_a_run_that_goes_another_way_each_time_is_told_of_as_it_is() -> None:
    counts = itertools.count()

    async def moody(doer: Doer, _: World) -> str:
        try:
            return str(await doer.call("pay", order="42"))
        except ConnectionError:
            await doer.call("note", order=str(next(counts)))
            return "paid"

    scenario = doing(moody, paying(max_retries=0), Tool(note))
    baseline = simulate(scenario)
    [site] = sites_of(baseline.tape)
    case = Case(faults=(next(f for f in possible(site) if f.kind == "error"),))
    small = refine(scenario, found(scenario, case), baseline)
    assert small.confirmed is not None
    assert small.confirmed.difference.startswith("first differing step")


def test_a_case_that_passes_the_second_time_keeps_its_case_and_says_so() -> None:
    fails = iter([True])

    async def once(doer: Doer, _: World) -> str:
        try:
            return str(await doer.call("pay", order="42"))
        except ConnectionError:
            if next(fails, False):
                return "paid"
            raise

    scenario = doing(once, paying(max_retries=0))
    baseline = simulate(scenario)
    [site] = sites_of(baseline.tape)
    big = found(scenario, Case(faults=(next(f for f in possible(site) if f.kind == "error"),)))
    small = refine(scenario, big, baseline)
    assert small.case == big.case
    assert (small.shrunk, small.confirmed is None) == (None, False)
    assert small.confirmed is not None and small.confirmed.difference


# -- all findings of a campaign


def all_findings() -> list[Finding]:
    return [
        found(FOUR, Case(faults=(fault,)))
        for fault in MANY
        if fault.site.alias == "tool:pay#1"
        and fault.phase == "after_commit"
        and fault.kind not in {"delay", "permanent_error"}
    ]


def test_each_bug_is_refined_once_and_the_others_learn_which_bug_they_are() -> None:
    told = refined(FOUR, all_findings(), BASELINE)
    assert len(told) == len(all_findings())
    assert [finding.shrunk is not None for finding in told] == [True, *[False] * (len(told) - 1)]
    assert {finding.fingerprint for finding in told} == {PAID_TWICE}


def test_two_cases_that_shrink_to_one_are_told_of_once() -> None:
    lasting, *others = sorted(all_findings(), key=lambda finding: not finding.case.is_lasting)
    told = refined(FOUR, [lasting, *others], BASELINE)
    assert len({finding.id for finding in told}) == len(told)
    assert lasting.id not in {finding.id for finding in told}


def test_control_two_bugs_are_refined_each() -> None:
    async def pay_both(doer: Doer, _: World) -> str:
        await doer.call("pay", order="1")
        await doer.call("send", order="1")
        return "done"

    scenario = doing(pay_both, paying(), sending())
    baseline: Trial = simulate(scenario)
    faults = [
        next(f for f in possible(site) if f.kind == "error" and f.phase == "after_commit")
        for site in sites_of(baseline.tape)
    ]
    findings = [found(scenario, Case(faults=(fault,))) for fault in faults]
    told = refined(scenario, findings, baseline)
    assert [str(finding.fingerprint) for finding in told] == [
        "duplicate_side_effect of doer/pay",
        "duplicate_side_effect of doer/send",
    ]
    assert all(finding.shrunk for finding in told)


def sending() -> Tool[Any]:
    async def send(ctx: RunContext[World], order: str) -> str:
        """Send."""
        ctx.deps.ledger.commit("parcel", order=order)
        return "sent"

    return Tool(send)
