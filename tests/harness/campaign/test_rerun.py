"""Laws of replaying: the same run, byte for byte, or which step is the first to differ."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from robotape import Tool
from robotape_harness.campaign.engine import run_campaign
from robotape_harness.campaign.rerun import ReplayError, replay
from robotape_harness.campaign.store import FindingRecord, load, record_of, save
from robotape_harness.faults.case import Case
from robotape_harness.simulation.choices import Choices
from robotape_harness.simulation.trial import simulate
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
