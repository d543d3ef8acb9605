"""Laws of replaying: the same run, byte for byte, or which step is the first to differ."""

import asyncio
import hashlib
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from robotape import Tool
from robotape_harness.campaign.engine import run_campaign
from robotape_harness.campaign.record import FindingRecord, record_of
from robotape_harness.campaign.rerun import ReplayError, replay
from robotape_harness.campaign.store import load, save
from robotape_harness.campaign.strike import strike
from robotape_harness.faults.case import Case
from robotape_harness.faults.catalogue import possible
from robotape_harness.faults.fault import sites_of
from robotape_harness.simulation.choices import Choices
from robotape_harness.simulation.trial import Trial, simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, doing, pay_42, paying, paying_with_key

NAIVE = doing(pay_42, paying())
FINDINGS = run_campaign(NAIVE, seed=11).findings
RECORD = record_of(FINDINGS[0], "x.py:naive")


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: str(finding.case))
def test_a_finding_replays_byte_for_byte_from_its_file(finding: Any, tmp_path: Path) -> None:
    save(finding, tmp_path, "x.py:naive")
    outcome = replay(load(tmp_path, finding.id), NAIVE)
    assert outcome.identical
    assert outcome.first_difference == ""
    assert outcome.trial.tape.to_bytes() == finding.trial.tape.to_bytes()
    assert outcome.verdicts == finding.verdicts
    assert outcome.baseline.ending == "answered"


def test_a_repaired_agent_replays_without_a_verdict() -> None:
    outcome = replay(RECORD, doing(pay_42, paying_with_key()))
    assert outcome.verdicts == ()
    assert not outcome.identical
    assert outcome.first_difference.startswith("the first step that differs is now 0 action of pay")


async def pay_twice(doer: Doer, _: World) -> str:
    await doer.call("pay", order="42")
    return str(await doer.call("pay", order="43"))


def test_a_run_that_goes_on_longer_or_ends_earlier_says_so() -> None:
    longer = replay(RECORD, doing(pay_twice, paying()))
    assert "the recorded run ended at step 4; now it goes on with 4 action" in (
        longer.first_difference
    )
    shorter = replay(record_of(replace(FINDINGS[0]), ""), doing(pay_42, paying(max_retries=0)))
    assert "the first step that differs is now 1 error" in shorter.first_difference
    record = replace(RECORD, steps=(*RECORD.steps, "00000000"), tape_sha256="another")
    assert replay(record, NAIVE).first_difference == (
        "the run now ends at step 4; the recorded one had 5"
    )


def test_another_seed_differs_from_the_header_on() -> None:
    outcome = replay(replace(RECORD, case=replace(RECORD.case, seed=12)), NAIVE)
    assert not outcome.identical
    assert "from their header on" in outcome.first_difference


def test_a_schedule_is_replayed_from_its_choices() -> None:
    async def nothing(name: str) -> str:
        """Do nothing."""
        return name

    scenario = doing(pay_42, paying(), Tool(nothing))
    trial = simulate(scenario, seed=11, choices=Choices.seeded(5))
    case = Case(seed=11, choices=trial.choices.recorded)
    record: FindingRecord = record_of(replace(FINDINGS[0], trial=trial, case=case), "")
    assert replay(record, scenario).trial.choices.recorded == case.choices


def test_a_scenario_that_fails_without_faults_cannot_be_replayed() -> None:
    async def broken(doer: Doer, _: World) -> None:
        raise LookupError("moved")

    with pytest.raises(ReplayError, match="LookupError: moved") as caught:
        replay(RECORD, doing(broken))
    assert RECORD.id in str(caught.value)


# -- what is no longer there, or no longer fits


def test_a_call_that_is_no_longer_made_is_named_with_those_that_are() -> None:
    async def send(order: str) -> str:
        """Send."""
        return order

    async def sending(doer: Doer, _: World) -> str:
        return str(await doer.call("send", order="42"))

    with pytest.raises(ReplayError, match=r"no call tool:pay#1 any more.*calls are tool:send#1"):
        replay(RECORD, doing(sending, Tool(send)))


def test_a_kind_that_is_no_longer_in_the_catalogue_is_named_with_those_that_are() -> None:
    [fault] = RECORD.case.faults
    gone = replace(RECORD.case, faults=(replace(fault, kind="gremlin"),))
    with pytest.raises(ReplayError, match="called 'gremlin'; there are: error"):
        replay(replace(RECORD, case=gone), NAIVE)


def test_a_call_that_another_fault_keeps_from_being_made_is_no_trouble() -> None:
    """The site is there; that the run does not come so far any more may be the repair."""
    scenario = doing(pay_twice, paying(max_retries=0))
    first, second = (
        next(f for f in possible(site) if str(f).startswith("permanent_error before"))
        for site in sites_of(simulate(scenario).tape)
    )
    record = replace(RECORD, case=Case(faults=(first, second)))
    outcome = replay(record, scenario)
    assert [bool(each.attempts) for each in outcome.struck] == [True, False]
    assert outcome.verdicts == ()


async def fanning_out(doer: Doer, _: World, *, tasks: int = 3) -> str:
    await asyncio.gather(*(asyncio.sleep(0) for _ in range(tasks)))
    return str(await doer.call("pay", order="42"))


def test_code_that_asks_for_other_decisions_replays_what_still_fits_and_says_so() -> None:
    scenario = doing(fanning_out, paying())
    fault = replace(RECORD.case, seed=0).faults[0]
    baseline = simulate(scenario)
    case = Case(faults=(fault,))
    trial = strike(scenario, case, baseline, choices=Choices.seeded(5)).trial
    recorded = replace(case, choices=trial.choices.recorded)
    record = record_of(replace(FINDINGS[0], trial=trial, case=recorded, digest=digest(trial)), "")
    assert replay(record, scenario).identical

    changed = doing(partial(fanning_out, tasks=5), paying())
    outcome = replay(record, changed)
    assert not outcome.identical
    assert outcome.trial.ending == "answered"
    assert [verdict.oracle for verdict in outcome.verdicts] == ["duplicate_side_effect"]
    assert "replay diverged at choice" in outcome.first_difference


def digest(trial: Trial) -> str:
    return hashlib.sha256(trial.tape.to_bytes()).hexdigest()
