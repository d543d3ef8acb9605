"""The tape excerpt: aligned lines that fit, with the fault marked in place."""

import pytest

from robotape.agents import RunResult
from robotape_harness.campaign.findings import Finding
from robotape_harness.faults.fault import Fault
from robotape_harness.ledger import EffectLedger
from robotape_harness.report import excerpt as excerpts
from robotape_harness.report.excerpt import ending, tail
from robotape_harness.report.lines import Line, plain
from tests.harness.report import samples
from tests.harness.report.samples import MODEL, SITE, step, tape_of, trial

PAID_TWICE = """\
                (3 more steps)
    t= 0.000 s  ACTION       refund  attempt 1  {"order_id":"42","amount":"30"}
            ++  committed: refund {"amount":"30","order_id":"42"}
            !!  timeout after commit: it was done, but the reply is lost
    t=10.000 s  ERROR        refund  attempt 1  TimeoutError: no answer in time
            ..  waits 0.341 s, then tries again
    t=10.341 s  ACTION       refund  attempt 2  {"order_id":"42","amount":"30"}
            ++  committed again (2 times now): refund {"amount":"30","order_id":"42"}
    t=10.341 s  OBSERVATION  refund  attempt 2  {"receipt":"r-2"}
                (3 more steps)
    the run answered "Done."
"""


def excerpt(finding: Finding, *, width: int) -> list[Line]:
    return excerpts.excerpt(finding.trial, finding.struck, finding.verdicts, width=width)


def test_the_refund_that_is_paid_twice() -> None:
    assert plain(excerpt(samples.finding(), width=100)) == PAID_TWICE


@pytest.mark.parametrize("width", [80, 90, 100])
def test_every_line_fits(width: int) -> None:
    wordy = step("observation", "refund", 0.0, {"text": "word " * 99}, call=SITE.place)
    asked = step("action", "refund", 0.0, {"note": "line\nbreak " * 50}, call=SITE.place)
    found = samples.finding(trial=trial(tape=tape_of(asked, wordy)))
    rows = plain(excerpt(found, width=width)).splitlines()
    assert max(map(len, rows)) <= width
    assert any(row.endswith("…") for row in rows)


def test_what_a_model_is_asked_and_says_is_shown_in_words() -> None:
    fault = Fault("rate_limit", MODEL, "before_commit", "once")
    text = plain(excerpt(samples.finding(fault=fault), width=100))
    assert "ACTION       llm     attempt 1  user: Refund order 42" in text
    assert 'THOUGHT      llm     attempt 1  calls refund {"order_id":"42"}' in text
    assert "!!  rate limit before commit: no answer from the model" in text


def test_a_call_that_was_refused_or_cancelled_says_so() -> None:
    denied = {"error": "PolicyDenied", "message": "nobody may"}
    tape = tape_of(
        step("error", "refund", 0.0, denied, call="x", attempt=0),
        step("action", "refund", 0.0, {}, call="y"),
        step("observation", "refund", 1.0, None, call="y"),
    )
    text = plain(tail(trial(tape=tape), width=100))
    assert "ERROR        refund  refused    PolicyDenied: nobody may" in text
    assert "OBSERVATION  refund  attempt 1  cancelled" in text


STOPPED = RunResult(None, tape_of(), stop_reason="failed", error="no luck")
ENDINGS = {
    "answered": ({}, 'the run answered "Done."'),
    "stopped": ({"result": STOPPED}, "the run stopped (failed): no luck"),
    "raised": (
        {"result": None, "ending": "raised", "error": KeyError("x")},
        "raised KeyError: 'x'",
    ),
    "cancelled": ({"result": None, "ending": "cancelled"}, "the run was cancelled"),
    "hung": (
        {"result": None, "ending": "hung", "error": OSError("zzz")},
        "never ended: OSError: zzz",
    ),
    "blocked": ({"result": None, "ending": "blocked", "error": OSError("z")}, "was given up: OSEr"),
    "target": ({"result": None, "ending": "target_error", "error": OSError("z")}, "itself is at f"),
}


@pytest.mark.parametrize(("changes", "phrase"), ENDINGS.values(), ids=ENDINGS)
def test_how_the_run_ended_is_told(changes: dict[str, object], phrase: str) -> None:
    assert phrase in plain([ending(trial(**changes), width=100)])


def test_control_an_empty_tape_has_nothing_to_tell() -> None:
    assert tail(trial(tape=tape_of(), ledger=EffectLedger()), width=100) == []


@pytest.mark.parametrize(("message", "told"), [("no luck", "OSError\n"), ("x", "OSError: no luck")])
def test_an_error_that_is_told_elsewhere_is_named_by_its_class(message: str, told: str) -> None:
    failed = step(
        "error", "refund", 0.0, {"error": "OSError", "message": "no luck"}, call="x", attempt=0
    )
    run = trial(tape=tape_of(failed), ledger=EffectLedger(), error=OSError(message))
    assert told in plain(tail(run, width=100))
