"""Laws of earlier findings: those of the scenario are tried, others and damaged ones are not."""

import json
from dataclasses import replace
from pathlib import Path

from robotape_harness.campaign.earlier import earlier_cases
from robotape_harness.campaign.engine import run_campaign
from robotape_harness.campaign.findings import Finding
from robotape_harness.campaign.store import save
from tests.harness.oracles.planted import doing, pay_42, paying


def found(name: str) -> tuple[Finding, ...]:
    scenario = replace(doing(pay_42, paying()), name=name)
    return run_campaign(scenario, stages=("singles",)).findings


def test_the_cases_of_this_scenario_come_by_their_ids(tmp_path: Path) -> None:
    mine = found("mine")
    for finding in (*mine, *found("other")):
        save(finding, tmp_path, "desk.py:mine")
    cases, left_out = earlier_cases(tmp_path, "mine")
    assert list(cases) == [each.case for each in sorted(mine, key=lambda each: each.id)]
    assert left_out == ()


def test_control_where_there_is_no_folder_there_is_nothing(tmp_path: Path) -> None:
    assert earlier_cases(tmp_path / "none", "mine") == ((), ())


def test_a_damaged_file_is_named_and_passed_over(tmp_path: Path) -> None:
    first, second, *_ = found("mine")
    for finding in (first, second):
        save(finding, tmp_path, "desk.py:mine")
    (tmp_path / f"{first.id}.json").write_text("{")
    cases, left_out = earlier_cases(tmp_path, "mine")
    assert cases == (second.case,)
    assert f"{first.id}.json" in left_out[0]


def test_a_fault_that_the_catalogue_no_longer_knows_is_passed_over(tmp_path: Path) -> None:
    first = found("mine")[0]
    path = save(first, tmp_path, "desk.py:mine")
    path.write_text(path.read_text().replace(json.dumps(first.case.faults[0].kind), '"plague"'))
    cases, (why,) = earlier_cases(tmp_path, "mine")
    assert cases == ()
    assert "plague" in why
