"""The doctor's words: the result, the line, the way out; the same facts as JSON."""

import json

import pytest

from robotape_harness.campaign.doctor import Diagnosis, Difference, Source
from robotape_harness.report.diagnosed import ADVICE, diagnosis_json, diagnosis_lines
from robotape_harness.report.lines import plain

DRAWN = (Source("clock", "time.time", "desk.py:3", 2), Source("entropy", "uuid.uuid1", ""))
SOUND = Diagnosis("", "answered", None, 5, DRAWN)
DIFFERENCE = Difference(
    "a second run in the same process",
    "first differing step 4: one in the first run, two in the other",
    Source("identity", "id", "desk.py:11"),
    ("number", "140", "141"),
)
SICK = Diagnosis("", "answered", DIFFERENCE, 2, ())


def told(diagnosis: Diagnosis, width: int = 100) -> str:
    return plain(diagnosis_lines(diagnosis, scenario="desk:sound", seed=7, width=width))


def test_a_deterministic_scenario_is_told_so_with_what_it_drew() -> None:
    text = told(SOUND)
    assert text.startswith("desk:sound  seed 7\n\nDETERMINISTIC  5 runs are the same")
    assert "\n  clock: time.time at desk.py:3, 2 times\n" in text
    assert text.endswith("\n  entropy: uuid.uuid1, once\n")


def test_a_difference_is_told_with_its_line_its_values_and_the_way_out() -> None:
    text = told(SICK)
    assert "\nNOT DETERMINISTIC  it differs from a second run in the same process\n" in text
    assert "\n  drawn    identity: id at desk.py:11\n" in text
    assert "`number` was 140 in the first run, 141 in the other" in text
    assert text.endswith("\nIt drew nothing from clocks or chance.\n")


@pytest.mark.parametrize("cause", ADVICE)
@pytest.mark.parametrize("width", [40, 100])
def test_every_cause_has_a_way_out_that_fits(cause: str, width: int) -> None:
    bare = Difference("another run", "the outcome differs", Source(cause, "", ""), ())
    text = told(Diagnosis("", "answered", bare, 2, ()), width)
    assert ADVICE[cause].split()[0] in text
    assert "unknown" not in text
    assert max(map(len, text.splitlines()[3:])) <= max(width, 70)


def test_the_json_says_the_same() -> None:
    found = json.loads(diagnosis_json(SICK, scenario="desk:sound", seed=7))
    assert found["deterministic"] is False
    assert found["difference"]["source"] == {
        "cause": "identity",
        "call": "id",
        "where": "desk.py:11",
        "times": 1,
    }
    sound = json.loads(diagnosis_json(SOUND, scenario="desk:sound", seed=7))
    assert (sound["deterministic"], sound["difference"], sound["runs"]) == (True, None, 5)
    assert [each["call"] for each in sound["sources"]] == ["time.time", "uuid.uuid1"]
