"""Single values: durations are ISO 8601, UUIDs have their version, members are JSON."""

from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from robotape_harness.properties.scalars import duration, members, needs_asking, uuid_of
from tests.harness.properties.kinds import Colour, Level


@given(st.timedeltas(timedelta(days=-9999), timedelta(days=9999)))
def test_a_duration_is_read_back_as_it_was(value: timedelta) -> None:
    assert TypeAdapter(timedelta).validate_json(f'"{duration(value)}"') == value


@given(st.integers(0, (1 << 128) - 1), st.integers(1, 8))
def test_a_uuid_has_its_version(bits: int, version: int) -> None:
    assert uuid_of(bits, version).version == version
    assert uuid_of(bits, None) == UUID(int=bits)


def test_members_are_json() -> None:
    assert members({"type": "literal", "expected": ["a", Level.LOW, None]}) == ["a", 1, None]
    assert members({"type": "enum", "members": list(Colour)}) == ["red", "blue"]


def test_only_rules_that_cannot_be_inverted_are_asked() -> None:
    assert needs_asking({"type": "str", "pattern": "a"})
    assert not needs_asking({"type": "str", "min_length": 3})
