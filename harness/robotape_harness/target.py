"""Targets: finds the scenario that `module:name` or `path/file.py:name` stands for.

It loads code and picks a value; it runs no scenario.
"""

import difflib
import importlib.util
import os
import sys
import sysconfig
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module as user_module  # the user's: no room of ours is loaded late
from pathlib import Path
from types import ModuleType

from robotape import errors
from robotape.errors import RobotapeError
from robotape_harness.scenario import Scenario

__all__ = [
    "Address",
    "AmbiguousTargetError",
    "MissingFileError",
    "MissingModuleError",
    "NoSuchScenarioError",
    "NotAScenarioError",
    "TargetError",
    "TargetImportError",
    "TargetSyntaxError",
    "imported",
    "opened",
]

PREFIX = "robotape_target_"  # no path in it, for type names get onto tapes


class TargetError(RobotapeError):
    """A target does not lead to a scenario.

    Attributes:
        target: As it was given.
    """

    def __init__(self, target: str, message: str) -> None:
        super().__init__(message)
        self.target = target


class MissingModuleError(TargetError):
    """There is no such module.

    Attributes:
        module: The name that was looked for.
    """

    def __init__(self, target: str, module: str) -> None:
        super().__init__(
            target,
            f"there is no module {module!r}, neither in this folder nor installed;"
            " a file is named path/to/file.py:scenario",
        )
        self.module = module


class MissingFileError(TargetError):
    """There is no such file.

    Attributes:
        path: As it was given.
        similar: Names of files there that resemble it.
    """

    def __init__(self, target: str, path: str, similar: Sequence[str]) -> None:
        meant = f"; did you mean {similar[0]}?" if similar else f", seen from {Path.cwd()}"
        super().__init__(target, f"there is no file {path}{meant}")
        self.path = path
        self.similar = tuple(similar)


class TargetSyntaxError(TargetError):
    """The target, or a module it imports, is not Python.

    Attributes:
        where: file:line.
    """

    def __init__(self, target: str, where: str, reason: str) -> None:
        super().__init__(target, f"{where} is not valid Python: {reason}")
        self.where = where


class TargetImportError(TargetError):
    """The target raised an error while it was imported.

    Attributes:
        where: file:line of the user's code that raised it.
        reason: The error, class and message.
    """

    def __init__(self, target: str, where: str, reason: str, hint: str = "") -> None:
        super().__init__(target, f"importing {target} failed at {where}: {reason}{hint}")
        self.where = where
        self.reason = reason


class NoSuchScenarioError(TargetError):
    """The module has no attribute of that name, or no scenario at all.

    Attributes:
        name: What was asked for; empty if nothing was.
        known: The scenarios there are.
    """

    def __init__(self, target: str, name: str, known: Sequence[str]) -> None:
        asked = f"{target} does not exist" if name else f"{target} holds no scenario"
        there = (
            f"; the scenarios there are: {', '.join(known)}"
            if known
            else "; write one: sound = Scenario(world=..., agent=..., task=...)"
        )
        super().__init__(target, asked + there)
        self.name = name
        self.known = tuple(known)


class NotAScenarioError(TargetError):
    """The attribute is something else.

    Attributes:
        found: What it is, in words.
        known: The scenarios there are.
    """

    def __init__(self, target: str, found: str, known: Sequence[str]) -> None:
        there = f"; the scenarios there are: {', '.join(known)}" if known else ""
        super().__init__(
            target,
            f"{target} is {found}, not a Scenario(world=..., agent=..., task=...){there}",
        )
        self.found = found
        self.known = tuple(known)


class AmbiguousTargetError(TargetError):
    """No scenario was named, and there are several.

    Attributes:
        known: Their names.
    """

    def __init__(self, target: str, known: Sequence[str]) -> None:
        ways = ", ".join(f"{target}:{name}" for name in known)
        super().__init__(target, f"{target} holds {len(known)} scenarios; name one: {ways}")
        self.known = tuple(known)


@dataclass(frozen=True, slots=True)
class Address:
    """A target in its parts.

    Attributes:
        target: As it was given.
        place: The module, or the file.
        name: Of the attribute; empty for none.
    """

    target: str
    place: str
    name: str

    @property
    def is_file(self) -> bool:
        """Whether the place is a file."""
        return self.place.endswith(".py")

    @property
    def stem(self) -> str:
        """The module's last name."""
        return Path(self.place).stem if self.is_file else self.place.rpartition(".")[2]

    @property
    def folder(self) -> Path:
        """What Python would put first on its path: the script's folder, or the current one."""
        return Path(self.place).resolve().parent if self.is_file else Path.cwd()


@contextmanager
def opened(target: str) -> Iterator[Scenario]:
    """Load a target; its folder can be imported from until the block is left.

    Guarantee: afterwards the import path is as it was, and modules found in a file's own
    folder are forgotten, so that the next target's siblings of the same names are its own.

    Args:
        target: `module:name` or `path/file.py:name`; the name may be left out where there is
            one scenario.

    Yields:
        The scenario, named `<module's last name>:<attribute>` unless it has a name.

    Raises:
        TargetError: One of its subclasses, with the way out in its text.
    """
    with imported(target) as (address, module):
        name, scenario = _pick(address, module)
        yield scenario if scenario.name else replace(scenario, name=f"{address.stem}:{name}")


