"""The page for people: findings first, worst on top, each with its way out; stable byte for byte."""

from typing import Any

import pytest

from robotape_harness.report.lines import plain
from robotape_harness.report.page import finding_lines, report_lines, result_lines
from tests.harness.report import samples
from tests.harness.report.samples import Verdict, trial

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
  read     docs/reference/oracles.md#duplicate_side_effect
  replay   robotape replay 3fa9c1d2e4

  and 2 more of the same:
    88aa01b2c3  reset after commit at tool:refund#1, once
    0d0d0d0d0d  timeout after commit at tool:refund#1, for ever

coverage
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
    assert "no_cap under timeout at x: a daemon retries for ever on purpose" in text


RESULTS = {
    "sound": ({"status": "sound", "findings": ()}, "SOUND  it held under all 20 faults\n"),
    "one finding": ({"findings": (samples.finding(),)}, "FINDINGS  1 of 20 faults broke it"),
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


def test_of_a_target_error_what_was_run_is_shown_and_nothing_else() -> None:
    facts: dict[str, Any] = {"status": "target_error", "findings": (), "message": "fails: KeyError"}
    failed = trial(ending="raised", result=None, error=KeyError("x"))
    text = text_of(**facts, baseline=failed)
    assert "the fault-free run\n" in text
    assert text.endswith("    the run raised KeyError: 'x'\n")
    assert text_of(**facts, baseline=None) == "refund_desk:naive  seed 0, 24 simulated runs\n\n"
