"""Laws of coverage: what was tried is counted by its outcome, and the worst is what is shown."""

from robotape_harness.campaign.coverage import Tally
from robotape_harness.campaign.outcome import Outcome, State
from robotape_harness.campaign.proposal import Proposal
from robotape_harness.campaign.stages import Known
from robotape_harness.campaign.sweep import plan_sweep
from robotape_harness.campaign.traces import Trace, Turns
from robotape_harness.faults.case import Case
from robotape_harness.faults.catalogue import kinds
from robotape_harness.faults.fault import Fault, Site
from robotape_harness.simulation.trial import simulate
from tests.harness.oracles.planted import doing, pay_42, paying_with_key

BASELINE = simulate(doing(pay_42, paying_with_key()))
PLAN = plan_sweep(BASELINE.tape)
ALIAS = "tool:pay#1"
PLACE = PLAN.sites[0].place


def tally(stage: str = "singles") -> Tally:
    counted = Tally(Known(0, BASELINE, PLAN))
    counted.begin(stage)
    return counted


def note(counted: Tally, fault: Fault, state: State, trace: Trace | None = None) -> None:
    outcome = Outcome(state=state, fired=(state != "not_reached",), trace=trace)
    counted.note("singles", Proposal(Case(faults=(fault,))), outcome)


def test_nothing_is_tried_at_the_beginning() -> None:
    coverage = tally().coverage()
    assert (coverage.possible, coverage.tried) == (len(PLAN.faults), 0)
    assert coverage.impossible == PLAN.impossible
    assert set(coverage.by_site[ALIAS].values()) == {"untried"}
    assert (coverage.effects, coverage.refused, coverage.orders) == (1, 0, None)


def test_kinds_stand_in_the_order_of_the_catalogue() -> None:
    shown = list(tally().coverage().by_site[ALIAS])
    assert shown == [kind.name for kind in kinds("tool")]


def test_the_worst_of_a_kind_is_shown_and_all_are_counted() -> None:
    counted = tally()
    errors = [fault for fault in PLAN.faults if fault.kind == "error"]
    states: tuple[State, ...] = ("recovered", "failed", "waived", "finding")
    shown = []
    for fault, state in zip(errors, states, strict=True):
        note(counted, fault, state)
        shown.append(counted.coverage().by_site[ALIAS]["error"])
    assert shown == ["untried", "untried", "waived", "finding"]
    assert counted.coverage().outcomes[ALIAS]["error"] == dict.fromkeys(states, 1)
    for fault in PLAN.faults:
        note(counted, fault, "recovered")
    assert counted.coverage().tried == counted.coverage().possible
    assert set(counted.coverage().by_site[ALIAS].values()) == {"recovered"}


def test_every_possible_pair_is_counted_once() -> None:
    cells = tally().coverage().outcomes[ALIAS].values()
    assert sum(cell.get("untried", 0) for cell in cells) == len(PLAN.faults)


def test_a_run_that_could_not_be_judged_was_not_tried() -> None:
    counted = tally()
    note(counted, PLAN.faults[0], "unjudged")
    assert counted.coverage().tried == 0
    assert len(counted.doubts) == 1


def test_a_fault_that_struck_nothing_is_named() -> None:
    counted = tally()
    note(counted, PLAN.faults[0], "not_reached")
    assert counted.coverage().vacuous == (str(PLAN.faults[0]),)


def test_retries_and_calls_made_only_under_faults_are_named() -> None:
    counted = tally()
    other = Site("tool", "tool:other#1", "doer/tool:other[0]")
    note(counted, PLAN.faults[0], "recovered", Trace({}, retried=(PLACE,), revealed=(other,)))
    coverage = counted.coverage()
    assert (coverage.retried, coverage.revealed) == ((ALIAS,), ("tool:other#1",))


def test_stages_are_counted_with_what_they_left_out() -> None:
    counted = tally()
    note(counted, PLAN.faults[0], "finding")
    (stage,) = counted.coverage().stages
    assert (stage.name, stage.tried, stage.findings, stage.possible) == ("singles", 1, 1, None)


def orders_of(*seen: Turns) -> Tally:
    counted = tally("schedules")
    for turns in seen:
        outcome = Outcome(state="recovered", turns=turns)
        counted.note("schedules", Proposal(Case(), order=1), outcome)
    return counted


def test_orders_are_counted_and_what_is_unseen_is_estimated() -> None:
    twice = Turns(order=1, edges=frozenset({1, 2}), schedule=1, decisions=3)
    once = Turns(order=2, edges=frozenset({2, 3}), schedule=2, decisions=3)
    orders = orders_of(twice, twice, once).coverage().orders
    assert orders is not None
    assert (orders.runs, orders.schedules, orders.orders, orders.new) == (3, 2, 2, (3,))
    assert orders.unseen == round(1 / 3, 4)


def test_each_hundred_runs_has_its_own_count_of_what_is_new() -> None:
    seen = [Turns(n, frozenset({n // 2}), n, 1) for n in range(150)]
    orders = orders_of(*seen).coverage().orders
    assert orders is not None and orders.new == (50, 25)


def test_control_where_nothing_was_decided_there_are_no_orders() -> None:
    assert orders_of(Turns(1, frozenset(), 1, 0)).coverage().orders is None
