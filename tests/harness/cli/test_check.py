"""`robotape check`: plain and stable without a terminal, its report as JSON, its findings kept."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from robotape_harness.campaign.store import load, stored
from robotape_harness.cli.group import main
from tests.harness.cli.desks import DESK, HEAD


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("desk.py").write_text(DESK)
    return tmp_path


def process(*typed: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as a shell starts it."""
    return subprocess.run(
        [sys.executable, "-m", "robotape_harness", *typed],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_same_seed_prints_the_same_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    texts = set()
    for _ in range(2):
        assert main(["check", "desk.py:naive"]) == 1
        told = capsys.readouterr()
        texts.add(told.out)
        assert told.err == ""
    assert len(texts) == 1
    assert "\x1b" not in texts.pop()


def test_control_another_seed_prints_another_tape(capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for seed in ("0", "1"):
        main(["check", "desk.py:naive", "--seed", seed])
        texts.append(capsys.readouterr().out)
    assert texts[0] != texts[1]


def test_findings_are_kept_with_what_it_takes_to_replay_them() -> None:
    assert main(["check", "desk.py:naive"]) == 1
    ids = stored(".robotape/findings")
    assert ids
    assert load(".robotape/findings", ids[0]).target == "desk.py:naive"


def test_control_a_sound_scenario_leaves_nothing_behind(folder: Path) -> None:
    before = {path.name for path in folder.iterdir()} | {"__pycache__"}
    assert main(["check", "desk.py:sound"]) == 0
    assert {path.name for path in folder.iterdir()} <= before


@pytest.mark.parametrize(
    "typed", ["desk.py:naive --json", "--json desk.py:naive", "--json=- desk.py:naive"]
)
def test_json_without_a_file_goes_to_standard_output(
    typed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *typed.split()]) == 1
    assert json.loads(capsys.readouterr().out)["status"] == "findings"


@pytest.mark.parametrize(
    "typed", ["--json out.json desk.py:naive", "desk.py:naive --json=out.json"]
)
def test_json_with_a_file_goes_there_and_the_text_is_printed_too(
    typed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *typed.split()]) == 1
    assert capsys.readouterr().out.startswith("desk:naive  seed 0")
    assert json.loads(Path("out.json").read_text())["scenario"] == "desk:naive"


def test_quiet_prints_the_result_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "desk.py:sound", "--quiet"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("SOUND  it held under all ")
    assert (told.out.count("\n"), told.err) == (1, "")


def test_what_is_wrong_with_a_target_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    Path("short.py").write_text(
        f"{DESK}\nshort = desk(paying, turns=[call('refund', order_id='1')])"
    )
    assert main(["check", "short.py:short"]) == 2
    told = capsys.readouterr()
    assert (told.out + told.err).count("asks for turn 2") == 1
    assert told.err.startswith("error: the scenario itself is at fault: ScriptExhausted: ")
    assert "ERROR        llm     attempt 1  ScriptExhausted\n" in told.out


@pytest.mark.parametrize("option", ["--quiet", "--json"])
def test_control_so_it_is_without_the_page(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "desk.py:nobody", option]) == 2
    Path("fails.py").write_text(f"{DESK}\nfails = desk()")
    assert main(["check", "fails.py:fails", option]) == 2
    told = capsys.readouterr()
    assert "error: the fault-free run " in told.err
    assert (told.out == "") == (option == "--quiet")


def test_debug_shows_where_the_fault_free_run_failed(capsys: pytest.CaptureFixture[str]) -> None:
    Path("fails.py").write_text(
        f"{DESK}\n@tool(max_retries=0)\nasync def refund(order_id: str):\n"
        "    raise KeyError('no such order')\n\nfails = desk(refund)"
    )
    assert main(["check", "fails.py:fails"]) == 2
    told = capsys.readouterr().err
    assert told.endswith("\n  see where: robotape --debug check fails.py:fails\n")
    assert main(["--debug", "check", "fails.py:fails"]) == 2
    told = capsys.readouterr().err
    assert 'fails.py", line ' in told
    assert "see where" not in told


def test_findings_kept_elsewhere_are_replayed_from_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["check", "desk.py:naive", "--findings-dir", "my finds"]) == 1
    told = capsys.readouterr().out
    assert "replay   robotape replay --findings-dir 'my finds' " in told
    assert told.endswith("          kept in my finds, a file each\n")


def test_the_hash_seed_is_fixed_before_anything_is_run() -> None:
    Path("sets.py").write_text(
        f"{HEAD}\nimport os, sys\nsys.stderr.write(os.environ['PYTHONHASHSEED'])\nsound = desk()\n"
    )
    assert process("check", "sets.py", PYTHONHASHSEED="random").stderr.startswith("0")
    assert process("check", "sets.py", PYTHONHASHSEED="7").stderr.startswith("7")


def test_ctrl_c_prints_what_was_found_so_far() -> None:
    # The scenario presses Ctrl-C itself, when the campaign has been at it for a while.
    Path("late.py").write_text(
        f"{DESK}\nimport itertools, os, signal\nruns = itertools.count()\n"
        "def press(world):\n"
        "    if next(runs) == 60:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "    return desk(paying).agent(world)\n"
        "from dataclasses import replace\n"
        "pressed = replace(naive, agent=press)\n"
    )
    done = process("check", "late.py:pressed")
    assert done.returncode == 128 + signal.SIGINT
    assert "INTERRUPTED  after " in done.stdout
    assert "an effect happened twice" in done.stdout
    assert "Traceback" not in done.stderr
    assert stored(".robotape/findings")
