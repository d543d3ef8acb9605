"""What JSON text may hold before any type is asked for: bounds, twin keys, NaN, lone surrogates.

It reads text that is in doubt, in full and slowly; text that is in no doubt it does not read.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from robotape.secrets import redact

__all__ = ["Bounds", "Fault", "Inspector", "LONGEST_INTEGER", "Number", "path_of"]

Fault = tuple[str, str]
_Steps = tuple[str | int, ...]

# Digits and sign: what is longer may be infinite as a float, which pydantic makes of it silently.
LONGEST_INTEGER = 308
_TOO_LARGE = 10**LONGEST_INTEGER


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a model may send in one call.

    Attributes:
        string: Characters of one string; >= 1.
        array: Items of one array; >= 1.
        keys: Keys of one object; >= 1.
        depth: Objects and arrays within each other, the arguments themselves included; in
            [1, 200], for pydantic reads no deeper.
        text: Bytes of the whole text in UTF-8; >= 1.
    """

    string: int = 100_000
    array: int = 1_000
    keys: int = 1_000
    depth: int = 32
    text: int = 1 << 20

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be >= 1, got {getattr(self, name)}")
        if self.depth > 200:
            raise ValueError(f"depth must be <= 200, got {self.depth}")


class Number(float):
    """A JSON number with a fraction or an exponent, and how it was written.

    Attributes:
        literal: As it stands in the text; a float may hold less of it.
    """

    __slots__ = ("literal",)

    literal: str

    def __new__(cls, literal: str) -> "Number":
        """Read a literal."""
        number = super().__new__(cls, literal)
        number.literal = literal
        return number


class _Twins(dict[str, Any]):
    """An object that names a key twice."""

    __slots__ = ("names",)

    names: list[str]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    counts = Counter(name for name, _ in pairs)
    twins = _Twins(found)
    twins.names = [name for name, count in counts.items() if count > 1]
    return twins


class _InDoubt(ValueError):
    """The text must be read with care."""


def _single(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _InDoubt
    return found


def _finite(literal: str) -> Number:
    number = Number(literal)
    if not math.isfinite(number):
        raise _InDoubt
    return number


def _keys_of(tree: Any) -> int:
    """How many keys the objects in a value have; -1 if there is an infinite number in it."""
    count = 0
    waiting = [tree]
    for item in waiting:
        kind = type(item)
        if kind is dict:
            count += len(item)
            waiting += item.values()
        elif kind is list:
            waiting += item
        elif kind is float and not math.isfinite(item):
            return -1
    return count


def _short_integer(literal: str) -> int:
    if len(literal) > LONGEST_INTEGER:
        raise _InDoubt
    return int(literal)


# Made once: json.loads with hooks makes a decoder per call.
_decode = json.JSONDecoder(object_pairs_hook=_object, parse_float=Number).decode
_decode_sound = json.JSONDecoder(
    object_pairs_hook=_single, parse_float=_finite, parse_int=_short_integer, parse_constant=_finite
).decode

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}").fullmatch


def path_of(steps: Iterable[str | int]) -> str:
    """The JSON path of a place; an odd key is quoted, a long one cut."""
    path = "$"
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        elif _PLAIN(step):
            path += f".{step}"
        else:
            # Part of a secret is one still, and no longer found as such.
            path += f"[{json.dumps(step if len(step) <= 64 else redact(step)[:63] + '…')}]"
    return path


class Inspector:
    """Reads text under bounds."""

    __slots__ = ("_bounds", "_short")

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        # The shortest array of n + 1 items takes 2n + 3 characters, an object more; a
        # character takes at most 4 bytes.
        self._short = min(bounds.string, 2 * bounds.array, 2 * bounds.keys, bounds.text // 4)

    def is_large(self, text: str) -> bool:
        """Whether the text is so long or full of brackets that it might break a bound."""
        return len(text) > self._short or text.count("[") + text.count("{") > self._bounds.depth

    def glance(self, text: str) -> Any:
        """The JSON value of short and shallow text, its fractions as they come.

        Raises:
            ValueError: Something is wrong; `read` says what.
        """
        # Longer text may hold an integer that is too long.
        if len(text) <= LONGEST_INTEGER:
            tree = from_json(text, allow_inf_nan=False)
            # Every key brings a colon: with no more of them than keys, none is there twice.
            if text.count(":") == _keys_of(tree):
                return tree
        return _decode_sound(text)

    def literally(self, text: str) -> Any:
        """The same with its fractions as `Number`."""
        return _decode_sound(text)

    def read(self, text: str) -> tuple[Any, list[Fault]]:
        """The JSON value, its fractions as `Number`, and every fault found in it.

        Returns:
            The value and no faults, or None and at least one.
        """
        too_much = self._too_much(text)
        if too_much:
            return None, [("$", too_much)]
        try:
            tree = _decode(text)
        except json.JSONDecodeError as error:
            place = f"line {error.lineno} column {error.colno}"
            return None, [("$", f"not valid JSON: {error.msg} at {place}")]
        except ValueError:  # int() takes no more than sys.get_int_max_str_digits()
            return None, [("$", "a number has too many digits")]
        found: list[tuple[_Steps, str]] = []
        self._search((), tree, found)
        if not found:
            return tree, []
        return None, [(path_of(steps), message) for steps, message in found]

    def _too_much(self, text: str) -> str:
        bounds = self._bounds
        if len(text) > bounds.text or len(text.encode(errors="surrogatepass")) > bounds.text:
            return f"larger than {bounds.text} bytes"
        depth = 0
        for token in _TOKEN.finditer(text):
            mark = text[token.start()]
            depth += (mark in "[{") - (mark in "]}")
            if depth > bounds.depth:
                return f"nested deeper than {bounds.depth} levels"
        return ""

    def _search(self, steps: _Steps, value: Any, found: list[tuple[_Steps, str]]) -> None:
        if isinstance(value, str):
            self._search_string(steps, value, found)
        elif isinstance(value, int | float):
            if not -_TOO_LARGE < value < _TOO_LARGE:  # NaN is not between them either
                found.append((steps, "a number must be finite and in a 64-bit float's range"))
        elif isinstance(value, list):
            if len(value) > self._bounds.array:
                found.append((steps, f"more than {self._bounds.array} items"))
                return
            for index, item in enumerate(value):
                self._search((*steps, index), item, found)
        elif isinstance(value, dict):
            self._search_object(steps, value, found)

    def _search_string(self, steps: _Steps, value: str, found: list[tuple[_Steps, str]]) -> None:
        if len(value) > self._bounds.string:
            found.append((steps, f"longer than {self._bounds.string} characters"))
        if not _is_unicode(value):
            found.append((steps, "holds a lone surrogate (half of a pair), which is no text"))

    def _search_object(
        self, steps: _Steps, value: dict[str, Any], found: list[tuple[_Steps, str]]
    ) -> None:
        if len(value) > self._bounds.keys:
            found.append((steps, f"more than {self._bounds.keys} keys"))
            return
        if isinstance(value, _Twins):
            found.extend(
                ((*steps, name), "this key is given more than once") for name in value.names
            )
        for key, item in value.items():
            inner = (*steps, key)
            if not _is_unicode(key):
                found.append((inner, "this key holds a lone surrogate, which is no text"))
            self._search(inner, item, found)


def _is_unicode(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
