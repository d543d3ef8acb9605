"""`robotape fuzz`: exit codes, what is told, and what is refused."""

from pathlib import Path

import pytest

from robotape_harness.cli import main

TOOLS = '''
from robotape import tool

@tool
async def divide(total: int, among: int) -> int:
    """Divide."""
    return total // among

nothing = 1
'''


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tools.py").write_text(TOOLS)


def test_a_tool_without_a_world_is_not_called(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "tools.py", "--examples", "20"]) == 0
    told = capsys.readouterr().out
    assert "divide: SOUND" in told
    assert "body not called" in told


def test_what_is_found_is_told_with_the_way_to_see_it_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["fuzz", "tools.py:divide", "--call", "--examples", "20", "--seed", "4"]) == 1
    told = capsys.readouterr().out
    assert "divide: BROKEN" in told
    assert "ZeroDivisionError" in told
    assert "reproduce: robotape fuzz tools.py:divide --call --examples 20 --seed 4" in told


@pytest.mark.parametrize("target", ["tools.py:nothing", "tools.py:missing", "other.py"])
def test_what_cannot_be_fuzzed_is_refused(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", target]) == 2
    assert "error:" in capsys.readouterr().err
