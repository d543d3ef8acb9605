"""`robotape explain`: one oracle, or all there are; or what makes a finding's run pass."""

import json
from pathlib import Path

import pytest

from robotape_harness.cli.group import main
from tests.harness.cli.desks import DESK


def test_an_oracle_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "duplicate_side_effect"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("an effect happened twice   duplicate_side_effect\n")
    assert told.err == ""


def test_without_an_oracle_all_there_are_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    assert "\n  hang                      a run never ended\n" in capsys.readouterr().out


# -- a finding


@pytest.fixture
def finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """The id of a finding that was just made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    Path("desk.py").write_text(DESK)
    assert main(["check", "desk.py:naive", "--json", "report.json"]) == 1
    capsys.readouterr()
    return str(json.loads(Path("report.json").read_text())["findings"][0]["id"])


def test_a_finding_is_explained_by_what_passes_and_a_run_beside_it(
    finding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", finding[:8]]) == 0
    told = capsys.readouterr().out
    assert f"finding {finding} explained" in told
    assert "  passes  without error after commit at tool:refund#1, once\n" in told
    assert "  passes  before commit instead of after commit\n" in told
    assert "no single step makes it smaller" in told
    assert "this run" in told
    assert "| the run that passes" in told
    assert "REPRODUCED" in told


def test_a_finding_that_is_repaired_has_nothing_to_explain(
    finding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("desk.py").write_text(f"{DESK}\nnaive = sound\n")
    assert main(["explain", finding]) == 0
    assert "NO LONGER FAILS" in capsys.readouterr().out


def test_an_id_that_is_not_there_lists_those_that_are(
    finding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "ffffffffff"]) == 2
    assert finding in capsys.readouterr().err


def test_a_finding_that_cannot_be_replayed_says_why(
    finding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("desk.py").write_text(f"{DESK}\nnaive = desk()\n")
    assert main(["explain", finding]) == 2
    assert f"finding {finding} cannot be replayed" in capsys.readouterr().err
