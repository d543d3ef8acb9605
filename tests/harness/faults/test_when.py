"""When: which attempts a fault strikes is a function of their count, their arguments and chance."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape_harness.faults.when import ODDS, TESTS, When

ARGUMENTS = {
    "order_id": "42",
    "amount": Decimal("30.50"),
    "urgent": True,
    "note": None,
    "day": date(2026, 1, 31),
    "id": UUID(int=7),
    "lines": [{"sku": "a", "count": 2}, {"sku": "b", "count": 1}],
}


def fits(**match: Any) -> bool:
    return When(match=match).fits(ARGUMENTS)


@given(st.integers(1, 6), st.integers(1, 4))
def test_the_nth_and_from_there_each_so_many_th_is_struck(nth: int, every: int) -> None:
    when = When(nth=nth, every=every)
    struck = [count for count in range(1, 40) if when.has_come(count)]
    assert struck == list(range(nth, 40, every))


def test_by_default_everything_fits_and_nobody_is_asked() -> None:
    def choose(n: int) -> int:
        raise AssertionError("asked")

    assert When().fits(ARGUMENTS) and When().fits({})
    assert When().has_come(1) and When().has_come(2)
    assert When().is_drawn(choose)


@pytest.mark.parametrize(
    ("path", "wanted", "expected"),
    [
        ("order_id", "42", True),
        ("order_id", "43", False),
        ("order_id", 42, True),  # a decimal stands on the tape as text, so text may be a number
        ("amount", 30.5, True),
        ("amount", "30.50", True),
        ("urgent", True, True),
        ("urgent", 1, False),
        ("urgent", False, False),
        ("note", None, True),
        ("day", "2026-01-31", True),
        ("id", "00000000-0000-0000-0000-000000000007", True),
        ("lines.0.sku", "a", True),
        ("lines.1.count", 1, True),
        ("lines.2.count", 1, False),
        ("lines.x", 1, False),
        ("lines.0", {"sku": "a", "count": 2}, True),
        ("nothing", None, False),
        ("order_id.deeper", "4", False),
    ],
)
def test_an_argument_is_found_by_its_path_and_compared_as_the_tape_has_it(
    path: str, wanted: Any, expected: bool
) -> None:
    assert fits(**{path: wanted}) is expected


@pytest.mark.parametrize(
    ("name", "yes", "no"),
    [
        ("above", 30, 30.5),
        ("at_least", 30.5, 31),
        ("at_most", 30.5, 30),
        ("below", "30.51", 30.5),
        ("in", [1, 30.5], [1, 2]),
        ("like", "^30", "^31"),
        ("not", 31, 30.5),
    ],
)
def test_every_test_can_hold_and_can_fail(name: str, yes: Any, no: Any) -> None:
    assert fits(amount={name: yes}) and not fits(amount={name: no})


def test_all_tests_are_covered_above_and_all_paths_must_hold() -> None:
    assert list(TESTS) == ["above", "at_least", "at_most", "below", "in", "like", "not"]
    assert fits(amount={"above": 1}, order_id="42")
    assert not fits(amount={"above": 1}, order_id="43")


@pytest.mark.parametrize("test", [{"above": 0}, {"below": 2}, {"like": "T"}])
def test_what_is_no_number_or_no_text_passes_no_such_test(test: dict[str, Any]) -> None:
    assert not fits(urgent=test)
    assert not fits(note=test)


@pytest.mark.parametrize("chance", [0.001, 0.25, 0.5, 0.999])
def test_a_chance_is_as_likely_as_it_says_and_the_benign_answer_spares(chance: float) -> None:
    when = When(chance=chance)
    asked: list[int] = []

    def answering(answer: int) -> Callable[[int], int]:
        def choose(n: int) -> int:
            asked.append(n)
            return answer

        return choose

    struck = [answer for answer in range(ODDS) if when.is_drawn(answering(answer))]
    assert len(struck) == round(chance * ODDS)
    assert 0 not in struck
    assert asked == [ODDS] * ODDS


@pytest.mark.parametrize(
    ("options", "phrase"),
    [
        ({"nth": 0}, "count from 1"),
        ({"every": 0}, "count from 1"),
        ({"chance": 0.0}, "a chance lies in"),
        ({"chance": 1.5}, "a chance lies in"),
        ({"chance": float("nan")}, "a chance lies in"),
        ({"match": {"": 1}}, "no path"),
        ({"match": {"a..b": 1}}, "no path"),
        ({"match": {"a": {"above": "much"}}}, "a: above wants a number"),
        ({"match": {"a": {"in": "abc"}}}, "a: in wants a list"),
        ({"match": {"a": {"like": "("}}}, "a: like wants a regular expression"),
        ({"match": {"a": {"like": 3}}}, "a: like wants a regular expression"),
    ],
)
def test_what_makes_no_sense_is_refused_and_named(options: dict[str, Any], phrase: str) -> None:
    with pytest.raises(ValueError, match=phrase):
        When(**options)


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (When(), ""),
        (When(nth=2), ", after 1 other"),
        (When(nth=3, every=2), ", after 2 others, 1 in 2"),
        (When(match={"a.b": 1, "c": {"at_least": 5}}), ", where a.b is 1 and c at least 5"),
        (When(chance=0.25), ", with a chance of 0.25"),
    ],
)
def test_what_is_unusual_is_told(when: When, text: str) -> None:
    assert str(when) == text
