"""How much of what can go wrong was tried, and what it did, counted as the campaign goes."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from robotape_harness.campaign.baseline import refusals
from robotape_harness.campaign.outcome import Outcome
from robotape_harness.campaign.proposal import Proposal, fault_key
from robotape_harness.campaign.stages import Known
from robotape_harness.campaign.traces import Turns
from robotape_harness.faults.catalogue import kinds

__all__ = ["Coverage", "IMPOSSIBLE", "Orders", "StageCoverage", "Tally", "WORST_FIRST"]

IMPOSSIBLE = "impossible"
WORST_FIRST = (
    "finding",
    "waived",
    "untried",
    "not_reached",
    "failed",
    "recovered",
    IMPOSSIBLE,
)
"""What a fault can have come to."""

HUNDRED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCoverage:
    """What one stage has tried.

    Attributes:
        name: Of the stage.
        tried: Cases run.
        possible: Cases there are, without those left out; None where nobody can tell.
        findings: Cases under which something was wrong, those that show a known bug included.
        left_out: Why cases were not worth a run -> how many.
    """

    name: str
    tried: int
    possible: int | None
    findings: int
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """How much was seen of the orders in which tasks can take turns.

    Attributes:
        runs: Whose schedule was drawn.
        schedules: Distinct ones.
        orders: Distinct orders of the steps on the tape.
        new: In each hundred runs, how many steps came right behind a step as never before.
        unseen: Chance that a further run shows an order not seen yet, in [0, 1].
    """

    runs: int
    schedules: int
    orders: int
    new: tuple[int, ...]
    unseen: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of what could go wrong was tried.

    Attributes:
        possible: Pairs of site, kind, phase and mode that can happen.
        tried: Of these, how many were run.
        impossible: (pair, why it cannot happen), from the committed table.
        by_site: Alias -> kind -> what it came to, worst over phases and modes: `finding`,
            `waived`, `untried`, `not_reached`, `failed`, `recovered` or `impossible`.
        outcomes: Alias -> kind -> how many of its pairs came to what.
        stages: In the order in which they were gone through.
        vacuous: Faults that were tried and struck nothing.
        retried: Sites of the fault-free run at which something was seen to be tried again.
        revealed: Calls that the fault-free run does not make.
        effects: What the fault-free run committed; without any, none can be lost or doubled.
        refused: Calls of the fault-free run that the policy refused: nothing behind them was tried.
        orders: Of the runs whose schedule was drawn; None where there was nothing to draw.
    """

    possible: int
    tried: int
    impossible: tuple[tuple[str, str], ...]
    by_site: dict[str, dict[str, str]]
    outcomes: Mapping[str, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)
    stages: tuple[StageCoverage, ...] = ()
    vacuous: tuple[str, ...] = ()
    retried: tuple[str, ...] = ()
    revealed: tuple[str, ...] = ()
    effects: int = 0
    refused: int = 0
    orders: Orders | None = None


class Tally:
    """The counts of one campaign.

    Attributes:
        doubts: (case, why) of those that could not be judged.
    """

    def __init__(self, known: Known) -> None:
        """Begin with nothing tried.

        Args:
            known: What the campaign knows; it is looked into when coverage is asked for.
        """
        self._known = known
        self._states: dict[str, str] = {}
        self._tried: dict[str, Counter[str]] = {}
        self._retried: set[str] = set()
        self._revealed: dict[str, None] = {}
        self._vacuous: dict[str, None] = {}
        self._turns = _TurnsTally()
        self.doubts: list[tuple[str, str]] = []

    def begin(self, stage: str) -> None:
        """Go over to a stage."""
        self._tried[stage] = Counter()

    def note(self, stage: str, proposal: Proposal, outcome: Outcome) -> None:
        """Count a case of a stage that was begun."""
        case = proposal.case
        self._tried[stage][outcome.state] += 1
        if outcome.state == "unjudged":
            self.doubts.append((str(case), outcome.trouble))
        elif stage == "singles" and outcome.state != "blocked":
            self._states[fault_key(case.faults[0])] = outcome.state
        if outcome.state == "not_reached":
            self._vacuous[str(case)] = None
        if outcome.trace is not None:
            self._retried.update(outcome.trace.retried)
            self._revealed.update(dict.fromkeys(site.alias for site in outcome.trace.revealed))
        if outcome.turns is not None:
            self._turns.note(outcome.turns)

    def tried(self, stage: str) -> int:
        """How many cases of a stage were run."""
        return self._tried[stage].total()

    def coverage(self) -> Coverage:
        """What was tried so far."""
        plan = self._known.plan
        outcomes = self._outcomes()
        return Coverage(
            possible=len(plan.faults),
            tried=len(self._states),
            impossible=plan.impossible,
            by_site={
                site: {kind: min(cell, key=WORST_FIRST.index) for kind, cell in row.items()}
                for site, row in outcomes.items()
            },
            outcomes=outcomes,
            stages=tuple(self._stage(name) for name in self._tried),
            vacuous=tuple(self._vacuous),
            retried=tuple(site.alias for site in plan.sites if site.place in self._retried),
            revealed=tuple(self._revealed),
            effects=len(self._known.baseline.ledger),
            refused=len(refusals(self._known.baseline)),
            orders=self._turns.orders(),
        )

    def _outcomes(self) -> dict[str, dict[str, dict[str, int]]]:
        found: dict[str, dict[str, dict[str, int]]] = {
            site.alias: {kind.name: {} for kind in kinds(site.boundary)}
            for site in self._known.plan.sites
        }
        for fault in self._known.plan.faults:
            cell = found[fault.site.alias][fault.kind]
            state = self._states.get(fault_key(fault), "untried")
            cell[state] = cell.get(state, 0) + 1
        for row in found.values():
            for cell in row.values():
                if not cell:
                    cell[IMPOSSIBLE] = 1
        return found

    def _stage(self, name: str) -> StageCoverage:
        counts = self._tried[name]
        return StageCoverage(
            name=name,
            tried=counts.total(),
            possible=self._known.possible.get(name),
            findings=counts["finding"],
            left_out={why: n for why, n in self._known.left_out.get(name, {}).items() if n},
        )


class _TurnsTally:
    """Counts orders as they come."""

    def __init__(self) -> None:
        self._schedules: set[int] = set()
        self._orders: Counter[int] = Counter()
        self._edges: set[int] = set()
        self._new: list[int] = []
        self._runs = self._decisions = 0

    def note(self, turns: Turns) -> None:
        if self._runs % HUNDRED == 0:
            self._new.append(0)
        self._runs += 1
        self._decisions += turns.decisions
        self._schedules.add(turns.schedule)
        self._orders[turns.order] += 1
        self._new[-1] += len(turns.edges - self._edges)
        self._edges |= turns.edges

    def orders(self) -> Orders | None:
        """What was seen so far.

        Source:
            Good, The population frequencies of species, Biometrika 1953: the chance of the
            unseen is the share of what was seen once.
        """
        if not self._decisions:
            return None
        once = sum(count == 1 for count in self._orders.values())
        return Orders(
            runs=self._runs,
            schedules=len(self._schedules),
            orders=len(self._orders),
            new=tuple(self._new),
            unseen=round(once / self._runs, 4),
        )
