"""Conditions are values: equal, printable, picklable; what cannot be judged raises."""

import math
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape.policy import (
    Condition,
    Policy,
    above,
    allow,
    at_least,
    at_most,
    below,
    between,
    deny,
    each,
    length,
    matching,
    none_of,
    one_of,
)

WORDS = [
    (at_most(100), "a <= 100", 100, 101),
    (at_least(Decimal("0.5")), "a >= 0.5", Decimal("0.5"), Decimal("0.49")),
    (below(date(2026, 1, 1)), "a < 2026-01-01", date(2025, 12, 31), date(2026, 1, 1)),
    (above(1), "a > 1", 2, 1),
    (between(1, 3), "1 <= a <= 3", 3, 4),
    (one_of("EUR", "CHF"), "a one of 'CHF', 'EUR'", "EUR", "eur"),
    (one_of(1), "a one of 1", 1, True),
    (one_of(True), "a one of True", True, 1),
    (none_of("x"), "a none of 'x'", "X", "x"),
    (matching("[a-z]+"), "a matches '[a-z]+'", "abc", "abc\n"),
    (each(below(3)), "each of a < 3", [1, 2], [1, 3]),
    (length(at_most(2)), "len(a) <= 2", "ab", "abc"),
]


@pytest.mark.parametrize(("condition", "words", "inside", "outside"), WORDS)
def test_a_condition_holds_prints_and_travels(
    condition: Condition, words: str, inside: Any, outside: Any
) -> None:
    assert condition(inside) is True
    assert condition(outside) is False
    assert condition.about("a") == words
    assert str(condition) == condition.about("it")
    again = pickle.loads(pickle.dumps(condition))
    assert again == condition
    assert hash(again) == hash(condition)
    assert (again(inside), again(outside)) == (True, False)
    held: Any = condition
    with pytest.raises(FrozenInstanceError):
        setattr(held, fields(held)[0].name, 5)


def test_conditions_that_differ_are_not_equal() -> None:
    conditions = [condition for condition, *_ in WORDS]
    assert len(set(conditions)) == len(conditions)
    assert one_of("a", "b") == one_of("b", "a", "b")
    assert one_of("a") != none_of("a")


@pytest.mark.parametrize("make", [at_most, at_least, below, above, lambda n: between(n, n)])
@given(bound=st.integers(-5, 5), value=st.integers(-5, 5))
def test_bounds_are_where_they_say(
    make: Callable[[Any], Condition], bound: int, value: int
) -> None:
    said = make(bound).about("value")
    assert make(bound)(value) is eval(said, {"value": value})


@pytest.mark.parametrize("make", [at_most, at_least, below, above, lambda n: between(0, n)])
@pytest.mark.parametrize("odd", [math.nan, Decimal("nan"), Decimal("snan"), True])
def test_what_has_no_order_opens_no_door(make: Callable[[Any], Condition], odd: Any) -> None:
    for rule in (allow, deny):
        policy = Policy(allow("*", "*"), rule("*", "pay", amount=make(100)))
        decision = policy.decide(None, "pay", {"amount": odd})
        assert not decision.allowed
        assert "could not be judged" in decision.reason
    with pytest.raises((TypeError, ValueError, ArithmeticError)):
        make(odd)


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        (at_most(1), "1"),
        (between(1, 2), None),
        (matching("a"), b"a"),
        (matching("a"), 1),
        (each(at_most(1)), "11"),
        (each(at_most(1)), 1),
        (each(at_most(1)), ["a"]),
        (length(at_most(1)), 1),
    ],
)
def test_another_type_denies(condition: Condition, value: Any) -> None:
    policy = Policy(allow("*", "*"), deny("*", "pay", a=condition))
    assert not policy.decide(None, "pay", {"a": value}).allowed


def test_an_item_that_cannot_be_judged_is_not_passed_over() -> None:
    policy = Policy(allow("*", "*"), deny("*", "pay", a=each(at_most(1))))
    assert not policy.decide(None, "pay", {"a": [2, "x"]}).allowed


@pytest.mark.parametrize(
    "make", [one_of, none_of, lambda: between(2, 1), lambda: between("a", "A")]
)
def test_a_condition_that_nothing_meets_is_refused(make: Callable[[], Condition]) -> None:
    with pytest.raises(ValueError, match=r"name one value|nothing lies between"):
        make()
