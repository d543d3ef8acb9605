"""A fault as a value: what goes wrong, with which call, in which phase, when and how often."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from robotape.calls import Call
from robotape.models.kinds import StepType
from robotape.models.record import Record
from robotape.runtime import Run, derive, logical_id
from robotape.tape import Tape
from robotape_harness.faults.when import When

__all__ = ["Boundary", "Fault", "Mode", "Phase", "Site", "sites_of"]

Boundary = Literal["tool", "llm", "mcp", "http", "wire", "run"]
Phase = Literal["before_commit", "after_commit", "duplicate_delivery", "late_reply"]
Mode = Literal["once", "forever"]

PHASES: Mapping[Phase, str] = {
    "before_commit": "before commit",
    "after_commit": "after commit",
    "duplicate_delivery": "by duplicate delivery",
    "late_reply": "with late reply",
}


@dataclass(frozen=True, slots=True)
class Site:
    """Where a fault can be put: one call of the fault-free run, every call of a name, a cut.

    Attributes:
        boundary: Where it crosses; `run` for a cut, of the run as a whole.
        alias: Readable name, `tool:refund#2` or `llm[planner]#1`; counts are 1-based. Without a
            count, `tool:refund` or `llm[planner]`: every call of that name, where `place` is
            empty. Of a cut `await#7`, `write#7` or `commit#7`.
        place: What its call ids begin with; it does not move with the schedule. Empty for
            every call of the name.
        asks_for_tools: For a model call: whether its answer called any tool.
        is_keyed: For a tool: whether the call says by an `effect_key` what it does, and so
            promises that doing it again is harmless.
    """

    boundary: Boundary
    alias: str
    place: str = ""
    asks_for_tools: bool = False
    is_keyed: bool = False

    def covers(self, call_id: str) -> bool:
        """Whether a call is at this site; a model asked again in the same turn still is.

        A site of every call of a name covers none, for an id does not tell the name: see
        `meets`.
        """
        if not self.place:
            return False
        if self.boundary == "llm":
            return call_id.rpartition("[")[0] == self.place
        return call_id == self.place

    def meets(self, call: Call) -> bool:
        """Whether an attempt crosses here."""
        if call.kind != self.boundary:
            return False
        if self.place:
            return self.covers(call.call_id)
        return self.alias == _name(call.kind, call.target, call.agent)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong: where, in which phase, when, and what.

    Attributes:
        kind: What, by its name in the catalogue, such as `timeout`.
        site: Where.
        phase: Before the effect or after it: what fails before it keeps the effect from
            happening, what fails after it loses the reply. Or the request is delivered twice,
            or the effect happens when nobody waits for the reply any more. A delay fails
            nothing.
        mode: Once, or as long as the run lasts.
        params: What the kind leaves open, such as `seconds` of a delay.
        when: Which of the attempts that reach the site; by default the first of them for
            `once`, and all for `forever`.
    """

    kind: str
    site: Site
    phase: Phase
    mode: Mode
    params: dict[str, Any] = field(default_factory=dict)
    when: When = field(default_factory=When)

    @property
    def manner(self) -> str:
        """Kind and phase in words, `error before commit`; of a cut the kind alone."""
        return self.kind if self.site.boundary == "run" else f"{self.kind} {PHASES[self.phase]}"

    def __str__(self) -> str:
        if self.site.boundary == "run":
            return f"{self.manner} at {self.site.alias}"
        often = "once" if self.mode == "once" else "for ever"
        return f"{self.manner} at {self.site.alias}, {often}{self.when}"


def _name(kind: str, target: str, agent: str) -> str:
    """What the aliases of calls that are alike begin with."""
    return f"llm[{agent}]" if kind == "llm" else f"{kind}:{target}"


def sites_of(tape: Tape) -> list[Site]:
    """The calls of a fault-free run, in the order they were first made.

    Source:
        Names by logical site, not by global index, so that an edit elsewhere does not move
        them: Filibuster, issue 76.
    """
    found: dict[str, Site] = {}
    counts: dict[str, int] = {}
    run_id = Run(tape.seed).run_id
    for entry in tape:
        kind = (entry.facts or {}).get("kind")
        # An answer out of a cache is on the tape as well, and no attempt was made that could fail.
        if kind is not None and entry.type is StepType.ACTION:
            place = entry.call_id.rpartition("[")[0] if kind == "llm" else entry.call_id
            if place not in found:
                name = _name(kind, entry.node, entry.agent)
                counts[name] = counts.get(name, 0) + 1
                alias = f"{name}#{counts[name]}"
                found[place] = Site(kind, alias, place, is_keyed=_is_keyed(entry, run_id))
        elif entry.type.value == "thought" and "tool_calls" in entry.value:
            place = entry.call_id.rpartition("[")[0]
            if place in found:
                found[place] = replace(found[place], asks_for_tools=True)
    return list(found.values())


def _is_keyed(entry: Record, run_id: str) -> bool:
    """Whether the key of a call is one that its tool declared; else it is made of the id."""
    key = (entry.facts or {}).get("key")
    return key is not None and key != derive(run_id, logical_id(entry.call_id))
