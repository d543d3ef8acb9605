"""Keys: equal for equal questions, different for all others, and nothing to be read from them."""

import gc
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from robotape.cache.keys import Identities, Parameters, canonical, digest, stable_name
from robotape.secrets import Secret

CANARY = "sk-canary-0123456789"


class Colour(Enum):
    RED = 1


class Level(IntEnum):
    LOW = 1


class Model(BaseModel):
    x: Any


@dataclass
class Data:
    x: Any


@dataclass
class Other:
    x: Any


DIFFERENT: list[Any] = [
    None, True, False, 1, 1.0, "1", b"1", bytearray(b"1"), Decimal("1"), Decimal("1.0"), 0,
    0.0, -0.0,
    float("inf"), float("-inf"), float("nan"), "nan", "inf", 1j, 2**70, hex(2**70), -(2**70),
    [], (), {}, set(), "", [1], (1,), {1}, [[1]], ["list"], ["list", 1], [1, [1]],
    {"1": 1}, {1: 1}, {"1": "1"}, {"a": 1, "b": 2}, [["a", 1], ["b", 2]], range(1), range(2),
    Colour.RED, Level.LOW, Model(x=1), Model(x=1.0), Data(1), Other(1), Data(True), {"x": 1},
    date(2026, 1, 1), datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01",
    time(1), timedelta(1), UUID(int=1), str(UUID(int=1)), Path("a"), "a", SecretStr("a"),
    "\ud800", "\\ud800", Secret("a"),
]  # fmt: skip


def test_no_two_different_values_have_one_key() -> None:
    told = [json.dumps(canonical(value)) for value in DIFFERENT]
    twice = {text for text in told if told.count(text) > 1}
    assert not twice
    assert len({digest(canonical(value)) for value in DIFFERENT}) == len(DIFFERENT)


def test_the_order_of_keys_and_members_does_not_count() -> None:
    assert canonical({"a": 1, "b": 2}) == canonical({"b": 2, "a": 1})
    assert canonical({"x", "y", 1}) == canonical({1, "y", "x"})
    assert canonical(frozenset({1})) == canonical({1})


def test_control_the_order_of_items_counts() -> None:
    assert canonical([1, 2]) != canonical([2, 1])


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=8,
)


@given(PLAIN, PLAIN)
def test_equal_keys_mean_equal_values(one: Any, other: Any) -> None:
    if digest(canonical(one)) == digest(canonical(other)):
        assert repr(one) == repr(other) or one == other
    assert canonical(one) == canonical(one)


class Opaque:
    pass


@pytest.mark.parametrize("value", [Opaque(), object(), [Opaque()], {"a": Opaque()}, len, Opaque])
def test_what_cannot_be_told_by_its_value_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="cannot be told from another by its value"):
        canonical(value)


def test_a_value_in_itself_is_refused() -> None:
    ring: list[Any] = []
    ring.append(ring)
    with pytest.raises(TypeError, match="nested deeper than 100"):
        canonical(ring)


def test_a_key_shows_nothing_of_the_question() -> None:
    key = digest(canonical(["me", CANARY, SecretStr(CANARY), {"token": CANARY}]))
    assert re.fullmatch(r"[0-9a-f]{64}", key)


def test_different_secrets_have_different_keys() -> None:
    assert canonical(SecretStr("a")) != canonical(SecretStr("b"))
    assert canonical(Secret(CANARY)) != canonical(Secret(CANARY + "x"))


def test_the_same_key_in_every_process() -> None:
    code = (
        "from robotape.cache.keys import *; "
        "print(digest(canonical([{'b': {1, 'x', 2.5}, 'a': (None, True)}, 'ü'])))"
    )
    keys = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(keys) == 1


# -- parameters ------------------------------------------------------------------------------------


async def ask(a: int, /, b: Any, *rest: int, c: str = "c", **more: Any) -> None: ...


def material(*args: Any, **named: Any) -> list[Any]:
    return Parameters(ask, "ask").material(args, named)


def test_arguments_go_by_name_with_defaults_filled_in() -> None:
    assert material(1, 2) == material(1, b=2) == material(1, 2, c="c")


def test_control_other_arguments_are_told_apart() -> None:
    assert material(1, 2) != material(2, 1)
    assert material(1, 2, 3) != material(1, 2, 4)
    assert material(1, 2, d=3) != material(1, 2, e=3)


@pytest.mark.parametrize(
    ("args", "named", "name"),
    [((1, Opaque()), {}, "b"), ((1, 2, Opaque()), {}, "rest"), ((1, 2), {"x": Opaque()}, "more")],
)
def test_the_parameter_that_cannot_be_a_key_is_named(
    args: tuple[Any, ...], named: dict[str, Any], name: str
) -> None:
    with pytest.raises(TypeError, match=f"ask is cached: its parameter {name} was given .*Opaque"):
        material(*args, **named)


def test_arguments_that_do_not_fit_are_refused_as_by_the_function() -> None:
    with pytest.raises(TypeError, match="missing a required argument: 'a'"):
        material()


# -- names and identities --------------------------------------------------------------------------


def test_a_function_of_a_module_has_a_stable_name() -> None:
    assert stable_name(ask).endswith("test_keys.ask")


def made_inside() -> Callable[[], None]:
    return lambda: None


@pytest.mark.parametrize("function", [made_inside(), [].append, Opaque()])
def test_what_the_next_process_cannot_recognise_has_no_stable_name(function: Any) -> None:
    with pytest.raises(ValueError, match="cannot be told from its siblings"):
        stable_name(function)


def test_an_identity_lasts_as_long_as_its_object_and_is_never_given_again() -> None:
    identities = Identities()
    seen = set()
    for _ in range(50):
        subject = Opaque()
        number = identities.number(subject)
        assert identities.number(subject) == number
        seen.add(number)
        del subject
    gc.collect()
    assert len(seen) == 50
    assert not identities._known


def test_equal_objects_are_not_the_same_object() -> None:
    one, other = Data(1), Data(1)
    identities = Identities()
    assert identities.number(one) != identities.number(other)


def test_what_cannot_be_referred_to_weakly_is_held_only_on_request() -> None:
    identities = Identities()
    with pytest.raises(TypeError, match="cannot be told apart without keeping them alive"):
        identities.number([1])
    held = [1]
    assert identities.number(held, hold=True) == identities.number(held, hold=True)