@contextmanager
def imported(target: str) -> Iterator[tuple[Address, ModuleType]]:
    """Load the module of a target, as `opened` does, whatever the name stands for.

    Yields:
        The target in its parts, and the module.

    Raises:
        TargetError: There is no such module, or it cannot be imported.
    """
    address = _parse(target)
    with _importable(address):
        yield address, _load(address)


def _parse(target: str) -> Address:
    place, colon, name = target.rpartition(":")
    if not colon or target.endswith(".py"):
        place, name = target, ""
    return Address(target, place, name)


@contextmanager
def _importable(address: Address) -> Iterator[None]:
    path, known = list(sys.path), set(sys.modules)
    sys.path.insert(0, str(address.folder))
    try:
        yield
    finally:
        sys.path[:] = path
        if address.is_file:
            _forget(address.folder, known)


def _forget(folder: Path, known: set[str]) -> None:
    """Drop the top-level modules that came from a folder, with all below them."""
    new = {name for name in set(sys.modules) - known if "." not in name}
    siblings = {name for name in new if _lies_in(folder, sys.modules[name])}
    for name in list(sys.modules):
        if name.partition(".")[0] in siblings:
            del sys.modules[name]
    importlib.invalidate_caches()


def _lies_in(folder: Path, module: ModuleType) -> bool:
    places = [*getattr(module, "__path__", ()), getattr(module, "__file__", None) or ""]
    return any(place and Path(place).resolve().parent == folder for place in places)


def _load(address: Address) -> ModuleType:
    if address.is_file and not Path(address.place).is_file():
        raise MissingFileError(address.target, address.place, _similar(Path(address.place)))
    if not address.is_file and not all(map(str.isidentifier, address.place.split("."))):
        raise MissingModuleError(address.target, address.place)
    try:
        return _run_file(address) if address.is_file else user_module(address.place)
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except SyntaxError as error:
        where = f"{_short(error.filename or address.place)}:{error.lineno or 1}"
        raise TargetSyntaxError(address.target, where, error.msg) from error
    except BaseException as error:
        raise _explained(address, error) from error


def _run_file(address: Address) -> ModuleType:
    path = Path(address.place).resolve()
    name = _free_name(address.stem, path)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None  # a file that ends in .py has a loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _free_name(stem: str, path: Path) -> str:
    """The same name for the same file; another only while another file of this stem is open."""
    name, number = f"{PREFIX}{stem}", 1
    while getattr(sys.modules.get(name), "__file__", str(path)) != str(path):
        number += 1
        name = f"{PREFIX}{stem}_{number}"
    return name


def _explained(address: Address, error: BaseException) -> TargetError:
    if isinstance(error, ModuleNotFoundError) and _is_or_holds(error.name, address.place):
        return MissingModuleError(address.target, address.place)
    hint = ""
    if isinstance(error, ImportError) and "relative import" in str(error):
        hint = "; a file inside a package is named package.module:scenario"
    reason = f"{type(error).__name__}: {error}"
    return TargetImportError(address.target, _origin(address, error), reason, hint)


def _is_or_holds(missing: str | None, module: str) -> bool:
    return missing is not None and f"{module}.".startswith(f"{missing}.")


def _origin(address: Address, error: BaseException) -> str:
    """file:line of the innermost frame in the user's code."""
    paths = sysconfig.get_paths()
    ours = (os.path.dirname(__file__), os.path.dirname(errors.__file__))
    foreign = ("<", *ours, *(paths[name] for name in ("stdlib", "purelib", "platlib")))
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith(foreign):
            return f"{_short(frame.filename)}:{frame.lineno}"
    return address.place


def _similar(path: Path) -> list[str]:
    folder = path.parent
    names = sorted(each.name for each in folder.glob("*.py")) if folder.is_dir() else []
    return [str(folder / name) for name in difflib.get_close_matches(path.name, names)]


def _short(path: str) -> str:
    here = f"{os.getcwd()}{os.sep}"
    return path.removeprefix(here)


def _pick(address: Address, module: ModuleType) -> tuple[str, Scenario]:
    found = {name: value for name, value in vars(module).items() if isinstance(value, Scenario)}
    if address.name:
        if address.name not in vars(module):
            raise NoSuchScenarioError(address.target, address.name, list(found))
        value = vars(module)[address.name]
        if not isinstance(value, Scenario):
            raise NotAScenarioError(address.target, _in_words(value), list(found))
        return address.name, value
    if not found:
        raise NoSuchScenarioError(address.target, "", ())
    if len(found) > 1:
        raise AmbiguousTargetError(address.place, list(found))
    return next(iter(found.items()))


def _in_words(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if callable(value) and hasattr(value, "__name__"):
        return f"the function {value.__name__}"
    if isinstance(value, ModuleType):
        return "a module"
    kind = type(value).__name__
    return f"{'an' if kind[0].lower() in 'aeio' else 'a'} {kind}"
