"""That the values are what the text said, where pydantic is lenient although strict.

pydantic 2.14 in strict JSON mode takes `true` and `1.0` for `Literal[1]` and for an enum's
1, `"1700000000"` for a date, `"1_0"` and a number that a float cannot hold for a Decimal,
`[1, 1]` for a set, `7` for an `IPvAnyAddress` and `{"1": …, "1.0": …}` for int keys. What it
refuses is not looked at.
Such a spelling is refused also where a before-validator of the user's own would clean it up.
"""

import ipaddress
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import lru_cache, reduce
from operator import getitem
from typing import Any

import pydantic

from robotape.validation.faults import locate
from robotape.validation.spelling import is_spelled
from robotape.validation.text import Fault, Number, path_of

__all__ = ["CHANGES", "INTEGER", "is_lenient", "make_integers", "unfaithful"]

INTEGER = "a number with a zero fraction was read as an integer"
_SPELLING = "a text was read in its canonical form"
# No faults, but changes worth recording.
CHANGES = frozenset({INTEGER, _SPELLING})

# Core-schema types under which pydantic reads more than one spelling of a value.
_ALWAYS = {"date", "datetime", "decimal", "frozenset", "set"}


def is_lenient(schema: Mapping[str, Any]) -> bool:
    """Whether pydantic reads this core schema's own level with the leniencies above."""
    kind = schema.get("type")
    if is_spelled(schema):
        return True
    if kind == "literal":
        return any(type(item) is not str for item in schema["expected"])
    if kind == "enum":
        return any(not isinstance(member.value, str) for member in schema["members"])
    if kind == "dict":
        return schema.get("keys_schema", {}).get("type", "any") not in {"any", "str"}
    if kind == "function-plain":  # IPvAnyAddress and the like make an address of any number
        return str(getattr(schema["function"]["function"], "__qualname__", "")).startswith("IPvAny")
    return kind in _ALWAYS


def make_integers(details: Sequence[Mapping[str, Any]], tree: Any) -> Iterator[Fault]:
    """Write whole numbers as integers where pydantic asked for one; the tree is changed.

    Args:
        details: pydantic's errors.
        tree: From the text; its fractions are `Number`.

    Yields:
        Path and `INTEGER`, per number. Not from 2**53 on, where a float is no longer exact.
    """
    for detail in details:
        steps = locate(detail["loc"], tree) if detail["type"] == "int_type" else []
        if not steps:
            continue
        holder = reduce(getitem, steps[:-1], tree)
        number = holder[steps[-1]]
        if isinstance(number, Number) and abs(number) < 1 << 53 and _is_whole(number):
            holder[steps[-1]] = int(number)
            yield path_of(steps), INTEGER


def _is_whole(number: Number) -> bool:
    # By its literal: 3.00000000000000000001 is a float of 3.
    exact = Decimal(number.literal)
    return exact == exact.to_integral_value()


def unfaithful(key: str, given: Any, value: Any) -> list[Fault]:
    """What of a value is not what was given.

    Args:
        key: Where the value stands among the arguments.
        given: From the text; its fractions are `Number`.
        value: What pydantic made of it; where its shape is another, a validator of the
            user's own has changed it, and that is his business.

    Returns:
        Path and what is wrong; a text among `CHANGES` marks what is no fault but a change
        worth recording.
    """
    found: list[tuple[_Steps, str]] = []
    _compare((key,), given, value, found)
    return [(path_of(steps), wrong) for steps, wrong in found]


_ADDRESSES = (
    ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network,
)  # fmt: skip
_Steps = tuple[str | int, ...]
_SAME = frozenset({bool, int, str, type(None)})


def _compare(steps: _Steps, given: Any, value: Any, found: list[tuple[_Steps, str]]) -> None:
    kind = type(given)
    if kind is type(value) and kind in _SAME:
        if kind is str and given != value:
            found.append((steps, _SPELLING))
        return  # nearly every leaf; what follows is slow
    if isinstance(value, pydantic.RootModel):
        value = value.root
    if kind is dict:
        _compare_object(steps, given, value, found)
    elif kind is list:
        _compare_array(steps, given, value, found)
    else:
        wrong = _LEAF[kind](given, value)
        if wrong:
            found.append((steps, wrong))


