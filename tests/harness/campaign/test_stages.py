"""Laws of stages: what they propose depends on what is known, and ends where nothing is new."""

from collections.abc import Callable

from robotape_harness.campaign.outcome import Outcome
from robotape_harness.campaign.proposal import Proposal, fault_key
from robotape_harness.campaign.stages import LULL, Known, Proposals, recorded, schedules, singles
from robotape_harness.campaign.sweep import plan_sweep
from robotape_harness.campaign.traces import Turns
from robotape_harness.faults.case import Case
from robotape_harness.simulation.trial import simulate
from tests.harness.oracles.planted import doing, pay_42, paying_with_key

BASELINE = simulate(doing(pay_42, paying_with_key()))
PLAN = plan_sweep(BASELINE.tape)


def known(earlier: tuple[Case, ...] = ()) -> Known:
    return Known(0, BASELINE, PLAN, earlier)


def played(stage: Proposals, answer: Callable[[Proposal], Outcome]) -> list[Proposal]:
    """Everything that a stage proposes."""
    seen: list[Proposal] = []
    batch = next(stage, ())
    while batch:
        seen += batch
        try:
            batch = stage.send([answer(proposal) for proposal in batch])
        except StopIteration:
            break
    return seen


def fine(_: Proposal) -> Outcome:
    return Outcome(state="recovered", fired=(True,))


def test_every_single_fault_is_proposed_once_in_the_order_of_the_plan() -> None:
    state = known()
    asked = [proposal.case.faults[0] for proposal in played(singles(state), fine)]
    assert list(map(fault_key, asked)) == list(map(fault_key, PLAN.faults))
    assert state.possible["singles"] == len(PLAN.faults)


def test_what_failed_before_is_tried_as_it_was() -> None:
    earlier = (Case(seed=3, faults=PLAN.faults[:2]),)
    assert played(recorded(known(earlier)), fine) == [Proposal(earlier[0])]
    assert played(recorded(known()), fine) == []


def turning(edges: Callable[[int], frozenset[int]], decisions: int) -> Callable[..., Outcome]:
    def answer(proposal: Proposal) -> Outcome:
        order = proposal.order or 0
        turns = Turns(order, edges(order), order, decisions)
        return Outcome(state="recovered", turns=turns)

    return answer


def test_schedules_end_when_they_show_nothing_new() -> None:
    asked = played(schedules(known()), turning(lambda order: frozenset({min(order, 20)}), 1))
    assert 20 + LULL <= len(asked) < 20 + LULL + 32
    assert [proposal.order for proposal in asked] == list(range(1, len(asked) + 1))


def test_control_as_long_as_there_is_something_new_they_go_on() -> None:
    asked = played(schedules(known()), turning(lambda order: frozenset({min(order, 600)}), 1))
    assert len(asked) > 600


def test_where_there_is_nothing_to_choose_one_schedule_says_so() -> None:
    state = known()
    asked = played(schedules(state), turning(lambda _: frozenset({1}), 0))
    assert len(asked) == 1
    assert list(state.left_out["schedules"]) == ["no two tasks were ever ready at once"]


def test_a_campaign_learns_what_fails_by_what_struck() -> None:
    state = known()
    faults = PLAN.faults[:2]
    state.learn(Proposal(Case(faults=faults)), Outcome(state="finding", fired=(True, False)))
    assert state.failing == {frozenset({fault_key(faults[0])})}
    assert state.singles == []


def test_control_a_fault_under_another_seed_is_no_single() -> None:
    state = known()
    faults = PLAN.faults[:1]
    state.learn(Proposal(Case(seed=1, faults=faults)), fine(Proposal(Case())))
    assert state.singles == []
    state.learn(Proposal(Case(faults=faults)), fine(Proposal(Case())))
    assert len(state.singles) == 1
