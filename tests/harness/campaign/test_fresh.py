"""Laws of the fresh process: it sees what this one could, and however it ends, one is told."""

import os
import sys
from pathlib import Path

import pytest

from robotape_harness.campaign import fresh
from robotape_harness.campaign.fresh import FreshProcessError, ask
from tests.harness.cli.desks import DESK


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    Path("desk.py").write_text(DESK)
    return tmp_path


def question(target: str = "desk.py:naive") -> dict[str, object]:
    return {"target": target, "findings": []}


def test_what_a_target_prints_is_no_answer() -> None:
    Path("desk.py").write_text(f"print('hello')\nimport os\nos.write(1, b'there')\n{DESK}")
    assert ask(question()) == {"differences": []}


def test_it_works_in_the_folder_it_is_told_to(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    os.chdir(elsewhere)
    assert ask(question(), folder=str(folder)) == {"differences": []}
    with pytest.raises(FreshProcessError, match=r"there is no file desk\.py"):
        ask(question())


def test_it_has_the_hash_seed_it_is_given() -> None:
    Path("seen.py").write_text(f"import os\nprint(os.environ['PYTHONHASHSEED'])\n{DESK}")
    told = "import os, pathlib\npathlib.Path('told').write_text(os.environ['PYTHONHASHSEED'])\n"
    Path("seen.py").write_text(told + DESK)
    ask(question("seen.py:naive"), hash_seed="42")
    assert Path("told").read_text() == "42"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import os; os._exit(3)", "ended with 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ended with -9"),
        ("1/0", "ZeroDivisionError"),
        ("naive = 3", "not a Scenario"),
    ],
)
def test_a_target_that_breaks_off_is_told_of(code: str, why: str) -> None:
    Path("desk.py").write_text(code)
    with pytest.raises(FreshProcessError, match=why):
        ask(question())


def test_a_target_that_takes_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fresh, "PATIENCE", 0.0)
    with pytest.raises(FreshProcessError, match="longer than 0 s"):
        ask(question())


def test_an_interpreter_that_cannot_be_started_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(FreshProcessError, match="No such file"):
        ask(question())
