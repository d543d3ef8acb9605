"""Laws of a finding as text: all of it there and back; damage and other versions are named."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape_harness.campaign.record import FORMAT, dump, parse, record_of
from robotape_harness.faults.case import Case
from robotape_harness.faults.catalogue import possible
from robotape_harness.simulation.choices import Choice
from tests.harness.report import samples

RECORD = record_of(samples.finding(), "agents/désk.py:naïve")
FAULTS = [*possible(samples.SITE), *possible(samples.MODEL)]


@given(
    st.integers(0, 2**70),
    st.lists(st.sampled_from(FAULTS), max_size=4),
    st.none() | st.lists(st.builds(Choice, st.text(), st.just(9), st.integers(0, 8))).map(tuple),
)
def test_any_case_is_read_back_as_it_was_written(
    seed: int, faults: list[Any], choices: tuple[Choice, ...] | None
) -> None:
    record = replace(RECORD, case=Case(seed=seed, faults=tuple(faults), choices=choices))
    assert parse(dump(record)) == record


def test_what_shrinking_came_to_is_in_it() -> None:
    small = replace(RECORD, fingerprint=samples.PAID_TWICE, shrunk=samples.SHRUNK)
    assert parse(dump(small)) == small


@given(st.data())
def test_a_text_that_was_cut_anywhere_is_refused(data: st.DataObject) -> None:
    text = dump(RECORD)
    cut = text[: data.draw(st.integers(0, len(text) - 3))]
    with pytest.raises(ValueError, match="damaged"):
        parse(cut)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("seed", -1, "the seed is -1, and must be a whole number >= 0"),
        ("seed", True, "the seed is True"),
        ("seed", 1.5, "the seed is 1.5"),
        ("seed", "7", "the seed is '7'"),
        ("hash_seed", "-3", "the hash seed is '-3'"),
        ("hash_seed", "4294967296", r"must be a number in \[0, 4294967295\]"),
        ("verdicts", [], "nobody accuses"),
        ("faults", [{"kind": "error"}], "damaged"),
        ("faults", {"kind": 1}, "damaged"),
        ("fingerprint", ["hang"], "damaged"),
        ("shrunk", {"faults": 1}, "damaged"),
        ("choices", {"labels": ["x"], "choices": [0, 2, 5]}, "outside"),
    ],
)
def test_a_value_that_cannot_be_is_named(name: str, value: object, why: str) -> None:
    document = json.loads(dump(RECORD)) | {name: value}
    with pytest.raises(ValueError, match=why):
        parse(json.dumps(document))


def test_a_file_of_another_version_says_what_to_do() -> None:
    document = json.loads(dump(RECORD))
    older = json.dumps(document | {"robotape_finding": FORMAT - 1})
    newer = json.dumps(document | {"robotape_finding": FORMAT + 1})
    with pytest.raises(ValueError, match=f"format {FORMAT - 1}.*make it anew: robotape check"):
        parse(older)
    with pytest.raises(ValueError, match=f"format {FORMAT + 1}.*update robotape"):
        parse(newer)
    for value in (True, "two", None, [2]):
        with pytest.raises(ValueError, match="update robotape"):
            parse(json.dumps(document | {"robotape_finding": value}))


def test_deeply_nested_text_is_refused_as_damaged() -> None:
    with pytest.raises(ValueError, match="damaged"):
        parse("[" * 100_000)
