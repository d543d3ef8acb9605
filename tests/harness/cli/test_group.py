"""The command's front: help that loads nothing, one line for an error, every exit code told."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

import robotape
from robotape_harness import cli
from robotape_harness.cli import group
from robotape_harness.cli.exits import STATUS_CODES, Exit
from robotape_harness.cli.group import SUMMARIES, main


def test_help_lists_the_subcommands_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(f"\n  {name} " in told for name in SUMMARIES)
    codes = {
        int(row.split()[0])
        for row in told.splitlines()
        if row.split()[:1] and row.split()[0].isdigit()
    }
    assert codes == set(Exit)


@pytest.mark.parametrize("name", sorted(SUMMARIES))
def test_what_help_says_of_a_subcommand_is_what_it_says_itself(name: str) -> None:
    context = click.Context(group.robotape)
    command = group.robotape.get_command(context, name)
    assert command is not None
    assert (command.name, command.get_short_help_str(200)) == (name, SUMMARIES[name])


def test_there_is_a_file_for_each_subcommand() -> None:
    assert set(SUMMARIES) <= cli.LAZY
    assert all(Path(cli.__file__).with_name(f"{name}.py").exists() for name in cli.LAZY)


HEAVY = {"robotape", "pydantic", "rich", "pytest", "hypothesis", "asyncio"}


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys, json; from robotape_harness.cli import main; main(['--help']);"
        "sys.stderr.write(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert HEAVY & set(json.loads(done.stderr)) == set()


def test_without_a_terminal_a_check_does_not_load_rich(tmp_path: Path) -> None:
    code = (
        "import sys; from robotape_harness.cli import main; main(['check', 'no.py']);"
        "sys.exit('rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"robotape {robotape.__version__}\n"


def test_nothing_typed_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == Exit.USAGE
    told = capsys.readouterr()
    assert told.err.startswith("Usage: robotape")
    assert told.out == ""


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """A `robotape check` that raises what is in the list."""
    errors: list[BaseException] = []

    @click.command("check")
    def command() -> None:
        raise errors[0]

    monkeypatch.setattr(group.LazyGroup, "get_command", lambda *_: command)
    return errors


def test_an_error_of_robotape_itself_is_told_from_one_of_the_user(
    broken: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    broken.append(ZeroDivisionError("oops"))
    assert main(["check"]) == Exit.INTERNAL
    told = capsys.readouterr().err
    assert told.startswith("error: robotape itself failed: ZeroDivisionError: oops; please report")
    assert "Traceback" not in told
    assert main(["--debug", "check"]) == Exit.INTERNAL
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_is_130(broken: list[BaseException], capsys: pytest.CaptureFixture[str]) -> None:
    broken.append(KeyboardInterrupt())
    assert main(["check"]) == 130
    assert capsys.readouterr().err.strip() == "interrupted"


def test_every_status_of_a_campaign_has_its_code() -> None:
    assert STATUS_CODES == {
        "sound": 0,
        "findings": 1,
        "target_error": 2,
        "inconclusive": 3,
        "interrupted": 130,
    }


def test_a_reader_who_goes_away_is_no_error(tmp_path: Path) -> None:
    code = "from robotape_harness.cli import main; raise SystemExit(main(['--help']))"
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
        cwd=tmp_path,
    )
    os.close(write)
    assert b"Traceback" not in done.stderr
