"""The fault catalogue: which faults there are, and which of them cannot happen; data in calls.toml.

It knows what a kind raises, not how that is done to a call: see `inject`.
"""

import builtins
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any, get_args

from robotape import errors
from robotape.errors import is_permanent, mark_permanent
from robotape_harness.faults.fault import Boundary, Fault, Mode, Phase, Site

__all__ = ["Impossible", "Kind", "impossible", "kind_of", "kinds", "possible"]

DATA = "calls.toml"
TIME = "seconds"
PHASES: tuple[Phase, ...] = get_args(Phase)
MODES: tuple[Mode, ...] = get_args(Mode)
MODULES = {"builtins": builtins, "json": json, "robotape.errors": errors}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One sort of fault at one boundary.

    Attributes:
        boundary: Where.
        name: Unique at its boundary.
        does: Name of the behaviour that carries it out.
        source: Row of reference/faults.md that shows it in the wild.
        transient: Whether its error may pass; None where it raises none.
        error: Class of what is raised; None where nothing is.
        arguments: What the error is made with.
        options: The same, by name.
        params: What a fault may set otherwise, with its defaults; `seconds` is virtual time.
    """

    boundary: Boundary
    name: str
    does: str
    source: str
    transient: bool | None = None
    error: type[Exception] | None = None
    arguments: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)

    def seconds(self, fault: Fault) -> float:
        """Virtual seconds the fault takes; >= 0."""
        return float({**self.params, **fault.params}.get(TIME, 0.0))

    def raised(self, fault: Fault) -> Exception:
        """The error of one fault, made anew: of the real seam's class, with a note.

        Raises:
            TypeError: The kind raises nothing, or the fault sets what the class does not take.
        """
        if self.error is None:
            raise TypeError(f"the fault {self.name} raises no error")
        params = {**self.params, **fault.params}
        params.pop(TIME, None)
        error = self.error(*self.arguments, **{**self.options, **params})
        error.add_note(f"robotape: injected {fault}")
        if self.transient is False and not is_permanent(error):
            mark_permanent(error)
        return error


@dataclass(frozen=True, slots=True, kw_only=True)
class Impossible:
    """Why some pairs of site, kind, phase and mode cannot happen; None stands for any.

    Attributes:
        reason: For the report.
        boundary: Where.
        kind: Name of the kind.
        phase: Of the fault.
        mode: Of the fault.
        asks_for_tools: Whether the site's answer calls a tool.
    """

    reason: str
    boundary: Boundary | None = None
    kind: str | None = None
    phase: Phase | None = None
    mode: Mode | None = None
    asks_for_tools: bool | None = None

    def covers(self, fault: Fault) -> bool:
        """Whether a fault is one of these."""
        site = fault.site
        wanted = (self.boundary, self.kind, self.phase, self.mode, self.asks_for_tools)
        got = (site.boundary, fault.kind, fault.phase, fault.mode, site.asks_for_tools)
        return all(want in (None, have) for want, have in zip(wanted, got, strict=True))


def kinds(boundary: Boundary) -> tuple[Kind, ...]:
    """The kinds at a boundary, in the order of the catalogue."""
    return tuple(kind for kind in _catalogue()[0] if kind.boundary == boundary)


def kind_of(fault: Fault) -> Kind:
    """What the catalogue says of a fault.

    Raises:
        ValueError: There is no such kind at its boundary, or the pair cannot happen.
    """
    boundary = fault.site.boundary
    known = {kind.name: kind for kind in kinds(boundary)}
    if fault.kind not in known:
        raise ValueError(
            f"no fault at {boundary} is called {fault.kind!r}; there are: {', '.join(known)}"
        )
    reason = _why_not(fault)
    if reason:
        raise ValueError(f"{fault} cannot happen: {reason}")
    return known[fault.kind]


def possible(site: Site) -> list[Fault]:
    """Every fault that can happen at a site, in the order of the catalogue.

    Returns:
        Kind by kind; within a kind before_commit first, within a phase once first.
    """
    return [fault for fault in _all(site) if not _why_not(fault)]


def impossible(site: Site) -> list[tuple[str, str]]:
    """Every fault that cannot happen at a site, and why; with `possible`, all there are."""
    return [(str(fault), reason) for fault in _all(site) if (reason := _why_not(fault))]


def _all(site: Site) -> Iterator[Fault]:
    for kind, phase, mode in product(kinds(site.boundary), PHASES, MODES):
        yield Fault(kind.name, site, phase, mode, dict(kind.params))


def _why_not(fault: Fault) -> str:
    """Why a fault cannot happen; empty if it can."""
    return next((row.reason for row in _catalogue()[1] if row.covers(fault)), "")


@cache
def _catalogue() -> tuple[tuple[Kind, ...], tuple[Impossible, ...]]:
    data = tomllib.loads((files(__name__) / DATA).read_text(encoding="utf-8"))
    return (
        tuple(_kind(row) for row in data["kind"]),
        tuple(Impossible(**row) for row in data["impossible"]),
    )


def _kind(row: dict[str, Any]) -> Kind:
    arguments = tuple(row.pop("arguments", ()))
    error = row.pop("error", None)
    return Kind(**row, arguments=arguments, error=None if error is None else _class(error))


def _class(path: str) -> type[Exception]:
    module, _, name = path.rpartition(".")
    found = getattr(MODULES[module], name)
    if not (isinstance(found, type) and issubclass(found, Exception)):
        raise TypeError(f"{path} in {DATA} is no exception class")
    return found
