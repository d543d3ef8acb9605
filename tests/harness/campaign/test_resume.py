"""Laws of a campaign's journal: what was done is known, what no longer holds is not used."""

import errno
from pathlib import Path

import pytest

from robotape_harness.campaign.outcome import Outcome
from robotape_harness.campaign.proposal import Proposal
from robotape_harness.campaign.resume import CampaignJournal, code_digest, conditions_of
from robotape_harness.campaign.store import UnwritableDirectory
from robotape_harness.faults.case import Case

DONE = [(Proposal(Case(seed=n)), Outcome(state="failed", trouble=str(n))) for n in range(5)]


def journal(folder: Path, **conditions: object) -> CampaignJournal:
    return CampaignJournal(folder / "campaigns", "desk:naive", conditions or {"seed": 0})


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A folder with the journal of a campaign that was killed after five cases."""
    kept = journal(tmp_path)
    for proposal, outcome in DONE:
        kept.keep(proposal, outcome)
    kept.finish(is_complete=False)
    return tmp_path


def file(folder: Path) -> Path:
    (found,) = (folder / "campaigns").iterdir()
    return found


def test_what_was_done_is_known_to_the_next_one(killed: Path) -> None:
    again = journal(killed)
    assert [again.known(proposal) for proposal, _ in DONE] == [outcome for _, outcome in DONE]
    assert again.known(Proposal(Case(seed=9))) is None
    assert again.note == "going on with a campaign that was cut short after 5 runs"
    again.finish(is_complete=False)


@pytest.mark.parametrize("torn", range(1, 40, 6))
def test_a_torn_last_line_is_done_again(killed: Path, torn: int) -> None:
    path = file(killed)
    path.write_bytes(path.read_bytes()[:-torn])
    again = journal(killed)
    assert [again.known(proposal) for proposal, _ in DONE[:4]] == [o for _, o in DONE[:4]]
    assert again.known(DONE[4][0]) is None
    again.keep(*DONE[4])
    again.finish(is_complete=False)
    whole = journal(killed)
    assert whole.known(DONE[4][0]) == DONE[4][1]
    whole.finish(is_complete=False)


def test_a_journal_of_other_conditions_begins_anew_and_says_why(killed: Path) -> None:
    again = journal(killed, seed=1, code="abc")
    assert again.known(DONE[0][0]) is None
    assert again.note == (
        "a campaign that was cut short cannot go on: its code, seed changed since; it begins anew"
    )
    again.finish(is_complete=False)


@pytest.mark.parametrize("damage", [b"nonsense\n", b"[]\n", b"\xff\xfe\n", b""])
def test_a_damaged_journal_begins_anew(killed: Path, damage: bytes) -> None:
    file(killed).write_bytes(damage)
    again = journal(killed)
    assert again.known(DONE[0][0]) is None
    again.keep(*DONE[0])
    again.finish(is_complete=False)
    whole = journal(killed)
    assert whole.known(DONE[0][0]) == DONE[0][1]
    whole.finish(is_complete=True)


def test_a_complete_campaign_leaves_nothing_behind(killed: Path) -> None:
    journal(killed).finish(is_complete=True)
    assert not (killed / "campaigns").exists()
    fresh = killed / "fresh"
    journal(fresh).finish(is_complete=True)
    assert not fresh.exists()


def test_control_folders_that_were_there_stay(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    journal(tmp_path / "mine").finish(is_complete=True)
    assert (tmp_path / "mine").is_dir()
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "campaigns" / "other").touch()
    journal(tmp_path).finish(is_complete=True)
    assert (tmp_path / "campaigns" / "other").exists()


def test_of_two_campaigns_at_once_the_second_keeps_no_journal(tmp_path: Path) -> None:
    first = journal(tmp_path)
    second = journal(tmp_path)
    assert "another campaign of desk:naive is running" in second.note
    second.keep(*DONE[0])
    second.finish(is_complete=True)
    first.keep(*DONE[1])
    first.finish(is_complete=False)
    again = journal(tmp_path)
    assert (again.known(DONE[0][0]), again.known(DONE[1][0])) == (None, DONE[1][1])
    again.finish(is_complete=True)


def test_a_full_disk_ends_the_journal_and_not_the_campaign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = journal(tmp_path)

    def full(_: object, line: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("robotape.journal.Journal.write", full)
    kept.keep(*DONE[0])
    assert kept.note == "the campaign could not be resumed from here: No space left on device"
    kept.keep(*DONE[1])
    kept.finish(is_complete=True)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "campaigns").write_text("in the way")
    with pytest.raises(UnwritableDirectory):
        journal(tmp_path)


def test_the_conditions_follow_the_code_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = code_digest()
    assert conditions_of(0)["code"] == before
    (tmp_path / "some_agent_of_mine.py").write_text("NUMBER = 1\n")
    __import__("some_agent_of_mine")
    with_agent = code_digest()
    (tmp_path / "some_agent_of_mine.py").write_text("NUMBER = 2\n")
    assert len({before, with_agent, code_digest()}) == 3
    monkeypatch.delitem(__import__("sys").modules, "some_agent_of_mine")
    assert code_digest() == before
