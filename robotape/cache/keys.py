"""Keys: what tells one call from another, as a digest from which nothing can be read back.

Two calls have one key only if their arguments are equal in type and value. An object of
which that cannot be said is refused, never guessed at. It knows no cache.
"""

import dataclasses
import inspect
import json
import math
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from hashlib import blake2b
from itertools import count
from pathlib import PurePath
from typing import Any
from uuid import UUID
from weakref import ReferenceType, ref

from pydantic import BaseModel

__all__ = ["Identities", "Parameters", "canonical", "digest", "stable_name"]

_DEEPEST = 100
_written = json.JSONEncoder(separators=(",", ":")).encode
_WIDEST = 64  # bits; a longer integer is written in hexadecimal, which has no limit of digits

# Each of these is immutable, and told completely by the text it is given here.
_TOLD: dict[type, Callable[[Any], str]] = {
    Decimal: str,
    UUID: str,
    bytearray: lambda value: bytes(value).hex(),
    bytes: bytes.hex,
    complex: str,
    date: date.isoformat,
    datetime: lambda value: f"{value.isoformat()} {value.fold} {value.tzinfo}",
    range: str,
    time: lambda value: f"{value.isoformat()} {value.fold} {value.tzinfo}",
    timedelta: lambda value: f"{value.days} {value.seconds} {value.microseconds}",
}

# The plain value of an object of a subclass, whatever that says of itself.
_SCALARS: dict[type, Callable[[Any], Any]] = {
    str: lambda value: str.__str__(value)[:],
    int: int.__int__,
    float: float.__float__,
}


def digest(material: object) -> str:
    """Hash what `canonical` gave into 64 hexadecimal digits; the same in every process."""
    return blake2b(_written(material).encode(), digest_size=32).hexdigest()


def canonical(value: Any, depth: int = 0) -> Any:
    """A value as nested lists and scalars, equal for equal values and for no others.

    Every list in it begins with what it stands for, so that `1`, `1.0`, `True`, `"1"`,
    `[1]` and `(1,)` are all different. Order counts, but for sets and the keys of dicts.

    Raises:
        TypeError: There is an object in it that cannot be told from another by its value,
            or it is deeper than 100, or in itself. The text names the type, no value.
    """
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        return value if value.bit_length() <= _WIDEST else ["int", hex(value)]
    if kind is float:
        return value if math.isfinite(value) else ["float", str(value)]
    if depth == _DEEPEST:
        raise TypeError(f"{_name(kind)} that is nested deeper than {_DEEPEST}, or in itself")
    told = _TOLD.get(kind)
    if told is not None:
        return [_name(kind), told(value)]
    return [*_composed(value, depth + 1)]


def _composed(value: Any, depth: int) -> Iterator[Any]:
    """What a value with an inside is, then what is inside."""
    if isinstance(value, Enum):
        yield from ("enum", _name(type(value)), value.name)
    elif isinstance(value, BaseModel):
        yield from ("model", _name(type(value)), *_items(dict(value), depth))
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        inside = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        yield from ("dataclass", _name(type(value)), *_items(inside, depth))
    elif isinstance(value, dict):
        yield from ("dict", *_items(value, depth))
    else:
        yield from _listed(value, depth)


def _listed(value: Any, depth: int) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        base = "list" if isinstance(value, list) else "tuple"
        yield from (base, *(canonical(item, depth) for item in value))
    elif isinstance(value, set | frozenset):
        yield from ("set", *sorted((canonical(item, depth) for item in value), key=_written))
    elif isinstance(value, PurePath):
        yield from (_name(type(value)), str(value))
    elif hasattr(value, "get_secret_value"):  # pydantic's; their module is too dear to import
        yield from (_name(type(value)), canonical(value.get_secret_value(), depth))
    else:
        yield from _subclassed(value)


def _subclassed(value: Any) -> Iterator[Any]:
    """An object of a class that adds behaviour to a scalar; its value tells it."""
    for kind, read in _SCALARS.items():
        if isinstance(value, kind):
            yield from ("scalar", _name(type(value)), canonical(read(value)))
            return
    raise TypeError(f"{_name(type(value))}, which cannot be told from another by its value")


def _items(inside: dict[Any, Any], depth: int) -> list[Any]:
    pairs = [[canonical(key, depth), canonical(item, depth)] for key, item in inside.items()]
    return sorted(pairs, key=lambda pair: _written(pair[0]))


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def stable_name(function: Callable[..., Any]) -> str:
    """What a function is called in a store that outlives the process.

    Raises:
        ValueError: It is a lambda, bound to an instance, or made inside another function:
            then its name does not tell it from its siblings.
    """
    target = inspect.unwrap(function)
    name = getattr(target, "__qualname__", "")
    if not inspect.isfunction(target) or "<" in name:
        raise ValueError(
            f"{name or target!r} cannot be told from its siblings in a store that outlives them: "
            "move it to the top of its module"
        )
    return f"{target.__module__}.{name}"


class Parameters:
    """The parameters of a function, by which its calls are told apart."""

    __slots__ = ("_name", "_owner", "_signature")

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        """Read a signature; a first parameter called `self` or `cls` is the owner's."""
        self._signature = inspect.signature(function)
        self._name = name
        first = next(iter(self._signature.parameters), "")
        self._owner = first if first in {"self", "cls"} else ""

    @property
    def owner(self) -> str:
        """`self`, `cls`, or an empty string: what the first parameter stands for."""
        return self._owner

    def material(self, args: tuple[Any, ...], named: dict[str, Any]) -> list[Any]:
        """The arguments of a call by name, defaults filled in, without the owner.

        Raises:
            TypeError: They do not fit the signature; or one cannot be told from another by
                its value, and then the text names the parameter.
        """
        bound = self._signature.bind(*args, **named)
        bound.apply_defaults()
        material = []
        for name, value in bound.arguments.items():
            if name == self._owner:
                continue
            try:
                material.append([name, canonical(value)])
            except TypeError as error:
                raise TypeError(
                    f"{self._name} is cached: its parameter {name} was given "
                    f"{error}. Pass what JSON can say, or give cached(key=...)"
                ) from None
        return material


class Identities:
    """Numbers for objects, so that each can be part of a key without being kept alive."""

    __slots__ = ("_count", "_known")

    def __init__(self) -> None:
        self._count = count(1)
        self._known: dict[int, tuple[Callable[[], Any], int]] = {}

    def number(self, subject: object, *, hold: bool = False) -> int:
        """The subject's number: no other object, living or dead, has or had it.

        Args:
            hold: Keep alive what cannot be referred to weakly, instead of refusing it.

        Raises:
            TypeError: The subject cannot be referred to weakly.
        """
        known = self._known.get(id(subject))
        if known is not None and known[0]() is subject:
            return known[1]
        number = next(self._count)
        self._known[id(subject)] = (self._reference(subject, number, hold), number)
        return number

    def _reference(self, subject: object, number: int, hold: bool) -> Callable[[], Any]:
        place = id(subject)

        def forget(_: ReferenceType[object]) -> None:
            if self._known.get(place, (None, 0))[1] == number:
                del self._known[place]

        try:
            return ref(subject, forget)
        except TypeError:
            if hold:
                return lambda: subject
            raise TypeError(
                f"instances of {_name(type(subject))} cannot be told apart without keeping them "
                'alive: add "__weakref__" to its __slots__, or give cached(key=...)'
            ) from None
