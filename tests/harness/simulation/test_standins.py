"""Stand-ins: found by identity wherever a module binds the original, and gone without a trace."""

import sys
from collections.abc import Iterator
from functools import partial
from types import ModuleType
from typing import Any

import pytest

from robotape_harness.simulation.standins import Attribute, Standins, like

SOURCE = """
from origin import ask, other
from origin import ask as renamed

class Timer:
    clock = ask
    def read(self, clock=ask): return clock()
    @staticmethod
    def read_static(first=1, clock=ask): return clock()
    @classmethod
    def read_class(cls, *, clock=ask): return clock()

def read(first=None, clock=ask): return clock()
def read_two(clock=ask, another=other): return clock(), another()
class Borrowed(Timer): pass
"""


def ask() -> str:
    return "real"


def other() -> str:
    return "other"


@pytest.fixture
def origin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A module with an original in it."""
    module: Any = ModuleType("origin")
    module.ask = like(ask, ask)  # no method even where a class binds it, as builtins are
    module.other = like(other, other)
    monkeypatch.setitem(sys.modules, "origin", module)
    yield module


@pytest.fixture
def user(origin: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module that binds it in every way."""
    return load("user", monkeypatch)


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    exec(SOURCE, vars(module))
    return module


def made(origin: Any) -> Standins:
    return Standins([(origin.ask, like(ask, lambda: "stand-in"))])


def heard(module: Any) -> list[str]:
    timer = module.Timer()
    return [
        module.ask(),
        module.renamed(),
        timer.clock(),
        timer.read(),
        timer.read_static(),
        timer.read_class(),
        module.read(),
        module.read_two()[0],
        module.Borrowed().clock(),
    ]


def held_by(module: Any) -> list[object]:
    functions = [vars(module.Timer)["read"], module.Timer.read_static, module.read, module.read_two]
    names = [vars(module)[name] for name in ("ask", "renamed", "other", "read", "Timer")]
    clock = vars(module.Timer)["clock"]
    defaults = [function.__defaults__ for function in functions]
    return [*names, clock, *defaults, *module.Timer.read_class.__func__.__kwdefaults__.values()]


def test_every_binding_in_a_module_is_found_and_given_back(origin: Any, user: Any) -> None:
    before = held_by(user)
    standins = made(origin)
    assert heard(user) == ["real"] * 9
    for _ in range(3):
        standins.begin()
        assert heard(user) == ["stand-in"] * 9
        assert user.read_two()[1] == "other"
        standins.end()
        assert all(one is two for one, two in zip(before, held_by(user), strict=True))


def test_they_stay_while_one_run_lasts(origin: Any, user: Any) -> None:
    standins = made(origin)
    standins.begin()
    standins.begin()
    standins.end()
    assert user.ask() == "stand-in"
    standins.end()
    assert user.ask() == "real"


def test_a_module_loaded_meanwhile_is_given_back_too(
    origin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    standins = made(origin)
    original = origin.ask
    standins.begin()
    late = load("late", monkeypatch)
    assert heard(late) == ["stand-in"] * 9
    standins.end()
    assert heard(late) == ["real"] * 9
    assert late.ask is late.renamed is original
    standins.begin()
    assert heard(late) == ["stand-in"] * 9
    standins.end()


def test_what_was_rebound_meanwhile_stays_as_it_is(origin: Any, user: Any) -> None:
    standins = made(origin)
    standins.begin()
    user.ask = mine = partial(str, "mine")
    standins.end()
    assert user.ask is mine
    standins.begin()
    assert user.ask() == "mine"
    standins.end()


def test_a_lazy_module_is_not_loaded_by_the_search(
    origin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lazy(ModuleType):
        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(f"loaded for {name}")

    class Proxy:
        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(f"asked for {name}")

    monkeypatch.setitem(sys.modules, "lazy", Lazy("lazy"))
    monkeypatch.setitem(sys.modules, "no_module", None)
    holder: Any = ModuleType("holder")
    holder.proxy = Proxy()
    monkeypatch.setitem(sys.modules, "holder", holder)
    standins = made(origin)
    standins.begin()
    standins.end()


def test_a_module_that_is_loaded_later_brings_its_own_pairs(
    origin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pairs(module: ModuleType) -> Any:
        return [(vars(module)["late_ask"], lambda: "new")]

    standins = Standins([], late={"brings": pairs})
    standins.begin()
    standins.end()
    brings: Any = ModuleType("brings")
    brings.late_ask = ask
    monkeypatch.setitem(sys.modules, "brings", brings)
    standins.begin()
    assert brings.late_ask() == "new"
    standins.end()
    assert brings.late_ask is ask


def test_an_inherited_attribute_is_added_and_removed() -> None:
    class Base:
        def ask(self) -> str:
            return "base"

    class Derived(Base):
        pass

    patch = Attribute.of(Derived, "ask", lambda self: "patched")
    patch.put()
    assert (Derived().ask(), Base().ask()) == ("patched", "base")
    patch.take()
    assert "ask" not in vars(Derived)
    patch.take()  # once more changes nothing
    assert Derived().ask() == "base"
