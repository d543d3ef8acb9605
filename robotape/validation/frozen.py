"""Containers that refuse to change, so that what the policy judged is what the body gets.

They hold still; an object of a user's own class inside is not looked into.
"""

import copy
import dataclasses
from collections import deque
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, NoReturn
from uuid import UUID

from pydantic import BaseModel
from pydantic_core import to_json

__all__ = ["FrozenDict", "FrozenList", "FrozenSet", "freeze", "frozen_dict", "is_inert"]


def _refuse(self: object, *args: object, **kwargs: object) -> NoReturn:
    plain = type(self).__mro__[1].__name__
    raise TypeError(
        "a tool's arguments are frozen, so that what was judged is what runs; "
        f"work on a copy: {plain}(value)"
    )


class FrozenList(list[Any]):
    """A list that refuses to change; made by `freeze` alone, copied into a plain list."""

    __slots__ = ()

    __init__ = _refuse
    __setitem__ = _refuse
    __delitem__ = _refuse
    __iadd__ = _refuse
    __imul__ = _refuse
    append = _refuse
    clear = _refuse
    extend = _refuse
    insert = _refuse
    pop = _refuse
    remove = _refuse
    reverse = _refuse
    sort = _refuse

    def __copy__(self) -> list[Any]:
        return list(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        return copy.deepcopy(list(self), memo)

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return freeze, (list(self),)


class FrozenDict(dict[Any, Any]):
    """A dict that refuses to change; made by `freeze` alone, copied into a plain dict."""

    __slots__ = ()

    __init__ = _refuse
    __setitem__ = _refuse
    __delitem__ = _refuse
    __ior__ = _refuse
    clear = _refuse
    pop = _refuse
    popitem = _refuse
    setdefault = _refuse
    update = _refuse

    def __copy__(self) -> dict[Any, Any]:
        return dict(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[Any, Any]:
        return copy.deepcopy(dict(self), memo)

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return freeze, (dict(self),)


class FrozenSet(set[Any]):
    """A set that refuses to change; made by `freeze` alone, copied into a plain set.

    It iterates in the order of its members' JSON, the same in every process, where a
    plain set's order moves with PYTHONHASHSEED.
    """

    __slots__ = ("_order",)

    _order: tuple[Any, ...]

    __init__ = _refuse
    __iand__ = _refuse
    __ior__ = _refuse
    __isub__ = _refuse
    __ixor__ = _refuse
    add = _refuse
    clear = _refuse
    difference_update = _refuse
    discard = _refuse
    intersection_update = _refuse
    pop = _refuse
    remove = _refuse
    symmetric_difference_update = _refuse
    update = _refuse

    def __iter__(self) -> Iterator[Any]:
        return iter(self._order)

    def copy(self) -> set[Any]:
        """A plain set of the same members."""
        return set(self)

    def __copy__(self) -> set[Any]:
        return set(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> set[Any]:
        return copy.deepcopy(set(self), memo)

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return freeze, (set(self),)


class _SteadyFrozenset(frozenset[Any]):
    """A frozenset that iterates in the order of its members' JSON."""

    __slots__ = ("_order",)

    _order: tuple[Any, ...]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._order)

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return freeze, (frozenset(self),)


def _steady_order(members: set[Any] | frozenset[Any]) -> tuple[Any, ...]:
    return tuple(
        sorted(
            members,
            key=lambda member: (
                type(member).__name__,
                to_json(member, fallback=lambda odd: type(odd).__qualname__),
            ),
        )
    )


def _freeze_list(value: list[Any] | deque[Any]) -> FrozenList:
    frozen: FrozenList = FrozenList.__new__(FrozenList)
    list.extend(frozen, [item if type(item) in _LEAVES else freeze(item) for item in value])
    return frozen


def frozen_dict(items: dict[Any, Any]) -> FrozenDict:
    """Freeze a dict all of whose values are frozen already."""
    frozen: FrozenDict = FrozenDict.__new__(FrozenDict)
    dict.update(frozen, items)
    return frozen


def _freeze_dict(value: dict[Any, Any]) -> FrozenDict:
    return frozen_dict(
        {key: item if type(item) in _LEAVES else freeze(item) for key, item in value.items()}
    )


def _freeze_set(value: set[Any]) -> FrozenSet:
    frozen: FrozenSet = FrozenSet.__new__(FrozenSet)
    set.update(frozen, map(freeze, value))
    frozen._order = _steady_order(set(set.__iter__(frozen)))
    return frozen


def _freeze_frozenset(value: frozenset[Any]) -> frozenset[Any]:
    members = frozenset(map(freeze, value))
    frozen = _SteadyFrozenset(members)
    frozen._order = _steady_order(members)
    return frozen


def _freeze_tuple(value: tuple[Any, ...]) -> tuple[Any, ...]:
    items = tuple(map(freeze, value))
    if all(new is old for new, old in zip(items, value, strict=True)):
        return value
    make = getattr(type(value), "_make", None)  # a NamedTuple keeps its class
    return items if make is None else make(items)


def _freeze_within(fields: dict[str, Any]) -> None:
    # Straight into the dict: assigning would meet frozen=True or validate_assignment.
    for name, item in fields.items():
        if type(item) not in _LEAVES:
            fields[name] = freeze(item)


def _freeze_model(value: BaseModel) -> BaseModel:
    _freeze_within(value.__dict__)
    if value.__pydantic_extra__:
        _freeze_within(value.__pydantic_extra__)
    return value


def _freeze_dataclass(value: Any) -> Any:
    for field in dataclasses.fields(value):
        if hasattr(value, field.name):
            # object's own setter, for a dataclass that is frozen
            object.__setattr__(value, field.name, freeze(getattr(value, field.name)))
    return value


def _leave(value: Any) -> Any:
    return value


_LEAVES = frozenset({
    bool, bytes, complex, date, datetime, Decimal, float, FrozenDict, FrozenList, FrozenSet,
    int, _SteadyFrozenset, str, time, timedelta, type(None), UUID,
})  # fmt: skip

# First match wins: a model that is also a list does not exist, an OrderedDict is a dict.
_KINDS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (Enum, _leave),
    (FrozenDict, _leave),
    (FrozenList, _leave),
    (FrozenSet, _leave),
    (list, _freeze_list),
    (deque, _freeze_list),
    (dict, _freeze_dict),
    (set, _freeze_set),
    (frozenset, _freeze_frozenset),
    (tuple, _freeze_tuple),
    (bytearray, bytes),
    (BaseModel, _freeze_model),
)


@lru_cache(maxsize=1024)
def _freezer(kind: type) -> Callable[[Any], Any]:
    for base, freezer in _KINDS:
        if issubclass(kind, base):
            return freezer
    return _freeze_dataclass if dataclasses.is_dataclass(kind) else _leave


def freeze(value: Any) -> Any:
    """Freeze every container in a value.

    Lists, dicts and sets become their frozen subclasses (an OrderedDict or defaultdict a
    `FrozenDict`, a deque a `FrozenList`), a bytearray becomes bytes. Models and dataclasses
    stay the objects they are and the containers they hold are frozen in place, so do not
    hand in one that somebody else goes on using. Objects of other classes stay as they are.

    Returns:
        The frozen value; what is frozen already is returned as it is.

    Example:
        >>> tags = freeze(["a", ["b"]])
        >>> tags == ["a", ["b"]]
        True
        >>> tags.append("c")
        Traceback (most recent call last):
            ...
        TypeError: a tool's arguments are frozen, so that what was judged is what runs; work \
on a copy: list(value)
    """
    kind: Any = type(value)
    return value if kind in _LEAVES else _freezer(kind)(value)


def is_inert(value: Any) -> bool:
    """Whether a frozen value holds nothing that could change, so that calls may share it."""
    if isinstance(value, FrozenDict):
        return all(is_inert(item) for item in value.values())
    if isinstance(value, FrozenList | FrozenSet | frozenset | tuple):
        return all(is_inert(item) for item in value)
    return type(value) in _LEAVES or isinstance(value, Enum)
