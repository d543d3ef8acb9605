"""The page for people: worst findings first, each with its way out; stable byte for byte."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from robotape import BaseAgent, RunResult, Step, StepType
from robotape_harness import CampaignReport, Limits, Scenario, World, run_campaign
from robotape_harness.campaign.coverage import StageCoverage
from robotape_harness.campaign.explain import Change, Explanation
from robotape_harness.campaign.findings import Confirmation
from robotape_harness.faults.case import Case
from robotape_harness.ledger import EffectLedger
from robotape_harness.oracles import Verdict
from robotape_harness.report.lines import WIDTH, plain
from robotape_harness.report.page import finding_lines, report_lines, result_lines
from robotape_harness.simulation.choices import Choice
from tests.harness.report import samples

HEAD = """\
refund_desk:naive  seed 0, 24 simulated runs

CRITICAL  an effect happened twice   duplicate_side_effect, 1 of 1

  refund {"amount":"30","order_id":"42"} happened twice: the reply of attempt 1 was lost after the
  effect had happened, and attempt 2 carried no key the service could know it by

  fault    timeout after commit at tool:refund#1, once
  tape     of this run, as far as it matters

"""
MIDDLE = """\
  fix      give the tool an effect_key and hand ctx.idempotency_key to the service behind it
  read     robotape explain duplicate_side_effect
  replay   robotape replay 3fa9c1d2e4

  and 2 more of the same:
    88aa01b2c3  reset after commit at tool:refund#1, once
    0d0d0d0d0d  timeout after commit at tool:refund#1, for ever

