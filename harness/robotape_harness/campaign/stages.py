"""The stages of a campaign: each proposes cases, and is told what came of them.

They decide and run nothing. A batch is settled before any of it is run and the next is asked for
when all of it has an outcome, so what is tried depends on no worker and no clock.
"""

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

from robotape_harness.campaign.outcome import Outcome
from robotape_harness.campaign.proposal import Proposal, fault_key
from robotape_harness.campaign.sweep import Sweep
from robotape_harness.faults.case import Case
from robotape_harness.faults.cuts import cuts_of, not_cut
from robotape_harness.faults.fault import Fault
from robotape_harness.simulation.trial import Trial

__all__ = ["Known", "Proposals", "Stage", "cuts", "recorded", "schedules", "singles"]

Proposals = Generator[Sequence[Proposal], Sequence[Outcome], None]
"""Yields batches, is sent their outcomes; a batch that was cut short is the last."""

CUT = "run"  # the boundary of cuts
BATCH = 16  # schedules that are drawn at a time
ALONE = "no two tasks were ever ready at once"
LULL = 128  # schedules in a row that show no new interleaving, after which no more are drawn


@dataclass(slots=True)
class Known:
    """What a campaign knows so far.

    Attributes:
        seed: Of every run.
        baseline: The fault-free run.
        plan: Every single fault.
        earlier: Cases that earlier campaigns found failing.
        singles: What came of each single fault that was tried, in the order of the plan.
        failing: Sets of faults, by their keys, under which something is wrong.
        left_out: Stage -> why cases were left out -> how many.
        possible: Stage -> how many cases it has in all; not there where nobody can tell.
    """

    seed: int
    baseline: Trial
    plan: Sweep
    earlier: Sequence[Case] = ()
    singles: list[tuple[Fault, Outcome]] = field(default_factory=list)
    failing: set[frozenset[str]] = field(default_factory=set)
    left_out: dict[str, Counter[str]] = field(default_factory=dict)
    possible: dict[str, int] = field(default_factory=dict)

    def learn(self, proposal: Proposal, outcome: Outcome) -> None:
        """Take in what came of a case."""
        faults = proposal.case.faults
        is_bare = len(faults) == 1 and proposal.case == Case(seed=self.seed, faults=faults)
        if is_bare and faults[0].site.boundary != CUT:
            self.singles.append((faults[0], outcome))
        if outcome.state in {"finding", "waived"} and faults:
            fired = [fault for fault, hit in zip(faults, outcome.fired, strict=True) if hit]
            self.failing.add(frozenset(map(fault_key, fired)))


@dataclass(frozen=True, slots=True)
class Stage:
    """One part of a campaign.

    Attributes:
        name: As the user asks for it.
        noun: What its cases are called, in the plural.
        propose: Begins it.
        is_search: Whether it is open-ended, or nearly so: then it is done when its share of the
            budget is spent. All others must be done before a scenario can be called sound.
        share: Of what the budget leaves to the open-ended stages, at most this part; in (0, 1].
    """

    name: str
    noun: str
    propose: Callable[[Known], Proposals]
    is_search: bool = False
    share: float = 1.0


def recorded(known: Known) -> Proposals:
    """What failed before, whatever it was."""
    known.possible["recorded"] = len(known.earlier)
    yield [Proposal(case) for case in known.earlier]


def singles(known: Known) -> Proposals:
    """Every single fault, once and for ever, under the fault-free run's schedule."""
    faults = known.plan.faults
    known.possible["singles"] = len(faults)
    yield [Proposal(Case(seed=known.seed, faults=(fault,))) for fault in faults]


def cuts(known: Known) -> Proposals:
    """A cancellation between any two steps, and a death at every write and every effect."""
    found = cuts_of(known.baseline)
    known.possible["cuts"] = len(found)
    reason = not_cut(known.baseline)
    if reason:
        known.left_out["cuts"] = Counter({reason: 1})
    yield [Proposal(Case(seed=known.seed, faults=(cut,))) for cut in found]


def schedules(known: Known) -> Proposals:
    """Other orders of the tasks, and no fault, until they show nothing new."""
    edges: set[int] = set()
    since, number, size = 0, 1, 1
    while since < LULL:
        batch = range(number, number + size)
        outcomes = yield [Proposal(Case(seed=known.seed), order=order) for order in batch]
        for outcome in outcomes:
            seen = outcome.turns.edges if outcome.turns else frozenset[int]()
            since = since + 1 if seen <= edges else 0
            edges |= seen
        if not any(outcome.turns and outcome.turns.decisions for outcome in outcomes):
            known.left_out["schedules"] = Counter({ALONE: 1})
            return
        number, size = number + size, BATCH
