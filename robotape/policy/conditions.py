"""Conditions on one argument as values: frozen, comparable, printable; each is a predicate.

They stand wherever a predicate does. What cannot be judged raises, and an error denies.
"""

import operator
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sized
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "Condition",
    "above",
    "at_least",
    "at_most",
    "below",
    "between",
    "each",
    "length",
    "matching",
    "none_of",
    "one_of",
]


class Condition(ABC):
    """A predicate of one argument that is equal to another of the same meaning and says what it is.

    Example:
        >>> at_most(100).about("amount")
        'amount <= 100'
        >>> at_most(100) == at_most(100), at_most(100)(101)
        (True, False)
    """

    __slots__ = ()

    @abstractmethod
    def __call__(self, value: Any) -> bool:
        """Whether it holds of a value; raises where that cannot be said."""

    @abstractmethod
    def about(self, name: str) -> str:
        """The condition in words, of an argument of this name."""

    def __str__(self) -> str:
        return self.about("it")


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


@dataclass(frozen=True, slots=True)
class _Compared(Condition):
    sign: str
    bound: Any
    _holds: Callable[[Any, Any], bool] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _refuse_unordered(self.bound)
        object.__setattr__(self, "_holds", _ORDERS[self.sign])

    def __call__(self, value: Any) -> bool:
        # NaN is neither below nor above: a rule that denies would let it pass.
        if operator.ne(value, value) or value is True or value is False:
            _refuse_unordered(value)
        return self._holds(value, self.bound)

    def about(self, name: str) -> str:
        return f"{name} {self.sign} {_shown(self.bound)}"


def _refuse_unordered(value: object) -> None:
    if isinstance(value, bool):
        raise TypeError("a boolean is not compared with a bound")
    if operator.ne(value, value):
        raise ValueError("NaN is neither below nor above anything")


def at_most(bound: Any) -> Condition:
    """The argument is <= the bound; numbers, dates, whatever has an order.

    Raises:
        TypeError: The bound is a boolean.
        ValueError: The bound is NaN.
    """
    return _Compared("<=", bound)


def at_least(bound: Any) -> Condition:
    """The argument is >= the bound; raises as `at_most`."""
    return _Compared(">=", bound)


def below(bound: Any) -> Condition:
    """The argument is < the bound; raises as `at_most`."""
    return _Compared("<", bound)


def above(bound: Any) -> Condition:
    """The argument is > the bound; raises as `at_most`."""
    return _Compared(">", bound)


@dataclass(frozen=True, slots=True)
class _Between(Condition):
    low: Any
    high: Any

    def __post_init__(self) -> None:
        _refuse_unordered(self.low)
        _refuse_unordered(self.high)
        if not self.low <= self.high:
            raise ValueError(f"nothing lies between {self.low!r} and {self.high!r}")

    def __call__(self, value: Any) -> bool:
        _refuse_unordered(value)
        return bool(self.low <= value) and bool(value <= self.high)

    def about(self, name: str) -> str:
        return f"{_shown(self.low)} <= {name} <= {_shown(self.high)}"


def between(low: Any, high: Any) -> Condition:
    """The argument lies between two bounds, both included.

    Raises:
        TypeError: A bound is a boolean, or the two have no order.
        ValueError: A bound is NaN, or nothing lies between them.
    """
    return _Between(low, high)


@dataclass(frozen=True, slots=True)
class _OneOf(Condition):
    values: tuple[Any, ...]
    is_in: bool
    # Which of them are booleans: to Python, True equals 1.
    _kinds: tuple[bool, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("name one value at least")
        # In one order, so that two lists of the same values are equal and print alike.
        shown = {f"{_shown(value)} {isinstance(value, bool)}": value for value in self.values}
        values = tuple(shown[key] for key in sorted(shown))
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "_kinds", tuple(isinstance(value, bool) for value in values))

    def __call__(self, value: Any) -> bool:
        is_bool = isinstance(value, bool)
        for known, kind in zip(self.values, self._kinds, strict=True):
            if known == value and kind is is_bool:
                return self.is_in
        return not self.is_in

    def about(self, name: str) -> str:
        said = "one of" if self.is_in else "none of"
        return f"{name} {said} {', '.join(map(_shown, self.values))}"


def one_of(*values: Any) -> Condition:
    """The argument equals one of the values; text is compared as it is.

    Raises:
        ValueError: No value is given.
    """
    return _OneOf(values, True)


def none_of(*values: Any) -> Condition:
    """The argument equals none of the values; raises as `one_of`.

    Text is compared as it is: a spelling variant is another text. Give the parameter a
    canonical type, or say what is allowed instead.
    """
    return _OneOf(values, False)


@dataclass(frozen=True, slots=True)
class _Matching(Condition):
    pattern: str
    _matches: Callable[[str], object] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_matches", re.compile(self.pattern).fullmatch)

    def __call__(self, value: Any) -> bool:
        return self._matches(value) is not None

    def about(self, name: str) -> str:
        return f"{name} matches {self.pattern!r}"


def matching(pattern: str) -> Condition:
    """The whole argument, a text, matches a regular expression.

    Raises:
        re.error: The pattern is no regular expression.
    """
    return _Matching(pattern)


@dataclass(frozen=True, slots=True)
class _Each(Condition):
    condition: Condition

    def __call__(self, value: Any) -> bool:
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise TypeError("there are no items in it")
        # A list and no generator: each item is judged, so none that errs is passed over.
        return all([_verdict(self.condition, item) for item in value])

    def about(self, name: str) -> str:
        return self.condition.about(f"each of {name}")


def each(condition: Condition) -> Condition:
    """A condition holds of every item of the argument, a list or set; of none, it does."""
    return _Each(condition)


@dataclass(frozen=True, slots=True)
class _Length(Condition):
    condition: Condition

    def __call__(self, value: Any) -> bool:
        if not isinstance(value, Sized):
            raise TypeError("it has no length")
        return self.condition(len(value))

    def about(self, name: str) -> str:
        return self.condition.about(f"len({name})")


def length(condition: Condition) -> Condition:
    """A condition holds of the number of items, or characters, of the argument."""
    return _Length(condition)


def _verdict(condition: Callable[[Any], bool], value: Any) -> bool:
    verdict = condition(value)
    if verdict is not True and verdict is not False:
        raise TypeError(f"the condition gave {type(verdict).__name__}, not a bool")
    return verdict


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) else str(value)
