"""Fault plans: what shall go wrong in one run, as values; `plan_file` reads and writes them.

A plan names its sites; only a fault-free run says whether they exist, so a plan is checked
twice: on its own when it is read, and against the run when it is resolved. Nobody is run here.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, get_args

from robotape.errors import RobotapeError
from robotape_harness.faults.catalogue import every_kind, kind_of
from robotape_harness.faults.fault import Boundary, Fault, Mode, Phase, Site
from robotape_harness.faults.when import When

__all__ = ["FaultPlan", "PlanError", "PlannedFault", "nearest"]

SEEDS = 2**63  # seeds are kept in files that other languages read
ALIAS = re.compile(r"(?P<name>\w+)(?:\[[^\]]*\]|:[^#]+)?(?:#[1-9]\d*)?")
OF_THE_RUN = {"await": "run", "commit": "run", "write": "run"}
EXAMPLES = "tool:refund#1, llm[desk]#2 or mcp:search"
PHASES: tuple[Phase, ...] = get_args(Phase)


class PlanError(RobotapeError, ValueError):
    """A plan cannot be carried out.

    Attributes:
        source: The file; `plan` for one that was built in Python.
        line: 1-based line of the file; 0 where there is none.
    """

    def __init__(self, source: str, line: int, message: str) -> None:
        self.source = source
        self.line = line
        place = f"{source}:{line}" if line else source
        super().__init__(f"{place}: {message}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFault:
    """One fault, at a site that only a run can show to exist.

    Attributes:
        at: Alias of the site, `tool:refund#2`; without a count every call of that name.
        do: Kind, by its name in the catalogue.
        phase: None takes the first one in which the kind can happen.
        mode: Once, or as long as the run lasts.
        params: What the kind leaves open; what is not set has the catalogue's value.
        when: Which of the attempts at the site.
        line: Where it stands in its file; 0 where there is none.
    """

    at: str
    do: str
    phase: Phase | None = None
    mode: Mode = "once"
    params: Mapping[str, Any] = field(default_factory=dict)
    when: When = field(default_factory=When)
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """What shall go wrong in one run.

    Attributes:
        faults: The outermost first.
        seed: Of the run; None leaves it to who runs it.
        expected: Oracles that the run is to be accused by; empty for a run that must hold.
        source: The file it comes from.

    Raises:
        PlanError: It contradicts itself, or names what the catalogue does not have.
    """

    faults: tuple[PlannedFault, ...]
    seed: int | None = None
    expected: tuple[str, ...] = ()
    source: str = "plan"

    def __post_init__(self) -> None:
        if self.seed is not None and not 0 <= self.seed < SEEDS:
            raise PlanError(self.source, 0, f"seed must lie in [0, {SEEDS}), got {self.seed}")
        for planned in self.faults:
            self._check(planned)
        self._check_together()

    def resolve(self, sites: Iterable[Site]) -> tuple[Fault, ...]:
        """Find the sites of a fault-free run that the plan names.

        Args:
            sites: Of the run, as `sites_of` lists them, and whatever else a fault can be put at.

        Returns:
            The faults, in the plan's order.

        Raises:
            PlanError: There is no such site, or the kind cannot happen there.
        """
        known = {site.alias: site for site in sites}
        return tuple(self._resolved(planned, known) for planned in self.faults)

    def _check(self, planned: PlannedFault) -> None:
        """Refuse what no run could make possible."""
        boundary = _boundary(planned.at)
        if boundary is None:
            self._refuse(planned, f"{planned.at!r} is no site; one looks like {EXAMPLES}")
        names = [kind.name for kind in every_kind(boundary)]
        if planned.do not in names:
            self._refuse(
                planned,
                f"no fault at {boundary} is called {planned.do!r}{_hint(planned.do, boundary)}",
            )

    def _check_together(self) -> None:
        """Refuse a fault that another one keeps from ever happening."""
        lasting: dict[str, PlannedFault] = {}
        for planned in self.faults:
            before = lasting.get(planned.at)
            if before is not None:
                who = f"{before.do} (line {before.line})" if before.line else before.do
                why = f"{who} strikes every attempt at {planned.at} first"
                self._refuse(planned, f"it can never happen: {why}")
            if _spares_nothing(planned):
                lasting[planned.at] = planned

    def _resolved(self, planned: PlannedFault, known: Mapping[str, Site]) -> Fault:
        site = known.get(planned.at) or _every_call(planned.at, known)
        if site is None:
            there = ", ".join(known) or "none"
            near = nearest(planned.at, known)
            self._refuse(
                planned, f"the fault-free run has no {planned.at}{near}; there are: {there}"
            )
        kind = next(kind for kind in every_kind(site.boundary) if kind.name == planned.do)
        params = {**kind.params, **planned.params}
        phases = PHASES if planned.phase is None else (planned.phase,)
        refusal = ""
        for phase in phases:
            fault = Fault(planned.do, site, phase, planned.mode, params, planned.when)
            try:
                kind_of(fault)
            except ValueError as error:
                refusal = refusal or str(error)
            else:
                return fault
        return self._refuse(planned, refusal)

    def _refuse(self, planned: PlannedFault, message: str) -> NoReturn:
        raise PlanError(self.source, planned.line, message)


def _boundary(alias: str) -> Boundary | None:
    """The boundary that a site of this name is at; None if it is no name of a site."""
    found = ALIAS.fullmatch(alias)
    if found is None:
        return None
    name = OF_THE_RUN.get(found["name"], found["name"])
    return next((each for each in get_args(Boundary) if each == name), None)


def _every_call(alias: str, known: Mapping[str, Site]) -> Site | None:
    """The site of every call of a name that has no count, if the run makes one."""
    if "#" in alias:
        return None
    one = next((site for each, site in known.items() if each.partition("#")[0] == alias), None)
    return None if one is None else replace(one, alias=alias, place="")


def _spares_nothing(planned: PlannedFault) -> bool:
    """Whether it strikes every attempt at its site before anything further in could."""
    kinds = {kind.name: kind for kind in every_kind(_boundary(planned.at) or "tool")}
    fails = kinds[planned.do].error is not None
    is_first = planned.phase in (None, "before_commit")
    return planned.mode == "forever" and planned.when == When() and fails and is_first


def _hint(name: str, boundary: Boundary) -> str:
    elsewhere = [
        other
        for other in get_args(Boundary)
        if other != boundary and name in {kind.name for kind in every_kind(other)}
    ]
    if elsewhere:
        return f"; it is one at {' and '.join(elsewhere)}"
    names = [kind.name for kind in every_kind(boundary)]
    return f"{nearest(name, names)}; there are: {', '.join(names) or 'none'}"


def nearest(name: str, names: Iterable[str]) -> str:
    """What was probably meant, as the end of a sentence; empty if nothing is near."""
    near = difflib.get_close_matches(name, list(names), n=1)
    return f", did you mean {near[0]!r}?" if near else ""
