"""`robotape replay`: the same run, byte for byte, in a fresh process; or what has changed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from robotape_harness.campaign.store import stored
from robotape_harness.cli.group import main
from tests.harness.cli.desks import DESK

FOLDER = ".robotape/findings"


@pytest.fixture(autouse=True)
def finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """The id of a finding that was just made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    Path("desk.py").write_text(DESK)
    assert main(["check", "desk.py:naive"]) == 1
    capsys.readouterr()
    return stored(FOLDER)[0]


def process(*typed: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "robotape_harness", *typed],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_every_finding_is_reproduced_byte_for_byte(capsys: pytest.CaptureFixture[str]) -> None:
    for finding in stored(FOLDER):
        assert main(["replay", finding]) == 1
        told = capsys.readouterr().out
        assert "REPRODUCED  reproduced byte for byte" in told
        assert "CRITICAL  an effect happened twice" in told


def test_a_fresh_process_under_another_hash_seed_reproduces_it(finding: str) -> None:
    done = process("replay", finding, PYTHONHASHSEED="12345")
    assert "reproduced byte for byte" in done.stdout
    assert (done.returncode, done.stderr) == (1, "")


def test_a_few_digits_will_do(finding: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", finding[:9]]) == 1


def test_a_repaired_agent_no_longer_fails(finding: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("desk.py").write_text(f"{DESK}\nnaive = sound\n")
    assert main(["replay", finding]) == 0
    told = capsys.readouterr().out
    assert "NO LONGER FAILS  no oracle accuses this run any more" in told
    assert "CRITICAL" not in told


def test_an_agent_that_changed_and_still_fails_says_where(
    finding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("desk.py").write_text(DESK.replace('task="Refund order 42"', 'task="Refund it"'))
    assert main(["replay", finding]) == 1
    told = capsys.readouterr().out
    assert "FAILS AGAIN  but not byte for byte: the first step that differs is now 0" in told


def test_json_says_the_same(finding: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", finding, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["identical"], told["fails"], told["id"]) == (True, True, finding)


def test_json_with_a_file_goes_there_and_the_text_is_printed_too(
    finding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", finding, "--json", "out.json"]) == 1
    assert "REPRODUCED" in capsys.readouterr().out
    assert json.loads(Path("out.json").read_text())["id"] == finding


def test_without_an_id_those_there_are_are_listed(
    finding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert f"\n  {finding}  desk.py:naive: an effect happened twice, under " in told.err


def test_a_finding_of_a_test_is_replayed_by_pytest(
    finding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(FOLDER, f"{finding}.json")
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, "target": "tests/test_desk.py::test_sound"}))
    assert main(["replay", finding]) == 2
    wanted = f"pytest tests/test_desk.py::test_sound --robotape-replay {finding}"
    assert wanted in capsys.readouterr().err


def test_a_scenario_that_fails_by_itself_cannot_be_replayed(
    finding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("desk.py").write_text(f"{DESK}\nnaive = desk()\n")
    assert main(["replay", finding]) == 2
    told = capsys.readouterr().err
    assert f"finding {finding} cannot be replayed" in told
    assert told.endswith("  see the run: robotape check desk.py:naive\n")
