"""`robotape explain`: one oracle, or all there are; the text ships with the package."""

import pytest

from robotape_harness.cli.group import main


def test_an_oracle_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "duplicate_side_effect"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("an effect happened twice   duplicate_side_effect\n")
    assert told.err == ""


def test_without_an_oracle_all_there_are_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    assert "\n  hang                   a run never ended\n" in capsys.readouterr().out
