"""A fault as a value: what goes wrong, with which call, in which phase, how often."""

from dataclasses import dataclass, field
from typing import Any, Literal

from robotape.models.kinds import StepType
from robotape.tape import Tape

__all__ = ["Boundary", "Fault", "Mode", "Phase", "Site", "sites_of"]

Boundary = Literal["tool", "llm", "mcp", "http", "wire"]
Phase = Literal["before_commit", "after_commit"]
Mode = Literal["once", "forever"]


@dataclass(frozen=True, slots=True)
class Site:
    """One call of the fault-free run, at which a fault can be put.

    Attributes:
        boundary: Where it crosses.
        alias: Readable name, `tool:refund#2` or `llm[planner]#1`; counts are 1-based.
        place: What its call ids begin with; it does not move with the schedule.
        asks_for_tools: For a model call: whether its answer called any tool.
    """

    boundary: Boundary
    alias: str
    place: str
    asks_for_tools: bool = False

    def covers(self, call_id: str) -> bool:
        """Whether a call is at this site; a model asked again in the same turn still is."""
        if self.boundary == "llm":
            return call_id.rpartition("[")[0] == self.place
        return call_id == self.place


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong with one call.

    Attributes:
        kind: Name in the catalogue, such as `timeout`.
        site: Where.
        phase: Before the effect or after it. What fails before it keeps the effect from
            happening; what fails after it loses the reply. A delay does neither.
        mode: At the first attempt only, or at every attempt.
        params: What the kind leaves open, such as `seconds` of a delay.
    """

    kind: str
    site: Site
    phase: Phase
    mode: Mode
    params: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        often = "once" if self.mode == "once" else "for ever"
        return f"{self.kind} {self.phase.replace('_', ' ')} at {self.site.alias}, {often}"


def sites_of(tape: Tape) -> list[Site]:
    """The calls of a fault-free run, in the order they were first made.

    Source:
        Names by logical site, not by global index, so that an edit elsewhere does not move
        them: Filibuster, issue 76.
    """
    found: dict[str, Site] = {}
    counts: dict[str, int] = {}
    for entry in tape:
        kind = (entry.facts or {}).get("kind")
        # An answer out of a cache is on the tape as well, and no attempt was made that could fail.
        if kind is not None and entry.type is StepType.ACTION:
            place = entry.call_id.rpartition("[")[0] if kind == "llm" else entry.call_id
            if place not in found:
                name = f"llm[{entry.agent}]" if kind == "llm" else f"{kind}:{entry.node}"
                counts[name] = counts.get(name, 0) + 1
                found[place] = Site(kind, f"{name}#{counts[name]}", place)
        elif entry.type.value == "thought" and "tool_calls" in entry.value:
            place = entry.call_id.rpartition("[")[0]
            if place in found:
                old = found[place]
                found[place] = Site(old.boundary, old.alias, old.place, asks_for_tools=True)
    return list(found.values())
