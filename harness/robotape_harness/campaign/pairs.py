"""The stage of pairs: two faults in one run, without those that can show nothing new.

Left out is what goes as a smaller case went; what only probably does comes last.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from robotape_harness.campaign.outcome import Outcome
from robotape_harness.campaign.proposal import Proposal, fault_key
from robotape_harness.campaign.stages import Known, Proposals
from robotape_harness.campaign.traces import END, Trace, trace_of
from robotape_harness.faults.case import Case
from robotape_harness.faults.catalogue import possible
from robotape_harness.faults.fault import Fault, Site

__all__ = ["FAILING", "PairPlan", "SEEN", "UNREACHED", "pairs", "plan_pairs"]

BATCH = 64
FAILING = "contain a fault that fails alone"
UNREACHED = "the first fault keeps the run from the second"
SEEN = "stand as another run stood when the second strikes"


@dataclass(frozen=True, slots=True)
class _Start:
    """A fault behind which others are tried, at one site.

    Attributes:
        first: What strikes first.
        seconds: What may strike then, the most telling first.
    """

    first: Fault
    seconds: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class PairPlan:
    """Which pairs are worth a run, in which order.

    Attributes:
        starts: Those first that the result is known to depend on.
        left_out: Why pairs were left out -> how many.
    """

    starts: tuple[_Start, ...]
    left_out: Counter[str]

    def __len__(self) -> int:
        return sum(len(start.seconds) for start in self.starts)

    def __iter__(self) -> Iterator[tuple[Fault, Fault]]:
        """Every start with its most telling second fault, then every start with its next one."""
        for rank in range(max((len(start.seconds) for start in self.starts), default=0)):
            for start in self.starts:
                if rank < len(start.seconds):
                    yield start.first, start.seconds[rank]


def pairs(known: Known) -> Proposals:
    """Two faults, the second at a call that follows the first in the run the first one makes."""
    plan = plan_pairs(known)
    known.left_out["pairs"] = plan.left_out
    known.possible["pairs"] = len(plan)
    left = iter(plan)
    while batch := list(islice(left, BATCH)):
        yield [Proposal(Case(seed=known.seed, faults=pair)) for pair in batch]


def plan_pairs(known: Known) -> PairPlan:
    """Sort out the pairs of the single faults that were tried.

    Left out are supersets of a failing case; pairs whose first fault keeps the run from ever
    reaching the second; and pairs in which things stand, when the second strikes, as they stood
    in a run that it is tried in already, with nothing of the first still to come.

    Last come pairs with a call that the result is known not to depend on: whatever happened to
    it alone, the outcome was the same and nothing else was called in its place; and pairs whose
    first fault does for ever what it does once. Of second faults that a run took alike when they
    came alone, one comes before the others.

    Source:
        Filibuster (supersets, dynamic reduction; SoCC 2021); lineage-driven fault injection
        (Alvaro, Rosen, Hellerstein, SIGMOD 2015), its lineage observed instead of derived.
    """
    return _Planner(known).plan()


class _Planner:
    def __init__(self, known: Known) -> None:
        self._known = known
        self._sites = known.plan.sites
        self._alone = {fault_key(fault): outcome for fault, outcome in known.singles}
        self._left_out: Counter[str] = Counter()
        by_place: dict[str, list[tuple[Fault, Outcome]]] = {}
        for fault, outcome in known.singles:
            by_place.setdefault(fault.site.place, []).append((fault, outcome))
        self._all = {place: len(tried) for place, tried in by_place.items()}
        self._seconds = {place: _ranked(tried) for place, tried in by_place.items()}
        self._beside = {place for place, tried in by_place.items() if _is_beside(tried)}

    def plan(self) -> PairPlan:
        needed: list[_Start] = []
        late: list[_Start] = []
        standing = trace_of(self._known.baseline, (), self._sites)
        seen = {(place, state, "") for place, state in standing.states.items()}
        for first, outcome in self._known.singles:
            if outcome.trace is None or outcome.state == "not_reached":
                continue
            for site in self._later(first, outcome.trace):
                start = self._start(first, outcome, site, seen)
                if start is not None:
                    is_late = self._is_late(first, outcome, site)
                    (late if is_late else needed).append(start)
        return PairPlan((*needed, *late), self._left_out)

    def _is_late(self, first: Fault, outcome: Outcome, site: Site) -> bool:
        """Whether it most probably shows nothing new."""
        if not self._beside.isdisjoint((first.site.place, site.place)):
            return True
        once = self._alone.get(fault_key(replace(first, mode="once")))
        is_same = once is not None and once is not outcome and once.trace == outcome.trace
        return first.mode == "forever" and is_same

    def _later(self, first: Fault, trace: Trace) -> Iterator[Site]:
        """The sites that come behind a fault, those included that only it brings forth."""
        places = [site.place for site in self._sites]
        where = places.index(first.site.place)
        if not _is_lasting(first) and first.site.place in {*trace.repeated, *trace.retried}:
            yield first.site  # where the next attempt is the second fault's
        yield from self._sites[where + 1 :]
        yield from trace.revealed

    def _start(
        self, first: Fault, outcome: Outcome, site: Site, seen: set[tuple[str, str, str]]
    ) -> _Start | None:
        """What is worth trying at one site behind one fault; None for nothing."""
        place = site.place
        seconds = self._seconds.get(place)
        if seconds is None:
            seconds = self._seconds[place] = tuple(possible(site))
            self._all[place] = len(seconds)
        if _is_failing(outcome):
            self._left_out[FAILING] += self._all[place]
            return None
        self._left_out[FAILING] += self._all[place] - len(seconds)
        state = outcome.trace.states.get(place) if outcome.trace else None
        if state is None:
            self._left_out[UNREACHED] += len(seconds)
            return None
        if place != first.site.place:
            standing = (place, state, fault_key(first) if _is_lasting(first) else "")
            if standing in seen:
                self._left_out[SEEN] += len(seconds)
                return None
            seen.add(standing)
        return self._without_known(first, seconds)

    def _without_known(self, first: Fault, seconds: Sequence[Fault]) -> _Start | None:
        key = fault_key(first)
        failing = self._known.failing
        left = tuple(
            second for second in seconds if frozenset({key, fault_key(second)}) not in failing
        )
        return _Start(first, left) if left else None


def _is_lasting(fault: Fault) -> bool:
    """Whether something of it may be still to come when its call is over."""
    return fault.mode == "forever" or fault.phase in {"duplicate_delivery", "late_reply"}


def _ranked(tried: Sequence[tuple[Fault, Outcome]]) -> tuple[Fault, ...]:
    """Faults of one site that do not fail alone; of each sort of reaction one, then the others."""
    counts: Counter[object] = Counter()
    ranked: list[tuple[int, Fault]] = []
    for fault, outcome in tried:
        if not _is_failing(outcome):
            reaction = _reaction(outcome)
            ranked.append((counts[reaction], fault))
            counts[reaction] += 1
    return tuple(fault for _, fault in sorted(ranked, key=lambda pair: pair[0]))


def _reaction(outcome: Outcome) -> object:
    """How a run took a fault."""
    trace = outcome.trace
    if trace is None:
        return outcome.state
    return outcome.state, trace.states.get(END), bool(trace.retried), len(trace.states)


def _is_beside(tried: Sequence[tuple[Fault, Outcome]]) -> bool:
    """Whether the result does not depend on a call, as far as single faults can show it."""
    return all(
        outcome.state == "recovered" and not (outcome.trace and outcome.trace.revealed)
        for _, outcome in tried
        if outcome.state != "not_reached"
    )


def _is_failing(outcome: Outcome) -> bool:
    return outcome.state in {"finding", "waived", "unjudged", "blocked"}
