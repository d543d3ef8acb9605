"""Laws of the process that stands alone: one answer to each question, and none but the answer."""

from pathlib import Path

import pytest

from robotape_harness.campaign.alone import answer
from robotape_harness.campaign.engine import run_campaign
from robotape_harness.campaign.pinned import pin_of
from robotape_harness.campaign.record import FindingRecord, dump, record_of
from robotape_harness.target import opened
from tests.harness.cli.desks import DESK

TARGET = "desk.py:naive"
FIXED = f"{DESK}\nnaive = sound\n"


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FindingRecord:
    monkeypatch.chdir(tmp_path)
    Path("desk.py").write_text(DESK)
    with opened(TARGET) as scenario:
        return record_of(run_campaign(scenario).findings[0], TARGET)


def test_a_finding_that_replays_differs_nowhere(record: FindingRecord) -> None:
    assert answer({"target": TARGET, "findings": [dump(record)] * 2}) == {"differences": ["", ""]}


def test_a_finding_that_does_not_says_where(record: FindingRecord) -> None:
    Path("desk.py").write_text(DESK.replace('task="Refund order 42"', 'task="Refund it"'))
    told = answer({"target": TARGET, "findings": [dump(record)]})
    assert "first step that differs is now 0" in told["differences"][0]


def test_a_finding_that_cannot_be_replayed_says_why(record: FindingRecord) -> None:
    Path("desk.py").write_text(f"{DESK}\nnaive = desk()\n")
    told = answer({"target": TARGET, "findings": [dump(record)]})
    assert f"finding {record.id} cannot be replayed" in told["differences"][0]


def test_a_pin_is_told_by_the_oracles_that_accuse_again(record: FindingRecord) -> None:
    pin = pin_of(record.case, ["duplicate_side_effect"]).told()
    told = answer({"target": TARGET, "pin": pin})
    assert told["accusing"] == ("duplicate_side_effect",)
    assert "this goes wrong again" in told["told"]
    Path("desk.py").write_text(FIXED)
    assert answer({"target": TARGET, "pin": pin}) == {"accusing": [], "told": ""}


def test_a_target_that_leads_nowhere_is_trouble(record: FindingRecord) -> None:
    told = answer({"target": "desk.py:nobody", "findings": []})
    assert "nobody does not exist" in told["trouble"]
