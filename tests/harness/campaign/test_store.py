"""Laws of findings as files: exact there and back, whole or not at all, errors that help."""

import json
import os
import resource
from dataclasses import replace
from pathlib import Path

import pytest

from robotape_harness.campaign.engine import run_campaign
from robotape_harness.campaign.record import FORMAT, record_of
from robotape_harness.campaign.store import (
    AmbiguousFinding,
    FindingFormatError,
    FindingNotFound,
    UnwritableDirectory,
    check_writable,
    load,
    save,
    stored,
)
from robotape_harness.faults.case import Case
from robotape_harness.simulation.choices import Choices
from robotape_harness.simulation.trial import simulate
from tests.harness.oracles.planted import doing, pay_42, paying

TARGET = "agents/désk.py:naïve"
SCENARIO = doing(pay_42, paying())
FINDINGS = run_campaign(SCENARIO).findings
FINDING = FINDINGS[0]


def test_what_is_loaded_is_what_was_saved(tmp_path: Path) -> None:
    for found in FINDINGS:
        save(found, tmp_path / "deep/er", TARGET)
        assert load(tmp_path / "deep/er", found.id) == record_of(found, TARGET)
    assert stored(tmp_path / "deep/er") == tuple(sorted(found.id for found in FINDINGS))


def test_choices_without_a_fault_survive(tmp_path: Path) -> None:
    trial = simulate(SCENARIO, choices=Choices.seeded(3))
    trial.choices.choose("schedule", 7)
    found = replace(FINDING, case=Case(choices=trial.choices.recorded), trial=trial)
    save(found, tmp_path, TARGET)
    record = load(tmp_path, found.id)
    assert record.case == found.case
    assert record.case.choices


def test_the_hash_seed_is_kept_as_it_was_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for value in ("7", None):
        if value is None:
            monkeypatch.delenv("PYTHONHASHSEED", raising=False)
        else:
            monkeypatch.setenv("PYTHONHASHSEED", value)
        save(FINDING, tmp_path, TARGET)
        assert load(tmp_path, FINDING.id).hash_seed == value


def test_the_same_finding_gives_the_same_file(tmp_path: Path) -> None:
    first = save(FINDING, tmp_path / "a", TARGET).read_bytes()
    assert save(FINDING, tmp_path / "b", TARGET).read_bytes() == first
    assert str(tmp_path).encode() not in first


def test_a_prefix_will_do_as_long_as_it_is_the_only_one(tmp_path: Path) -> None:
    for name in ("abc1234567", "abd1234567"):
        save(replace(FINDING, id=name), tmp_path, TARGET)
    assert load(tmp_path, "abc").id == "abc1234567"
    with pytest.raises(AmbiguousFinding) as caught:
        load(tmp_path, "ab")
    assert caught.value.matches == ("abc1234567", "abd1234567")


def test_an_id_that_is_the_beginning_of_another_is_found(tmp_path: Path) -> None:
    for name in ("abc", "abc1234567"):
        save(replace(FINDING, id=name), tmp_path, TARGET)
    assert load(tmp_path, "abc").id == "abc"


@pytest.mark.parametrize("asked", ["ffffffffff", "", "../etc"])
def test_an_unknown_id_lists_the_known_ones(asked: str, tmp_path: Path) -> None:
    save(FINDING, tmp_path, TARGET)
    with pytest.raises(FindingNotFound, match=f"there are: {FINDING.id}") as caught:
        load(tmp_path, asked)
    assert caught.value.known == (FINDING.id,)
    with pytest.raises(FindingNotFound, match="there is none yet"):
        load(tmp_path / "nowhere", asked)


def damaged(text: str) -> dict[str, str]:
    """Ways in which a file can be wrong."""
    document = json.loads(text)
    without = {key: value for key, value in document.items() if key != "tape"}
    return {
        "empty": "",
        "cut": text[: len(text) // 2],
        "another document": "[]",
        "a part is missing": json.dumps(without),
        "a part is something else": json.dumps({**document, "faults": 3}),
        "verdicts are something else": json.dumps({**document, "verdicts": [None]}),
        "choices are damaged": json.dumps({**document, "choices": {"labels": []}}),
    }


@pytest.mark.parametrize("way", damaged('{"tape": 1}'))
def test_a_damaged_file_is_named(way: str, tmp_path: Path) -> None:
    path = save(FINDING, tmp_path, TARGET)
    path.write_text(damaged(path.read_text("utf-8"))[way], "utf-8")
    with pytest.raises(FindingFormatError, match="damaged") as caught:
        load(tmp_path, FINDING.id)
    assert caught.value.path == str(path)


def test_a_file_that_is_not_text_is_damaged(tmp_path: Path) -> None:
    save(FINDING, tmp_path, TARGET).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FindingFormatError):
        load(tmp_path, FINDING.id)


def test_a_newer_format_says_what_to_do(tmp_path: Path) -> None:
    path = save(FINDING, tmp_path, TARGET)
    path.write_text(json.dumps({"robotape_finding": FORMAT + 1, "whatever": 1}), "utf-8")
    with pytest.raises(FindingFormatError, match="update robotape"):
        load(tmp_path, FINDING.id)


def test_a_write_that_fails_leaves_the_old_file_and_no_scrap(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = save(FINDING, tmp_path, TARGET)
    before = path.read_bytes()

    def fail(self: Path, target: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(UnwritableDirectory, match="No space left on device"):
        save(FINDING, tmp_path, "another target")
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


def test_a_disk_that_is_full_at_any_byte_leaves_the_old_file_and_no_scrap(tmp_path: Path) -> None:
    """The limit on the size of a file fails a write half way, as a full disk does."""
    path = save(FINDING, tmp_path, TARGET)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for room in range(0, len(before), 97):
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
            with pytest.raises(UnwritableDirectory, match="choose another folder"):
                save(FINDING, tmp_path, "another target")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert path.read_bytes() == before
        assert os.listdir(tmp_path) == [path.name]
    save(FINDING, tmp_path, TARGET)  # control: with room enough it is written


@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
def test_ctrl_c_in_the_middle_of_a_write_leaves_the_old_file_and_no_scrap(
    step: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = save(FINDING, tmp_path, TARGET)
    before = path.read_bytes()

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os if step == "fsync" else Path, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        save(FINDING, tmp_path, "another target")
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


def test_a_folder_that_cannot_be_written_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file/findings"):
        with pytest.raises(UnwritableDirectory, match="choose another folder") as caught:
            check_writable(folder)
        assert caught.value.path == str(folder)
        with pytest.raises(UnwritableDirectory):
            save(FINDING, folder, TARGET)


def test_control_a_folder_that_can_be_made_passes_and_is_not_made(tmp_path: Path) -> None:
    check_writable(tmp_path / "deep/er")
    check_writable(tmp_path)
    assert os.listdir(tmp_path) == []
