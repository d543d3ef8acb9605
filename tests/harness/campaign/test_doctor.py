"""The doctor names the line that drew from where it must not, and accuses no other."""

from pathlib import Path

import pytest

from robotape_harness.campaign.doctor import Diagnosis, examine
from robotape_harness.target import opened
from tests.harness.campaign.clinic import CLINIC, line_of

SICK = {
    "identity": ("identity", "id", 'f"parcel {id(parcel)}"'),
    "repr": ("identity", "an address in the text of an object without a repr", 'f"sent {parcel}"'),
    "hash_order": ("hash order", "", "first = list(tags)"),
    "a_hash": ("hash order", "hash", "hash('order')"),
    "real_time": ("clock", "time.time", "now = time.time()"),
    "real_entropy": ("entropy", "random.random", "token = random.random()"),
    "cpu_time": ("clock", "time.process_time", "time.process_time()"),
    "a_generator": (
        "entropy",
        "clinic.RNG, a generator made before the run",
        "drawn = RNG.random()",
    ),
    "a_global": ("unknown", "", "number = next(COUNT)"),
    "the_process": ("process", "os.getpid", "os.getpid()"),
}


@pytest.fixture(autouse=True)
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("clinic.py").write_text(CLINIC)


def examined(name: str, seed: int = 0) -> Diagnosis:
    target = f"clinic.py:{name}"
    with opened(target) as scenario:
        return examine(scenario, target, seed=seed)


@pytest.mark.parametrize("name", SICK)
def test_the_line_that_drew_is_named(name: str) -> None:
    cause, call, text = SICK[name]
    difference = examined(name).difference
    assert difference is not None
    source = difference.source
    assert (source.cause, source.call) == (cause, call)
    assert source.where == f"clinic.py:{line_of(text)}"
    assert difference.event.startswith("first differing step 4: 4 observation of post")
    assert len(set(difference.values[1:])) == 2


@pytest.mark.parametrize("name", ["virtual_time", "nothing"])
def test_control_what_is_deterministic_is_found_so(name: str) -> None:
    diagnosis = examined(name, seed=7)
    assert diagnosis.difference is None
    assert diagnosis.trouble == ""
    assert diagnosis.runs >= 5  # two here, three under other hash seeds


def test_what_was_drawn_is_told_although_it_is_virtual() -> None:
    line = line_of("{time.time()} {random.random()}")
    assert {(each.call, each.where, each.times) for each in examined("virtual_time").sources} == {
        ("time.time", f"clinic.py:{line}", 1),
        ("random.random", f"clinic.py:{line}", 1),
    }
    assert examined("nothing").sources == ()


def test_a_branch_taken_differently_is_no_reason_to_fall() -> None:
    difference = examined("a_branch").difference
    assert difference is not None
    assert difference.source.cause == "unknown"


def test_hash_seeds_are_looked_at_only_where_the_process_itself_is_the_same() -> None:
    difference = examined("real_time").difference
    assert difference is not None
    assert difference.other == "a second run in the same process"
    difference = examined("hash_order").difference
    assert difference is not None
    assert difference.other.startswith("a run in a fresh process under PYTHONHASHSEED=")


def test_a_scenario_at_fault_is_not_examined() -> None:
    Path("clinic.py").write_text(CLINIC.replace('return "as ever"', "raise SystemExit"))
    diagnosis = examined("nothing")
    assert diagnosis.trouble.startswith("the scenario itself is at fault")
    assert (diagnosis.difference, diagnosis.runs) == (None, 1)
