"""`robotape pin`: a test that fails now, passes after the repair, and needs no finding's file."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from robotape_harness.campaign.store import stored
from robotape_harness.cli.group import main
from tests.harness.cli.desks import DESK

FOLDER = ".robotape/findings"
FILE = Path("tests/test_regressions.py")
REPAIRED = f"{DESK}\nnaive = sound\n"


@pytest.fixture(autouse=True)
def finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """The id of a finding that was just made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    Path("desk.py").write_text(DESK)
    Path("tests").mkdir()
    assert main(["check", "desk.py:naive", "--json", "report.json"]) == 1
    capsys.readouterr()
    return str(json.loads(Path("report.json").read_text())["findings"][0]["id"])


def run_pytest() -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=.", str(FILE)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_it_fails_before_the_repair_and_passes_after_without_any_finding(
    finding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pin", finding]) == 0
    told = capsys.readouterr().out
    assert told.startswith("PINNED  test_duplicate_side_effect_at_tool_refund_1_")
    assert f"run it: pytest {FILE} -k {finding}" in told
    shutil.rmtree(".robotape")
    before = run_pytest()
    assert before.returncode == 1, before.stdout
    assert "this goes wrong again" in before.stdout
    Path("desk.py").write_text(REPAIRED)
    after = run_pytest()
    assert after.returncode == 0, after.stdout


def test_pinning_twice_says_that_it_is_there(
    finding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pin", finding]) == main(["pin", finding]) == 0
    assert "it was there already, and is as it was" in capsys.readouterr().out


def test_a_finding_that_no_longer_fails_is_not_pinned(
    finding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("desk.py").write_text(REPAIRED)
    assert main(["pin", finding]) == 2
    told = capsys.readouterr().err
    assert f"finding {finding} no longer goes wrong" in told
    assert f"robotape replay {finding}" in told
    assert not FILE.exists()


def test_a_file_of_the_users_own_is_refused(
    finding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    FILE.write_text("def test_mine():\n    assert True\n")
    assert main(["pin", finding]) == 2
    assert "was not begun by `robotape pin`" in capsys.readouterr().err
    assert main(["pin", finding, "--to", "tests/test_pinned.py"]) == 0
    assert Path("tests/test_pinned.py").exists()


def test_a_finding_of_a_test_is_refused(finding: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(FOLDER, f"{finding}.json")
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, "target": "tests/test_desk.py::test_sound"}))
    assert main(["pin", finding]) == 2
    assert "was made by a test" in capsys.readouterr().err


def test_without_an_id_those_there_are_are_listed(
    finding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pin"]) == 2
    told = capsys.readouterr().err
    assert all(each in told for each in stored(FOLDER))


def test_a_call_that_is_no_longer_made_is_told_of(
    finding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("desk.py").write_text(DESK.replace("refund", "repay"))
    assert main(["pin", finding]) == 2
    assert "the fault-free run has no tool:refund#1" in capsys.readouterr().err