def _compare_object(
    steps: _Steps, given: dict[str, Any], value: Any, found: list[tuple[_Steps, str]]
) -> None:
    if isinstance(value, dict):
        found.extend((steps, wrong) for wrong in _wrong_keys(given, value))
        for key, item in given.items():
            if key in value:
                _compare((*steps, key), item, value[key], found)
        return
    kind: Any = type(value)
    names = _field_names(kind)
    for key, item in given.items():
        if key in names:
            _compare((*steps, key), item, getattr(value, names[key]), found)


def _compare_array(
    steps: _Steps, given: list[Any], value: Any, found: list[tuple[_Steps, str]]
) -> None:
    if isinstance(value, set | frozenset):
        if len(value) < len(given):
            found.append((steps, "items must differ from each other"))
        _compare_set(steps, given, value, found)
    elif isinstance(value, list | tuple) and len(value) == len(given):
        for index, item in enumerate(given):
            _compare((*steps, index), item, value[index], found)


def _compare_set(
    steps: _Steps, given: list[Any], value: Any, found: list[tuple[_Steps, str]]
) -> None:
    # Which item became which is not known; what the rules ask is only of which type it is.
    kinds = list({type(held): held for held in value}.values())
    for index, item in enumerate(given):
        if kinds and type(item) in _LEAF:
            wrong = [
                _LEAF[type(item)](item, held) for held in kinds if type(item) is not type(held)
            ]
            if len(wrong) == len(kinds) and all(wrong):
                found.append(((*steps, index), wrong[0]))


def _wrong_keys(given: dict[str, Any], value: dict[Any, Any]) -> Iterator[str]:
    if len(given) > len(value) and all(type(key) is not str for key in value):
        yield "two keys mean the same"
    for key in value:
        if type(key) is int and str(key) not in given:
            yield "a key that is a whole number must be written plainly, such as 7"
        elif isinstance(key, float) and not math.isfinite(key):
            yield "a key must be a finite number"


@lru_cache(maxsize=1024)
def _field_names(kind: type) -> dict[str, str]:
    """JSON key -> attribute, of a model or dataclass."""
    fields: Any = getattr(kind, "__pydantic_fields__", None) or getattr(
        kind, "__dataclass_fields__", {}
    )
    names = {name: name for name in fields}
    for name, field in fields.items():
        alias = getattr(field, "validation_alias", None)
        if isinstance(alias, str):
            names[alias] = name
    return names


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _wrong_bool(given: bool, value: Any) -> str:
    held = _plain(value)
    is_number = isinstance(held, int | float | Decimal) and not isinstance(held, bool)
    return "Input should be a number, not a boolean" if is_number else ""


def _wrong_int(given: int, value: Any) -> str:
    if isinstance(value, _ADDRESSES):
        return "Input should be an IP address or network as text, not a number"
    return "Input should be a boolean, not a number" if isinstance(_plain(value), bool) else ""


def _wrong_number(given: Number, value: Any) -> str:
    held = _plain(value)
    # Not compared with what is held: a validator may have rounded it, as it should.
    if isinstance(held, Decimal) and Decimal(given.literal) != Decimal(repr(float(given))):
        return "a number of so many digits loses some on its way: send it as a string"
    if isinstance(held, bool):
        return "Input should be a boolean, not a number"
    return INTEGER if isinstance(held, int) else ""


def _wrong_string(given: str, value: Any) -> str:
    if isinstance(value, date) and _is_count(given):
        return "Input should be a date in ISO 8601, not a number of seconds"
    if isinstance(value, Decimal) and not _is_written_plainly(given):
        return "a decimal number takes no spaces, underscores or other scripts' digits"
    return ""


def _is_count(text: str) -> bool:
    # "20240131" is a date in ISO 8601's basic format to people; pydantic reads it as seconds.
    return text.strip().lstrip("+-").replace(".", "", 1).isdigit()


def _is_written_plainly(text: str) -> bool:
    return text.isascii() and "_" not in text and text == text.strip()


def _wrong_null(given: None, value: Any) -> str:
    return ""


_LEAF: dict[type, Callable[[Any, Any], str]] = {
    bool: _wrong_bool,
    int: _wrong_int,
    Number: _wrong_number,
    str: _wrong_string,
    type(None): _wrong_null,
}