coverage: calls x faults
"""


def text_of(**changes: Any) -> str:
    return plain(report_lines(samples.report(**changes)))


def test_a_newcomer_sees_what_went_wrong_which_fault_did_it_and_what_to_do() -> None:
    text = text_of()
    assert text.startswith(HEAD)
    assert MIDDLE in text
    assert text.endswith("\nFINDINGS  3 of 20 faults broke it; the worst is critical\n")


def test_the_same_report_is_the_same_text() -> None:
    assert text_of() == text_of()
    assert "\x1b" not in text_of()


@pytest.mark.parametrize("width", [80, 100])
def test_every_line_fits(width: int) -> None:
    lines = report_lines(samples.report(), width=width)
    assert max(map(len, plain(lines).splitlines())) <= width


def test_of_many_findings_of_one_kind_every_id_is_there() -> None:
    ids = [f"{number:010x}" for number in range(40)]
    text = text_of(findings=tuple(samples.finding(id=each) for each in ids))
    assert "and 39 more of the same:" in text
    assert all(each in text for each in ids)


def test_findings_of_different_kinds_are_shown_in_full_each() -> None:
    lame = samples.finding(id="1" * 10, verdicts=(Verdict("no_backoff", 2, "too soon"),))
    text = text_of(findings=(samples.finding(), lame))
    assert text.index("CRITICAL  an effect") < text.index("MINOR  tried again without waiting")
    assert "no_backoff, 2 of 2" in text
    assert "of the same" not in text


def test_a_second_verdict_is_told_under_its_oracle() -> None:
    verdicts = (samples.TWICE, Verdict("no_backoff", 2, "too soon"))
    assert "\n  no_backoff: too soon\n" in plain(finding_lines(samples.finding(verdicts=verdicts)))


def test_a_finding_without_a_fault_says_that_the_schedule_did_it() -> None:
    text = plain(finding_lines(samples.finding(fault=None)))
    assert "none: the order of the tasks alone did it" in text


def test_waivers_are_listed_with_their_reasons() -> None:
    text = text_of(waived=(("timeout at x", "no_cap", "a daemon retries for ever on purpose"),))
    assert "no_cap: a daemon retries for ever on purpose\n    under timeout at x\n" in text


def test_a_reason_that_sets_many_verdicts_aside_is_told_once() -> None:
    waived = tuple((f"timeout at {site}", "no_cap", "on purpose") for site in "xyz")
    text = text_of(waived=waived)
    assert text.count("on purpose") == 1
    assert all(f"    under timeout at {site}\n" in text for site in "xyz")


def test_the_page_says_where_findings_are_kept_and_how_they_are_replayed() -> None:
    lines = report_lines(samples.report(), replay="robotape replay --findings-dir x", kept="x")
    text = plain(lines)
    assert "replay   robotape replay --findings-dir x 3fa9c1d2e4\n" in text
    assert text.endswith("critical\n          kept in x, a file each\n")


def test_control_where_nothing_was_found_nothing_is_kept() -> None:
    report = samples.report(status="sound", findings=())
    assert "kept in" not in plain(report_lines(report, kept="x"))


ONE = StageCoverage(name="singles", tried=20, possible=20, findings=1)
PAIRS = StageCoverage(name="pairs", tried=1_000, possible=1_000, findings=2)
RESULTS = {
    "sound": ({"status": "sound", "findings": ()}, "SOUND  it held under all 20 faults\n"),
    "one finding": (
        {"findings": (samples.finding(),), "coverage": samples.coverage(stages=(ONE, PAIRS))},
        "FINDINGS  1 of 20 faults and 2 of 1,000 pairs of faults broke it",
    ),
    "inconclusive": (
        {"status": "inconclusive", "findings": (), "message": "max_runs ended it; raise it"},
        "INCONCLUSIVE  max_runs ended it; raise it\n",
    ),
    "findings with a message": (
        {"message": "max_runs ended it"},
        "is critical\n          max_runs ended it\n",
    ),
    "interrupted": (
        {"status": "interrupted", "runs": 1, "findings": ()},
        "INTERRUPTED  after 1 simulated run; 0 findings so far\n",
    ),
}


@pytest.mark.parametrize(("changes", "phrase"), RESULTS.values(), ids=RESULTS)
def test_the_result_says_what_it_comes_to(changes: dict[str, Any], phrase: str) -> None:
    assert phrase in plain(result_lines(samples.report(**changes)))


def failing(ending: str) -> CampaignReport:
    """Of a scenario whose agent fails, or blocks the thread, by itself."""

    class Failing(BaseAgent):
        async def work(self, task: Any, deps: Any) -> RunResult:
            self.current_tape.append(Step(type=StepType.THOUGHT, content="hm"))
            if ending == "raised":
                raise KeyError("no such order")
            threading.Event().wait()
            raise AssertionError

    scenario = Scenario(world=World, agent=lambda world: Failing("failing"), task="x", name="mine")
    return run_campaign(scenario, limits=Limits(blocked=0.2))


def test_a_fault_free_run_that_fails_is_shown_once() -> None:
    report = failing("raised")
    text = plain(report_lines(report))
    assert text.count("hm") == 1
    assert "no such order" not in text
    assert report.message == "the fault-free run fails: KeyError: 'no such order'"


def test_a_fault_free_run_that_blocks_is_shown_once_and_named() -> None:
    text = plain(report_lines(failing("blocked")))
    assert (text.count("hm"), text.count("blocks the thread")) == (1, 1)
    assert "\nINCONCLUSIVE  the fault-free run blocks the thread" in text


def test_control_without_any_run_there_is_nothing_to_show() -> None:
    facts: dict[str, Any] = {"status": "target_error", "findings": (), "coverage": None}
    text = text_of(**facts, baseline=None, message="no oracle is called hung")
    assert text == "refund_desk:naive  seed 0, 24 simulated runs\n\n"


# -- what was found out about a finding


def page(**changes: Any) -> str:
    found = samples.finding(**changes)
    return plain(report_lines(samples.report(findings=(found,))))


def explanation() -> Explanation:
    fault_free = samples.trial(ledger=EffectLedger())
    return Explanation(
        changes=(Change("without it"), Change("before commit instead of after commit")),
        nearest=fault_free,
        nearest_is="the fault-free run",
        differs_at=4,
    )


def test_what_makes_it_pass_and_the_nearest_run_that_does_are_shown() -> None:
    text = page(explanation=explanation())
    assert "passes   before commit instead of after commit\n" in text
    assert "without it" not in text  # of one fault that goes without saying
    assert (
        "beside   the nearest run that passes: the fault-free run; the two part at step 3" in text
    )
    assert "++ committed: refund" in text
    assert max(map(len, text.splitlines())) <= WIDTH


def test_of_many_changes_a_few_are_told() -> None:
    many = tuple(Change(f"change {number}") for number in range(9))
    told = page(explanation=replace(explanation(), changes=many))
    assert "passes   change 0; change 1; change 2; and 6 more\n" in told


def test_a_finding_that_does_not_replay_says_so_in_place_of_a_command() -> None:
    parted = Confirmation(alone=True, difference="the first step that differs is now 7")
    text = page(confirmed=parted)
    assert "not reproducible: made alone in a fresh process, the run goes another way" in text
    assert "robotape replay" not in text
    here = page(confirmed=Confirmation(alone=False, difference="step 7"))
    assert "made a second time, the run goes another way: step 7" in here


def test_control_one_that_does_is_replayed_by_a_command_with_a_note_if_there_is_one() -> None:
    assert "replay   robotape replay 3fa9c1d2e4\n" in page(confirmed=Confirmation(alone=True))
    noted = page(confirmed=Confirmation(alone=False, note="made again in this process alone"))
    assert "replay   robotape replay 3fa9c1d2e4\n           made again in this process" in noted


def test_how_far_it_leaves_first_in_first_out_is_counted() -> None:
    choices = (
        Choice("schedule:order", 2, 1),
        Choice("schedule:on", 3, 2),
        Choice("schedule:on", 3, 0),
        Choice("schedule:next", 3, 1),
    )
    assert "schedule 1 preemption, 1 task taken out of turn\n" in page(case=Case(choices=choices))
    alone = page(case=Case(choices=choices[:1]))
    assert "schedule each task goes on until it has to wait\n" in alone
    assert "schedule" not in page()
