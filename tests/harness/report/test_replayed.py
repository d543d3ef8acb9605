"""The text of a replay: the same finding, and whether it is the same run."""

import json
from typing import Any

import pytest

from robotape_harness.campaign.record import FindingRecord, record_of
from robotape_harness.campaign.rerun import ReplayOutcome
from robotape_harness.report.lines import plain
from robotape_harness.report.replayed import (
    fails,
    replay_json,
    replay_lines,
    replay_result,
)
from tests.harness.report import samples


def record() -> FindingRecord:
    return record_of(samples.finding(), "desk.py:naive")


def outcome(**changes: Any) -> ReplayOutcome:
    facts: dict[str, Any] = {
        "trial": samples.trial(),
        "baseline": samples.trial(),
        "identical": True,
        "struck": samples.finding().struck,
        "verdicts": (samples.TWICE,),
        "first_difference": "",
    }
    return ReplayOutcome(**{**facts, **changes})


RESULTS = {
    "the same": ({}, "REPRODUCED  reproduced byte for byte: the tape's sha256 is "),
    "other bytes": (
        {"identical": False, "first_difference": "the first step that differs is now 7"},
        "FAILS AGAIN  but not byte for byte: the first step that differs is now 7; it was",
    ),
    "repaired": (
        {"identical": False, "verdicts": (), "first_difference": "the run now ends at step 4"},
        "NO LONGER FAILS  no oracle accuses this run any more\n"
        "                 the run now ends at step 4\n",
    ),
    "no oracle": ({"verdicts": ()}, "no oracle accuses this run any more\n\n"),
}


@pytest.mark.parametrize(("changes", "phrase"), RESULTS.values(), ids=RESULTS)
def test_it_says_whether_it_is_the_same(changes: dict[str, Any], phrase: str) -> None:
    text = plain(replay_lines(record(), outcome(**changes), width=200))
    assert phrase in text
    assert "++  committed again (2 times now)" in text
    assert plain(replay_result(record(), outcome(**changes), width=200)) in text


def test_of_a_repaired_one_the_first_thing_said_is_what_is_true_now() -> None:
    text = plain(replay_lines(record(), outcome(verdicts=())))
    assert text.splitlines()[2].startswith("NO LONGER FAILS")
    assert "was      an effect happened twice (duplicate_side_effect)\n" in text
    assert not any(word in text for word in ("CRITICAL", "fix  ", "replay  "))


def test_control_one_that_still_fails_is_shown_in_full() -> None:
    text = plain(replay_lines(record(), outcome()))
    assert "CRITICAL  an effect happened twice" in text
    assert "fix      give the tool an effect_key" in text


def test_the_document_says_the_same() -> None:
    told = json.loads(replay_json(record(), outcome(verdicts=(), identical=False)))
    assert (told["fails"], told["identical"], told["id"]) == (False, False, "3fa9c1d2e4")


def test_only_verdicts_make_a_run_fail() -> None:
    assert fails(outcome())
    assert not fails(outcome(verdicts=()))
