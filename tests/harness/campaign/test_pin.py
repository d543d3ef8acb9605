"""Laws of pinning: the file is valid Python, keeps what stood in it, and is never another's."""

import ast
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape_harness.campaign.pin import PinError, name_of, pinned_test, place_for, write_pin
from robotape_harness.campaign.pinned import pin_of
from robotape_harness.campaign.record import FindingRecord, record_of
from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Fault
from robotape_harness.simulation.choices import Choice
from tests.harness.report import samples

RECORD = record_of(samples.finding(), "desk.py:naive")
FILE = Path("tests/test_regressions.py")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(record: FindingRecord = RECORD, path: Path = FILE, **more: str) -> bool:
    pin = pin_of(record.case, ["duplicate_side_effect"])
    return write_pin(record, pin, path, **more)


def test_the_file_is_a_test_that_names_target_fault_and_guard() -> None:
    assert write()
    text = FILE.read_text()
    [test] = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    assert test.name == name_of(RECORD) == "test_duplicate_side_effect_at_tool_refund_1_3fa9c1d2e4"
    assert '"desk.py:naive",' in text
    assert "ROOT = Path(__file__).resolve().parents[1]\n" in text
    assert 'oracles=["duplicate_side_effect"],' in text
    assert 'pinned.fault("timeout", at="tool:refund#1", phase="after_commit", mode="once"),' in text
    assert os.getcwd() not in text


def test_a_second_pin_is_added_below_and_the_first_stays_as_it_is() -> None:
    write()
    FILE.write_text(f"{FILE.read_text()}\n\ndef helper() -> None:\n    pass\n")
    before = FILE.read_text()
    other = replace(RECORD, id="88aa01b2c3")
    assert write(other)
    after = FILE.read_text()
    assert after.startswith(before.rstrip("\n"))
    assert [n.name for n in ast.parse(after).body if isinstance(n, ast.FunctionDef)] == [
        name_of(RECORD),
        "helper",
        name_of(other),
    ]


def test_pinning_again_changes_nothing() -> None:
    write()
    edited = FILE.read_text().replace("happened twice", "was paid twice")
    FILE.write_text(edited)
    assert not write()
    assert FILE.read_text() == edited


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("def test_mine():\n    assert True\n", "was not begun by `robotape pin`"),
        ('"""Mine."""\n', "was not begun by `robotape pin`"),
        ("def broken(:\n", "is not valid Python"),
        ("\0", "is not valid Python"),
    ],
)
def test_a_file_of_somebody_elses_is_not_touched(text: str, why: str) -> None:
    FILE.parent.mkdir()
    FILE.write_text(text)
    with pytest.raises(PinError, match=f"{why}.*--to"):
        write()
    assert FILE.read_text() == text


def test_a_file_that_is_not_text_is_not_touched() -> None:
    FILE.parent.mkdir()
    FILE.write_bytes(b"\xff\xfe")
    with pytest.raises(PinError, match="cannot read"):
        write()


def test_a_place_that_takes_no_file_is_named(folder: Path) -> None:
    (folder / "tests").write_text("a file")
    with pytest.raises(PinError, match=r"cannot write tests/test_regressions\.py.*--to"):
        write()


def test_a_write_that_fails_leaves_the_old_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write()
    before = FILE.read_text()

    def full(self: Path, target: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(PinError, match="No space left on device"):
        write(replace(RECORD, id="88aa01b2c3"))
    assert FILE.read_text() == before
    assert os.listdir("tests") == [FILE.name]


def test_a_file_outside_of_where_the_target_is_seen_from_is_refused(folder: Path) -> None:
    with pytest.raises(PinError, match="outside this folder"):
        write(path=folder.parent / "test_elsewhere.py")


@pytest.mark.parametrize(("depth", "path"), [(0, "test_x.py"), (3, "a/b/c/test_x.py")])
def test_the_root_is_where_the_target_is_seen_from(depth: int, path: str) -> None:
    write(path=Path(path))
    assert f"resolve().parents[{depth}]" in Path(path).read_text()


def test_where_no_place_is_given_it_is_beside_the_other_tests(folder: Path) -> None:
    assert place_for(None) == Path("test_regressions.py")
    (folder / "tests").mkdir()
    assert place_for(None) == FILE
    assert place_for("qa") == Path("qa/test_regressions.py")
    assert place_for("qa/test_bugs.py") == Path("qa/test_bugs.py")


def test_what_a_run_depends_on_beside_its_faults_is_written_down() -> None:
    case = Case(seed=7, choices=(Choice("schedule:on", 3, 0), Choice("schedule:on", 3, 2)))
    record = replace(RECORD, case=case)
    text = pinned_test(record, pin_of(case, ["hang"]), hash_seed="3")
    assert "seed=7," in text
    assert 'hash_seed="3",' in text
    assert '("schedule:on", 1, 2),' in text
    assert "faults=" not in text
    assert name_of(record) == "test_duplicate_side_effect_at_this_schedule_3fa9c1d2e4"


@given(st.text(), st.text(), st.text(min_size=1))
def test_whatever_was_said_the_test_is_valid_python(why: str, target: str, word: str) -> None:
    [verdict] = RECORD.verdicts
    fault = Fault("timeout", samples.SITE, "after_commit", "once", {"text": word, "seconds": 1.5})
    record = replace(
        RECORD,
        target=target,
        verdicts=(replace(verdict, why=why),),
        case=Case(faults=(fault,)),
    )
    text = pinned_test(record, pin_of(record.case, ["hang"]))
    [test] = ast.parse(text).body
    assert isinstance(test, ast.FunctionDef)
    [_, checked] = test.body
    assert isinstance(checked, ast.Expr)
    assert isinstance(checked.value, ast.Call)
    assert ast.literal_eval(checked.value.args[0]) == target
