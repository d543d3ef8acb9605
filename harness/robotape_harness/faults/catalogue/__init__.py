"""The fault catalogue: which faults there are, and which of them cannot happen; data in *.toml.

It knows what a kind raises, not how that is done to a call: see `inject`.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.resources import files
from itertools import product
from typing import Any, Literal, get_args

from robotape.errors import is_permanent, mark_permanent
from robotape_harness.faults.fault import Boundary, Fault, Mode, Phase, Site

__all__ = ["Impossible", "Kind", "Tier", "every_kind", "impossible", "kind_of", "kinds", "possible"]

DATA = ("calls.toml", "llm_variants.toml", "tool_variants.toml")
TIME = "seconds"
PHASES: tuple[Phase, ...] = get_args(Phase)
MODES: tuple[Mode, ...] = get_args(Mode)

Tier = Literal["sweep", "variant", "plan"]
"""When a kind is tried: always; where variants are asked for; only if a plan names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One sort of fault at one boundary.

    Attributes:
        boundary: Where.
        name: Unique at its boundary.
        does: Name of the behaviour that carries it out.
        source: Row of reference/faults.md that shows it in the wild.
        tier: When it is tried.
        like: The kind at its boundary whose handling a variant shares; empty for the others.
        provider: Who answers like this; empty where any of them does.
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
    tier: Tier = "sweep"
    like: str = ""
    provider: str = ""
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
        does: Behaviour of the kind.
        phase: Of the fault.
        mode: Of the fault.
        asks_for_tools: Whether the site's answer calls a tool.
        is_keyed: Whether the site's call declares what it does.
        at: What the site's alias begins with.
        obvious: Whether it goes without saying, so that reports do not list it.
    """

    reason: str
    boundary: Boundary | None = None
    kind: str | None = None
    does: str | None = None
    phase: Phase | None = None
    mode: Mode | None = None
    asks_for_tools: bool | None = None
    is_keyed: bool | None = None
    at: str = ""
    obvious: bool = False

    def covers(self, fault: Fault, kind: Kind) -> bool:
        """Whether a fault of a kind is one of these. What cannot happen, no variant of it can."""
        site = fault.site
        pairs = (
            (self.boundary, site.boundary),
            (self.does, kind.does),
            (self.phase, fault.phase),
            (self.mode, fault.mode),
            (self.asks_for_tools, site.asks_for_tools),
            (self.is_keyed, site.is_keyed),
        )
        is_of_kind = self.kind in (None, kind.name, kind.like)
        is_there = is_of_kind and site.alias.startswith(self.at)
        return is_there and all(want in (None, have) for want, have in pairs)


def kinds(boundary: Boundary) -> tuple[Kind, ...]:
    """The kinds that a sweep tries at a boundary, in the order of the catalogue."""
    return tuple(kind for kind in every_kind(boundary) if kind.tier == "sweep")


@cache
def every_kind(boundary: Boundary) -> tuple[Kind, ...]:
    """All kinds at a boundary, variants and what only plans inject included, in its order.

    Guarantee: a name is there once.
    """
    return tuple(_kind(row) for row in _rows("kind") if row["boundary"] == boundary)


def kind_of(fault: Fault) -> Kind:
    """What the catalogue says of a fault.

    Raises:
        ValueError: There is no such kind at its boundary, or the pair cannot happen.
    """
    boundary = fault.site.boundary
    known = {kind.name: kind for kind in every_kind(boundary)}
    if fault.kind not in known:
        there = ", ".join(known) or "none"
        raise ValueError(f"no fault at {boundary} is called {fault.kind!r}; there are: {there}")
    why_not = _why_not(fault, known[fault.kind])
    if why_not:
        raise ValueError(f"{fault} cannot happen: {why_not.reason}")
    return known[fault.kind]


def possible(site: Site, *, variants: bool = False) -> list[Fault]:
    """Every fault that can happen at a site, in the order of the catalogue.

    Args:
        site: Where.
        variants: Also those that an agent meets as one of the others.

    Returns:
        Kind by kind; within a kind before_commit first, within a phase once first.
    """
    return [fault for fault, kind in _all(site, variants) if not _why_not(fault, kind)]


def impossible(site: Site) -> list[tuple[str, str]]:
    """Every fault that cannot happen at a site, and why, but for what goes without saying.

    Returns:
        (fault, why); with `possible`, all that anybody might expect.
    """
    refused = [(fault, _why_not(fault, kind)) for fault, kind in _all(site)]
    return [(str(fault), row.reason) for fault, row in refused if row and not row.obvious]


def _all(site: Site, variants: bool = False) -> Iterator[tuple[Fault, Kind]]:
    tiers = ("sweep", "variant") if variants else ("sweep",)
    tried = [kind for kind in every_kind(site.boundary) if kind.tier in tiers]
    for kind, phase, mode in product(tried, PHASES, MODES):
        yield Fault(kind.name, site, phase, mode, dict(kind.params)), kind


def _why_not(fault: Fault, kind: Kind) -> Impossible | None:
    """Why a fault of a kind cannot happen; None if it can."""
    return next((row for row in _impossible() if row.covers(fault, kind)), None)


@cache
def _impossible() -> tuple[Impossible, ...]:
    return tuple(Impossible(**row) for row in _rows("impossible"))


@cache
def _rows(table: str) -> tuple[dict[str, Any], ...]:
    documents = (tomllib.loads((files(__name__) / name).read_text("utf-8")) for name in DATA)
    return tuple(row for document in documents for row in document.get(table, ()))


def _kind(row: Mapping[str, Any]) -> Kind:
    facts: dict[str, Any] = {"tier": "variant" if "like" in row else "sweep", **row}
    facts["arguments"] = tuple(row.get("arguments", ()))
    if "error" in row:
        facts["error"] = _class(row["error"])
    return Kind(**facts)


def _class(path: str) -> type[Exception]:
    """The class of that name; its module is loaded where a site of its boundary is met."""
    module, _, name = path.rpartition(".")
    # optional dependency: robotape.mcp needs the MCP SDK, which whoever has such a site has
    found = getattr(import_module(module), name)
    if not (isinstance(found, type) and issubclass(found, Exception)):
        raise TypeError(f"{path} in the fault catalogue is no exception class")
    return found
