"""Stand-ins: functions of other modules, replaced wherever they are bound while runs last.

It finds and replaces; what a stand-in does, and for whom, is said where it is defined.
"""

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from types import FunctionType, ModuleType
from typing import Any, NamedTuple, Protocol

__all__ = ["Attribute", "Patch", "Standins", "like"]

MISSING = object()
# They wait in real time for real threads and processes, and must measure it; or they are ours.
REAL = ("_pytest.", "concurrent.futures.", "multiprocessing.", "robotape_harness.")
REAL_ALONE = frozenset({"queue", "selectors", "subprocess", "threading"})


def like(original: Any, standin: Callable[..., Any]) -> object:
    """Make a function look like a builtin: no method even where a class binds it."""
    return staticmethod(wraps(original)(standin))


class Patch(Protocol):
    """Something that can be put in, and taken out again."""

    def put(self) -> None:
        """Put it in, unless somebody else has put something there."""

    def take(self) -> None:
        """Take it out, leaving the very object that was there before."""


class Attribute(NamedTuple):
    """An attribute of a class, or the defaults of a function."""

    owner: Any
    name: str
    old: Any
    new: Any

    @classmethod
    def of(cls, owner: type, name: str, new: object) -> "Attribute":
        """Plan to replace what a class itself has under a name, or to add to what it inherits."""
        return cls(owner, name, vars(owner).get(name, MISSING), new)

    def put(self) -> None:
        """Put the new value where the old one is."""
        if self._present() is self.old:
            self._set(self.new)

    def take(self) -> None:
        """Put the old value where the new one is."""
        if self._present() is not self.new:
            return
        if self.old is MISSING:
            type.__delattr__(self.owner, self.name)
        else:
            self._set(self.old)

    def _present(self) -> object:
        if isinstance(self.owner, type):
            return vars(self.owner).get(self.name, MISSING)
        return getattr(self.owner, self.name)

    def _set(self, value: object) -> None:
        if isinstance(self.owner, type):
            type.__setattr__(self.owner, self.name, value)
        else:
            setattr(self.owner, self.name, value)


class _Key(NamedTuple):
    """A name in a module, or a default by keyword. Most places are such: see `Standins.begin`."""

    names: dict[str, Any]
    name: str
    old: Any
    new: Any


Table = Mapping[int, tuple[Any, Any]]


class Standins:
    """A table of originals and their stand-ins, put in while at least one run lasts.

    Found by identity, in every loaded module: its names (`from time import monotonic`), and
    in the functions and classes it defines, class attributes and defaults of arguments.
    A name bound elsewhere (in an instance, in a default factory) keeps the original.

    Guarantee: once the last run is over, each place holds the very object it held before,
    modules loaded meanwhile included; two threads may run at the same time.

    Args:
        pairs: Originals, each with what stands in for it.
        patches: What is replaced beside them.
        late: By module name: gives the pairs of a module, once somebody has loaded it.
    """

    def __init__(
        self,
        pairs: Iterable[tuple[object, object]],
        patches: Iterable[Patch] = (),
        late: Mapping[str, Callable[[ModuleType], Iterable[tuple[object, object]]]] | None = None,
    ) -> None:
        self._table: dict[int, tuple[Any, Any]] = {}
        self._back: dict[int, tuple[Any, Any]] = {}
        self._patches = tuple(patches)
        self._late = dict(late or {})
        self._lock = threading.Lock()
        self._runs = 0
        self._modules = 0
        self._newest: Any = None
        self._places: dict[int, tuple[Any, list[_Key | Attribute]]] = {}
        self._keys: list[_Key] = []
        self._attributes: list[Attribute] = []
        self._extend(pairs)

    def begin(self) -> None:
        """Put them in, if no other run has."""
        with self._lock:
            self._runs += 1
            if self._runs > 1:
                return
            self._look_around(self._table)
            for patch in (*self._patches, *self._attributes):
                patch.put()
            for names, name, old, new in self._keys:
                if names.get(name) is old:  # else somebody else has put something there
                    names[name] = new

    def end(self) -> None:
        """Take them out, if no other run lasts."""
        with self._lock:
            self._runs -= 1
            if self._runs:
                return
            # Modules loaded during the run have bound what they found: the stand-ins.
            self._look_around(self._back)
            for names, name, old, new in self._keys:
                if names.get(name) is new:
                    names[name] = old
            for patch in (*self._patches, *self._attributes):
                patch.take()

    def _extend(self, pairs: Iterable[tuple[object, object]]) -> None:
        for original, standin in pairs:
            self._table[id(original)] = (original, standin)
            self._back[id(standin)] = (original, standin)

    def _look_around(self, table: Table) -> None:
        """Search the modules that were not there the last time, if there are any."""
        newest = next(reversed(sys.modules.values()))
        if newest is self._newest and len(sys.modules) == self._modules:
            return
        modules = list(sys.modules.values())
        self._newest, self._modules = modules[-1], len(modules)
        if self._learn():
            self._places.clear()  # what was searched before was not searched for these
            table = self._table | self._back
        self._places = {
            id(module): self._places.get(id(module)) or (module, list(_places(module, table)))
            for module in modules
        }
        found = [place for _, places in self._places.values() for place in places]
        self._keys = [place for place in found if isinstance(place, _Key)]
        self._attributes = [place for place in found if isinstance(place, Attribute)]

    def _learn(self) -> bool:
        found = [name for name in self._late if name in sys.modules]
        for name in found:
            self._extend(self._late.pop(name)(sys.modules[name]))
        return bool(found)


def _places(module: object, table: Table) -> Iterator[_Key | Attribute]:
    """Where a module, or what it defines, is bound to something in a table."""
    if not issubclass(type(module), ModuleType):
        return
    names = object.__getattribute__(module, "__dict__")  # past a lazy module, which would load
    name = names.get("__name__", "")
    if _stays_real(name):
        return
    for key, value in list(names.items()):
        if id(value) in table:
            yield _Key(names, key, *table[id(value)])
        elif type(value) is FunctionType:
            yield from _defaults(value, table)
        elif issubclass(type(value), type) and value.__dict__.get("__module__") == name:
            yield from _in_class(value, table)


def _in_class(owner: type, table: Table) -> Iterator[_Key | Attribute]:
    for key, value in list(vars(owner).items()):
        kind = type(value)
        if id(value) in table:
            yield Attribute(owner, key, *table[id(value)])
        elif kind is FunctionType:
            yield from _defaults(value, table)
        elif kind is staticmethod or kind is classmethod:
            yield from _defaults(value.__func__, table)


def _defaults(function: Any, table: Table) -> Iterator[_Key | Attribute]:
    """The defaults of a function, if one of them is in the table: `def f(clock=time.time)`."""
    given = getattr(function, "__defaults__", None)
    if given and not table.keys().isdisjoint(map(id, given)):
        both = [table.get(id(value), (value, value)) for value in given]
        olds, news = (tuple(pair[side] for pair in both) for side in (0, 1))
        # The tuple that is there now is the one to come back to, or to be left behind.
        old, new = (given if given == each else each for each in (olds, news))
        yield Attribute(function, "__defaults__", old, new)
    named = getattr(function, "__kwdefaults__", None) or {}
    for key, value in named.items():
        if id(value) in table:
            yield _Key(named, key, *table[id(value)])


def _stays_real(module: str) -> bool:
    return module in REAL_ALONE or module.startswith(REAL)
