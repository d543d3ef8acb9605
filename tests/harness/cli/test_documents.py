"""Where `--json` puts its document, and what it refuses before any work is done."""

import json
from pathlib import Path

import pytest

from robotape_harness.cli.documents import check_place, put
from robotape_harness.cli.exits import Refused
from robotape_harness.cli.options import STDOUT


def test_a_file_gets_it_and_the_text_is_printed_too(tmp_path: Path) -> None:
    assert put(str(tmp_path / "x.json"), '{"é": 1}\n')
    assert json.loads((tmp_path / "x.json").read_text("utf-8")) == {"é": 1}


def test_standard_output_gets_it_instead(capsys: pytest.CaptureFixture[str]) -> None:
    assert not put(STDOUT, "{}\n")
    assert capsys.readouterr().out == "{}\n"


def test_control_who_asks_for_none_gets_the_text() -> None:
    assert put(None, "{}\n")


@pytest.mark.parametrize("place", [".", "no_such_folder/x.json"])
def test_a_place_that_takes_no_file_is_refused(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refused, match="cannot write"):
        check_place(place)


@pytest.mark.parametrize("place", [None, STDOUT, "x.json"])
def test_control_other_places_pass(
    place: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check_place(place)
    assert list(tmp_path.iterdir()) == []
