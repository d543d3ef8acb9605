"""The list of findings: worst first, the damaged last, and how to make one where there is none."""

from pathlib import Path

import pytest

from robotape_harness.campaign.store import save
from robotape_harness.cli import listing
from robotape_harness.cli.listing import which_finding
from robotape_harness.faults.fault import Fault
from robotape_harness.oracles import Verdict
from tests.harness.report import samples

LASTING = Fault("timeout", samples.SITE, "after_commit", "forever")


@pytest.fixture
def folder(tmp_path: Path) -> str:
    for finding in (
        samples.finding(id="1" * 10, verdicts=(Verdict("no_backoff", 2, "too soon"),)),
        samples.finding(id="2" * 10, fault=LASTING),
        samples.finding(id="3" * 10),
        samples.finding(id="4" * 10, fault=None),
    ):
        save(finding, tmp_path, "desk.py:naive")
    (tmp_path / "0000000000.json").write_text("{}")
    return str(tmp_path)


def test_the_worst_come_first_the_simple_before_the_lasting_the_damaged_last(folder: str) -> None:
    head, *rows = which_finding(folder).splitlines()
    assert head == f"which finding? there are 5 in {folder}, worst first:"
    assert [row.split()[0][0] for row in rows] == ["3", "4", "2", "1", "0"]
    assert rows[0] == (
        "  3333333333  desk.py:naive: an effect happened twice, under timeout after commit at"
        " tool:refund#1, once"
    )


def test_what_was_asked_for_is_named(folder: str) -> None:
    assert which_finding(folder, "zz").startswith(
        f"there is no finding 'zz' in {folder}; there are 5, worst first:\n"
    )


def test_of_many_the_worst_are_shown(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "SHOWN", 2)
    assert which_finding(folder).splitlines()[3:] == ["  and 3 more"]


@pytest.mark.parametrize("asked", ["", "zz"])
def test_where_there_is_none_it_says_how_to_make_one(asked: str, tmp_path: Path) -> None:
    text = which_finding(str(tmp_path / "none"), asked)
    assert text.endswith("a check makes them: robotape check path/file.py:scenario")
    assert "\n" not in text
