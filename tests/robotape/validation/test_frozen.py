"""Laws of containers that refuse to change."""

import copy
import json
import pickle
from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel, ConfigDict

from robotape.validation import FrozenDict, FrozenList, FrozenSet, freeze


class Note(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)

    notes: dict[str, list[int]] = {}


@dataclass(frozen=True, slots=True)
class Spot:
    x: float
    path: list[int] = field(default_factory=list)


class Pair(NamedTuple):
    left: list[int]
    right: int


Case = tuple[Any, str, tuple[Any, ...]]


def _each(value: Any, *calls: tuple[str, tuple[Any, ...]]) -> list[Case]:
    return [(value, name, args) for name, args in calls]


MUTATORS: list[Case] = [
    *_each([3, 1],
        ("append", (1,)), ("extend", ([1],)), ("insert", (0, 1)), ("pop", ()), ("remove", (3,)),
        ("clear", ()), ("sort", ()), ("reverse", ()), ("__setitem__", (0, 1)), ("__imul__", (2,)),
        ("__delitem__", (0,)), ("__iadd__", ([1],)), ("__init__", ([1],)),
    ),
    *_each({"a": 1},
        ("__setitem__", ("a", 2)), ("__delitem__", ("a",)), ("clear", ()), ("pop", ("a",)),
        ("popitem", ()), ("setdefault", ("b", 1)), ("update", ({},)), ("__ior__", ({},)),
        ("__init__", ({},)),
    ),
    *_each({1, 2},
        ("add", (3,)), ("discard", (1,)), ("remove", (1,)), ("pop", ()), ("clear", ()),
        ("update", ({3},)), ("intersection_update", ({1},)), ("difference_update", ({1},)),
        ("symmetric_difference_update", ({1},)), ("__ior__", ({3},)), ("__iand__", ({1},)),
        ("__isub__", ({1},)), ("__ixor__", ({1},)), ("__init__", ({3},)),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("value", "name", "args"), MUTATORS)
def test_every_mutator_is_refused(value: Any, name: str, args: tuple[Any, ...]) -> None:
    frozen = freeze(copy.copy(value))
    with pytest.raises(TypeError, match="frozen, so that what was judged is what runs"):
        getattr(frozen, name)(*args)
    assert frozen == value
    getattr(copy.copy(frozen), name)(*args)  # the control: on a copy it works


@pytest.mark.parametrize("kind", [list, dict, set])
def test_control_no_mutator_is_forgotten(kind: type) -> None:
    readers = {
        "copy", "count", "index", "fromkeys", "get", "items", "keys", "values", "difference",
        "intersection", "isdisjoint", "issubset", "issuperset", "symmetric_difference", "union",
    }  # fmt: skip
    tested = {name for value, name, _ in MUTATORS if type(value) is kind}
    assert {name for name in dir(kind) if not name.startswith("_")} - readers <= tested
    in_place = {
        name for name in dir(kind) if name.startswith("__i") and hasattr(object, name) is False
    }
    assert in_place - {"__iter__"} <= tested


@pytest.mark.parametrize("value", [[1, [2]], {"a": {"b": [1]}}, {"b", "a"}, frozenset({"b", "a"})])
def test_frozen_containers_are_what_they_were(value: Any) -> None:
    frozen = freeze(value)
    assert frozen == value
    assert isinstance(frozen, type(value))
    assert freeze(frozen) is frozen
    assert pickle.loads(pickle.dumps(frozen)) == value
    assert type(pickle.loads(pickle.dumps(frozen))) is type(frozen)
    assert copy.deepcopy(frozen) == value
    if not isinstance(value, set | frozenset):
        assert json.dumps(frozen) == json.dumps(value)
        assert type(copy.deepcopy(frozen)) is type(value)


def test_what_holds_containers_is_kept_and_they_are_frozen_in_place() -> None:
    model = Note.model_validate({"notes": {"a": [1]}, "more": [2]})
    spot, pair = Spot(1.0, [2]), Pair([1], 2)
    frozen = freeze([model, spot, (1, [2]), pair, deque([[3]]), bytearray(b"x")])
    assert frozen[0] is model
    assert frozen[1] is spot
    assert isinstance(frozen[3], Pair)
    for held in (
        model.notes["a"],
        spot.path,
        frozen[2][1],
        frozen[3].left,
        frozen[4],
        frozen[4][0],
    ):
        assert type(held) is FrozenList
    assert type(model.notes) is FrozenDict
    assert frozen[5] == b"x"
    assert model.model_copy(deep=True).notes == {"a": [1]}


def test_frozen_sets_hold_one_order() -> None:
    assert list(freeze({"b", "a", "c"})) == ["a", "b", "c"]
    assert type(freeze({"b", "a"})) is FrozenSet
