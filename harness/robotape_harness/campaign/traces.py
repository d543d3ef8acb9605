"""Traces: what a tape tells a search: how things stood at each call, and in which order they went.

Two runs that stood alike at a call go on alike from there, so what was tried in the one need
not be tried in the other.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from zlib import crc32

from robotape.models.kinds import StepStatus, StepType
from robotape.models.record import Record
from robotape_harness.campaign.proposal import fault_key
from robotape_harness.faults.fault import Site, sites_of
from robotape_harness.faults.inject import Struck
from robotape_harness.simulation.trial import Trial

__all__ = ["END", "Trace", "Turns", "trace_of", "turns_of"]

SWITCH = "schedule:order"  # whether a schedule decides at all; it chooses no task
END = "end"
"""In place of a site: how things stood when the run was over."""


@dataclass(frozen=True, slots=True)
class Trace:
    """How one run went, as far as a search has to know.

    Attributes:
        states: Place of a site, or `end` -> 16 hexadecimal digits for how things stood when its
            first attempt began; only what was reached, in that order.
        retried: Places at which an attempt failed and another followed.
        repeated: Places at which a model was asked again in the same turn.
        revealed: Sites that the fault-free run does not have.
    """

    states: Mapping[str, str]
    retried: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    revealed: tuple[Site, ...] = ()


@dataclass(frozen=True, slots=True)
class Turns:
    """The order of a run's steps.

    Attributes:
        order: The same for runs whose steps came in the same order.
        edges: Which step came right behind which.
        schedule: The same for runs whose tasks took turns in the same way, seen on the tape or not.
        decisions: How often there was more than one task to choose from.
    """

    order: int
    edges: frozenset[int]
    schedule: int
    decisions: int


def trace_of(trial: Trial, struck: Iterable[Struck], sites: Sequence[Site]) -> Trace:
    """Read the trace of a run.

    How things stand is: which calls were made and what came of each, which attempts got as far
    as the effect, what was committed, which struck calls have not ended yet, and how late it is,
    in powers of two. An attempt that never reached the effect and was made again by the corridor
    leaves nothing behind that the agent or its world could know, so it does not count.

    Args:
        trial: The run.
        struck: What it met.
        sites: Of the fault-free run.

    Source:
        Filibuster's dynamic reduction: Meiklejohn et al., Service-level fault injection testing,
        SoCC 2021.
    """
    return _Reader(trial, tuple(struck), {site.place for site in sites}).trace()


def turns_of(trial: Trial) -> Turns:
    """Read the order of a run's steps.

    Source:
        simulation.md §8: new interleaving edges per hundred runs, as simloom keeps them.
    """
    steps = [crc32(f"{e.call_id} {e.type.value} {e.attempt}".encode()) for e in trial.tape]
    order = crc32(b"".join(step.to_bytes(4, "big") for step in steps))
    edges = (crc32(after.to_bytes(4, "big"), before) for before, after in pairwise(steps))
    decided = trial.choices.recorded
    schedule = crc32(repr([tuple(choice) for choice in decided]).encode())
    decisions = sum(choice.label != SWITCH for choice in decided)
    return Turns(order, frozenset(edges), schedule, decisions)


class _Reader:
    """Goes over a tape once."""

    def __init__(self, trial: Trial, struck: Sequence[Struck], known: set[str]) -> None:
        self._trial = trial
        self._blows = {blow: fault_key(each.fault) for each in struck for blow in each.attempts}
        self._blunted = {
            blow
            for each in struck
            if each.transient is not None and each.fault.phase == "before_commit"
            for blow in each.attempts
        }
        self._known = known
        self._hash = blake2b(digest_size=8)
        self._states: dict[str, str] = {}
        self._retried: dict[str, None] = {}
        self._repeated: dict[str, None] = {}
        self._open: dict[str, str] = {}
        self._commits: dict[str, list[tuple[float, str]]] = {}
        for commit in trial.ledger.commits:
            self._commits.setdefault(commit.call_id, []).append((commit.at, commit.identity))

    def trace(self) -> Trace:
        """Go over it."""
        last_at = 0.0
        for entry in self._trial.tape:
            if entry.type is StepType.ACTION and entry.attempt:
                self._begin(entry)
            elif not self._is_passing(entry):
                self._take(entry)
                self._end(entry)
            last_at = entry.at
        self._states[END] = self._state(last_at)
        revealed: tuple[Site, ...] = ()
        if not self._known.issuperset(self._states.keys() - {END}):
            found = sites_of(self._trial.tape)
            revealed = tuple(site for site in found if site.place not in self._known)
        return Trace(self._states, tuple(self._retried), tuple(self._repeated), revealed)

    def _begin(self, entry: Record) -> None:
        """An attempt: where it is the first of its site, see how things stand."""
        place = _place_of(entry)
        if entry.attempt > 1:
            self._retried[place] = None
        elif place in self._states:
            self._repeated[place] = None
        else:
            self._states[place] = self._state(entry.at)
        blow = entry.call_id, entry.attempt
        if blow in self._blows:
            self._open[entry.call_id] = self._blows[blow]
        if blow not in self._blunted:
            self._take(entry)

    def _is_passing(self, entry: Record) -> bool:
        """Whether it ends an attempt that the corridor makes again."""
        is_error = entry.type is StepType.ERROR and entry.status is StepStatus.FAILED
        return is_error and (entry.facts or {}).get("delay") is not None

    def _end(self, entry: Record) -> None:
        """A call is over: what it committed, and that no fault is at work in it any more."""
        if entry.type is StepType.THOUGHT:
            return
        self._open.pop(entry.call_id, None)
        for committed_at, identity in self._commits.get(entry.call_id, ()):
            if committed_at <= entry.at:
                self._hash.update(f"\n+{identity}".encode())

    def _take(self, entry: Record) -> None:
        self._hash.update(f"\n{entry.type.value} {entry.status.value} {entry.call_id} ".encode())
        self._hash.update(entry.content)

    def _state(self, at: float) -> str:
        found = self._hash.copy()
        for committed_at, identity in self._commits.get("", ()):
            if committed_at < at:
                found.update(f"\n+{identity}".encode())
        for call_id, fault in self._open.items():
            found.update(f"\n!{call_id} {fault}".encode())
        found.update(b"%d" % math.log2(1.0 + max(at, 0.0)))
        return found.hexdigest()


def _place_of(entry: Record) -> str:
    return entry.call_id.rpartition("[")[0] if entry.node == "llm" else entry.call_id
