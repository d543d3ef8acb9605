"""When a fault strikes: which of the attempts that reach its site, as plain data.

It decides nothing about where, what and in which phase: see `fault`.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from robotape.models.record import encode

__all__ = ["ODDS", "TESTS", "When"]

ODDS = 1_000
"""Answers among which a chance is drawn, so no chance is finer than one in so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Which attempts at a site a fault strikes; by default the first it meets.

    An attempt *fits* if its arguments match. Fitting attempts are counted as they come, of
    whatever call. From the `nth` on, each `every`-th of them is struck, unless chance spares
    it. A fault with the mode `once` is over when it has struck; one `forever` goes on.

    Attributes:
        nth: 1-based count of the first that may be struck; >= 1.
        every: Distance from one to the next; >= 1.
        match: Path of an argument -> what it must be. A path is names and 0-based indexes with
            dots between, `order.items.0.price`. It is looked up in the arguments as the tape
            keeps them, JSON that is. What it must be is a JSON value, or one of `TESTS` with
            its operand: {"at_least": 50}. A path that leads nowhere does not match.
        chance: With which one is struck, drawn from the run's choices; in [0.001, 1]. Below 1
            nothing is struck in a run whose choices are benign.
    """

    nth: int = 1
    every: int = 1
    match: Mapping[str, Any] = field(default_factory=dict)
    chance: float = 1.0

    def __post_init__(self) -> None:
        if self.nth < 1 or self.every < 1:
            raise ValueError(f"nth and every count from 1, got nth={self.nth}, every={self.every}")
        if not 1 / ODDS <= self.chance <= 1:
            raise ValueError(f"a chance lies in [{1 / ODDS}, 1], got {self.chance}")
        for path, wanted in self.match.items():
            _check(path, wanted)

    def fits(self, arguments: Mapping[str, Any]) -> bool:
        """Whether the arguments of an attempt match."""
        if not self.match:
            return True
        told = json.loads(encode(arguments))
        return all(_holds(path, wanted, told) for path, wanted in self.match.items())

    def has_come(self, count: int) -> bool:
        """Whether the attempt that is the `count`-th to fit may be struck; count is 1-based."""
        return count >= self.nth and (count - self.nth) % self.every == 0

    def is_drawn(self, choose: Callable[[int], int]) -> bool:
        """Whether chance has the attempt struck.

        Args:
            choose: Decides among n; 0, the benign answer, spares. Not asked where it is certain.
        """
        return self.chance == 1 or choose(ODDS) >= ODDS - round(self.chance * ODDS)

    def __str__(self) -> str:
        """What sets it apart from the default, `, after 2 others, 1 in 3`; else nothing."""
        parts = {
            f"after {self.nth - 1} other{'s' if self.nth > 2 else ''}": self.nth > 1,
            f"1 in {self.every}": self.every > 1,
            f"where {' and '.join(map(_phrase, self.match.items()))}": bool(self.match),
            f"with a chance of {self.chance:g}": self.chance < 1,
        }
        return "".join(f", {part}" for part, is_told in parts.items() if is_told)


Test = Callable[[Any, Any], bool]
"""Whether what an argument is fits the operand."""


def _number(value: Any) -> Decimal | None:
    """What a JSON value is worth; decimals stand on the tape as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _equals(have: Any, wanted: Any) -> bool:
    if isinstance(wanted, bool) or isinstance(have, bool):
        return have is wanted
    if isinstance(wanted, int | float) and isinstance(have, str):
        return _number(have) == _number(wanted)
    return bool(have == wanted)


def _compared(holds: Callable[[Decimal, Decimal], bool]) -> Test:
    def test(have: Any, wanted: Any) -> bool:
        one, other = _number(have), _number(wanted)
        return one is not None and other is not None and holds(one, other)

    return test


TESTS: Mapping[str, Test] = {
    "above": _compared(lambda have, wanted: have > wanted),
    "at_least": _compared(lambda have, wanted: have >= wanted),
    "at_most": _compared(lambda have, wanted: have <= wanted),
    "below": _compared(lambda have, wanted: have < wanted),
    "in": lambda have, wanted: any(_equals(have, each) for each in wanted),
    "like": lambda have, wanted: isinstance(have, str) and re.search(wanted, have) is not None,
    "not": lambda have, wanted: not _equals(have, wanted),
}
"""What an argument can be asked beside equality, by name; `like` is a regular expression."""


def _test_of(wanted: Any) -> tuple[str, Any] | None:
    """Name and operand of a test; None for a plain value."""
    if isinstance(wanted, Mapping) and len(wanted) == 1:
        ((name, operand),) = wanted.items()
        return (name, operand) if name in TESTS else None
    return None


def _check(path: str, wanted: Any) -> None:
    if not path or not all(path.split(".")):
        raise ValueError(f"{path!r} is no path of an argument; want names with dots between")
    name, operand = _test_of(wanted) or ("", None)
    if name in {"above", "at_least", "at_most", "below"} and _number(operand) is None:
        raise ValueError(f"{path}: {name} wants a number, got {operand!r}")
    if name == "in" and (isinstance(operand, str) or not isinstance(operand, Sequence)):
        raise ValueError(f"{path}: in wants a list of values, got {operand!r}")
    if name == "like":
        _check_pattern(path, operand)


def _check_pattern(path: str, operand: Any) -> None:
    try:
        re.compile(operand)
    except (re.error, TypeError) as error:
        raise ValueError(f"{path}: like wants a regular expression: {error}") from None


def _holds(path: str, wanted: Any, told: Any) -> bool:
    for part in path.split("."):
        if isinstance(told, dict) and part in told:
            told = told[part]
        elif isinstance(told, list) and part.isdigit() and int(part) < len(told):
            told = told[int(part)]
        else:
            return False
    test = _test_of(wanted)
    return _equals(told, wanted) if test is None else TESTS[test[0]](told, test[1])


def _phrase(entry: tuple[str, Any]) -> str:
    path, wanted = entry
    name, operand = _test_of(wanted) or ("is", wanted)
    return f"{path} {name.replace('_', ' ')} {encode(operand).decode()}"
