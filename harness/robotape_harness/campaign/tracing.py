"""Tracing: which value the user's code had at which line, so that two runs can be compared.

It tells values by what they are, never by where they lie in memory, and runs none of their code.
"""

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time, timedelta
from decimal import Decimal
from types import FrameType, MemberDescriptorType
from typing import Any, NamedTuple
from uuid import UUID

from robotape_harness.simulation.asking import is_users, is_users_own

__all__ = ["Seen", "said", "traced"]

DEPTH = 3
MANY = 50  # items of a collection that are looked at
LONG = 120  # characters of a value that are kept; of a longer one, a hash of all of it too
SCALARS = (str, bytes, int, float, complex, Decimal, UUID, date, time, timedelta)


class Seen(NamedTuple):
    """A value that a line of the user's code made.

    Attributes:
        where: file:line.
        name: Of the variable, or `return`.
        value: As text.
    """

    where: str
    name: str
    value: str


@contextmanager
def traced(seen: list[Seen]) -> Iterator[None]:
    """Note every value that the user's code makes in this thread, in the order of making.

    Another tracer, a debugger's or coverage's, is put aside meanwhile.
    """
    tracer = _Tracer(seen)
    before = sys.gettrace()
    sys.settrace(tracer.begin)
    try:
        yield
    finally:
        sys.settrace(before)


class _Tracer:
    def __init__(self, seen: list[Seen]) -> None:
        self._seen = seen
        self._users: dict[str, bool] = {}

    def begin(self, frame: FrameType, event: str, arg: object) -> Any:
        """Hear that code begins, or goes on after an `await`."""
        path = frame.f_code.co_filename
        if path not in self._users:
            self._users[path] = is_users(frame)
        if not self._users[path]:
            return None
        return _Code(self._seen, frame).step


class _Code:
    """One function from where it begins, or goes on, to where it ends or waits."""

    def __init__(self, seen: list[Seen], frame: FrameType) -> None:
        self._seen = seen
        self._values: dict[str, str] = {}
        self._line = frame.f_lineno
        self._note(frame)

    def step(self, frame: FrameType, event: str, arg: object) -> Any:
        """Hear of a line that is about to run, or of the end."""
        self._note(frame)
        if event == "return":
            self._tell(frame, "return", said(arg))
        self._line = frame.f_lineno
        return self.step

    def _note(self, frame: FrameType) -> None:
        for name, value in frame.f_locals.items():
            text = said(value)
            if self._values.get(name) != text:
                self._values[name] = text
                self._tell(frame, name, text)

    def _tell(self, frame: FrameType, name: str, text: str) -> None:
        self._seen.append(Seen(f"{frame.f_code.co_filename}:{self._line}", name, text))


def said(value: object, depth: int = DEPTH) -> str:
    """A value as text: the same text for the same value, in every process.

    A set is told in sorted order: that its order differs matters only where somebody goes
    through it, and what they get then is told by itself.
    """
    if value is None:
        return "None"
    if isinstance(value, SCALARS):
        return _cut(repr(value) if type(value) in SCALARS else f"{_kind(value)} {_plain(value)}")
    if depth == 0:
        return _kind(value)
    return _cut(f"{_kind(value)}({', '.join(_parts(value, depth - 1))})")


def _parts(value: object, depth: int) -> list[str]:
    kind = type(value)
    if kind in {list, tuple}:
        items: Any = value
        return [said(item, depth) for item in items[:MANY]]
    if kind in {set, frozenset}:
        members: Any = value
        return sorted(said(member, depth) for member in members)[:MANY]
    if kind is dict:
        pairs: Any = value
        return [f"{said(k, depth)}: {said(pairs[k], depth)}" for k in list(pairs)[:MANY]]
    return [f"{name}={said(each, depth)}" for name, each in _attributes(value)]


def _attributes(value: Any) -> list[tuple[str, object]]:
    """What an object of the user's holds; of any other, nothing."""
    if not _is_users_class(type(value)):
        return []
    slots = [name for name in _slots(type(value)) if hasattr(value, name)]
    try:
        held: dict[str, object] = object.__getattribute__(value, "__dict__")
    except AttributeError:
        held = {}
    return [*held.items(), *((name, getattr(value, name)) for name in slots)][:MANY]


def _is_users_class(kind: type) -> bool:
    path = getattr(sys.modules.get(kind.__module__), "__file__", None)
    return path is not None and is_users_own(path, kind.__module__)


def _slots(kind: type) -> tuple[str, ...]:
    """Those attributes that no code of the class computes."""
    named = {n: each for base in kind.__mro__ for n, each in vars(base).items()}
    return tuple(name for name, each in named.items() if type(each) is MemberDescriptorType)


def _plain(value: object) -> str:
    """A scalar of the user's own class, by the builtin's text."""
    for kind in SCALARS:
        if isinstance(value, kind):
            return kind.__repr__(value)
    return "None"


def _kind(value: object) -> str:
    return type(value).__qualname__


def _cut(text: str) -> str:
    if len(text) <= LONG:
        return text
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    return f"{text[:LONG]}… {digest}"
