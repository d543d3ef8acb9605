"""`robotape doctor`: exit code, text and JSON."""

import json
from pathlib import Path

import pytest

from robotape_harness.cli.group import main
from tests.harness.campaign.clinic import CLINIC


@pytest.fixture(autouse=True)
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("clinic.py").write_text(CLINIC)


def test_a_deterministic_scenario_ends_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "clinic.py:nothing"]) == 0
    assert "\nDETERMINISTIC  " in capsys.readouterr().out


def test_another_one_ends_with_1_and_names_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "clinic.py:identity", "--seed", "3"]) == 1
    told = capsys.readouterr()
    assert told.out.startswith("clinic:identity  seed 3\n\nNOT DETERMINISTIC  ")
    assert "identity: id at clinic.py:" in told.out
    assert told.err == ""


def test_json_goes_to_standard_output_or_beside_the_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor", "--json", "clinic.py:identity"]) == 1
    assert json.loads(capsys.readouterr().out)["difference"]["source"]["call"] == "id"
    assert main(["doctor", "clinic.py:identity", "--json", "found.json"]) == 1
    assert "NOT DETERMINISTIC" in capsys.readouterr().out
    assert json.loads(Path("found.json").read_text())["deterministic"] is False
