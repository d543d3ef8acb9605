"""Laws of findings as values: stable names, and one group for what looks like one bug."""

import hashlib
from dataclasses import replace

from robotape_harness.campaign.engine import run_campaign
from robotape_harness.campaign.findings import finding_id, group
from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Fault, Site
from robotape_harness.faults.when import When
from robotape_harness.simulation.choices import Choice
from tests.harness.oracles.planted import doing, pay_42, paying

SITE = Site("tool", "tool:pay#1", "doer/tool:pay[0]")
FAULT = Fault("error", SITE, "after_commit", "once")
CASE = Case(faults=(FAULT,))
FINDINGS = run_campaign(doing(pay_42, paying())).findings


def test_an_id_is_a_function_of_scenario_seed_fault_and_oracles() -> None:
    assert finding_id("naive", CASE, ["hang", "no_cap"]) == "decd15223e"
    assert finding_id("naive", CASE, ["no_cap", "hang"]) == "decd15223e"


def test_control_any_of_them_changes_the_id() -> None:
    ids = {
        finding_id("naive", CASE, ["hang"]),
        finding_id("sound", CASE, ["hang"]),
        finding_id("naive", Case(seed=1, faults=(FAULT,)), ["hang"]),
        finding_id("naive", Case(), ["hang"]),
        finding_id("naive", Case(faults=(FAULT, FAULT)), ["hang"]),
        finding_id("naive", replace(CASE, choices=(Choice("schedule", 2, 1),)), ["hang"]),
        finding_id("naive", Case(faults=(replace(FAULT, mode="forever"),)), ["hang"]),
        finding_id("naive", Case(faults=(replace(FAULT, params={"seconds": 1.0}),)), ["hang"]),
        finding_id("naive", Case(faults=(replace(FAULT, when=When(nth=2)),)), ["hang"]),
        finding_id("naive", CASE, ["no_cap"]),
    }
    assert len(ids) == 10
    assert all(len(name) == 10 and int(name, 16) >= 0 for name in ids)


def test_findings_of_one_campaign_have_different_ids_and_the_digest_of_their_tape() -> None:
    assert len({finding.id for finding in FINDINGS}) == len(FINDINGS) > 1
    for finding in FINDINGS:
        assert finding.digest == hashlib.sha256(finding.trial.tape.to_bytes()).hexdigest()


def test_the_same_oracles_at_the_same_site_are_one_group_simplest_first() -> None:
    [same] = group(FINDINGS)
    assert sorted(finding.id for finding in same) == sorted(finding.id for finding in FINDINGS)
    modes = [finding.case.faults[0].mode for finding in same]
    assert modes == sorted(modes, key=("once", "forever").index)
    assert str(same[0].case) == "error after commit at tool:pay#1, once"


def test_control_another_site_or_another_oracle_is_another_group() -> None:
    first = replace(FINDINGS[0], fingerprint=None)
    elsewhere = replace(FAULT, site=replace(SITE, alias="tool:pay#2"))
    [verdict] = first.verdicts
    others = [
        first,
        replace(first, case=Case(faults=(elsewhere,))),
        replace(first, verdicts=(replace(verdict, oracle="wrong_result"),)),
        replace(first, case=Case()),
    ]
    assert group(others) == [[other] for other in others]
    assert group([]) == []


def test_a_report_shows_each_bug_on_one_line_and_no_address() -> None:
    report = run_campaign(doing(pay_42, paying()))
    lines = repr(report).splitlines()
    assert len(lines) == 1 + len(group(report.findings))
    assert all(report.findings[0].id in line for line in lines[1:2])
    assert " at 0x" not in repr(report) + repr(report.findings) + repr(report.baseline)
