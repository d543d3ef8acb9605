"""Kept values: what one caller does to an answer, no other caller sees."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape.cache.values import keep


class Thing:
    pass


THING = Thing()
VALUES: list[Any] = [
    {"a": [1, {"b": (2, [3])}], "c": {1, 2}}, [THING, [THING]], ({"a": THING},), {THING: [1]},
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
def test_each_caller_has_containers_of_its_own(value: Any) -> None:
    give = keep(value)
    one, other = give(), give()
    assert one == other == value
    assert one is not other
    assert type(one) is type(value)


def test_what_a_caller_does_to_an_answer_stays_with_it() -> None:
    original: dict[str, Any] = {"inner": [1]}
    give = keep(original)
    original["inner"].append("by the maker")
    give()["inner"].append("by a caller")
    assert give() == {"inner": [1]}


def test_also_around_objects_that_cannot_be_copied() -> None:
    original = [THING, [1]]
    give = keep(original)
    original.append(2)
    give().append(3)
    assert give() == [THING, [1]]
    assert give()[0] is THING


def test_control_an_object_is_handed_out_as_it_is() -> None:
    assert keep(THING)() is THING


ATOMS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
NESTED = st.recursive(
    ATOMS | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(ATOMS, inner) | st.tuples(inner),
)


@given(NESTED)
def test_types_and_order_are_kept(value: Any) -> None:
    assert repr(keep(value)()) == repr(value)


def test_a_buffer_among_plain_values_stays_what_it_is() -> None:
    [given] = keep([bytearray(b"x")])()
    assert type(given) is bytearray


def test_a_value_in_itself_stays_so() -> None:
    ring: list[Any] = [THING]
    ring.append(ring)
    given = keep(ring)()
    assert given[1] is given
    assert given is not ring
