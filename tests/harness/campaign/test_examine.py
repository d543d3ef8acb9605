"""Laws of the examiner: a case comes to the same, whatever was run before it."""

from robotape_harness.campaign.examine import Examiner
from robotape_harness.campaign.proposal import Proposal
from robotape_harness.campaign.sweep import plan_sweep
from robotape_harness.faults.case import Case
from robotape_harness.simulation.trial import simulate
from tests.harness.oracles.planted import doing, pay_42, paying

SCENARIO = doing(pay_42, paying())
BASELINE = simulate(SCENARIO)
PLAN = plan_sweep(BASELINE.tape)
CASES = [Proposal(Case(faults=(fault,)), order) for fault in PLAN.faults for order in (None, 4)]


def examiner() -> Examiner:
    return Examiner(SCENARIO, {0: BASELINE}, PLAN.sites)


def test_the_order_of_the_cases_changes_nothing() -> None:
    one, other = examiner(), examiner()
    forwards = {case.key: one(case) for case in CASES}
    backwards = {case.key: other(case) for case in reversed(CASES)}
    assert forwards == backwards
    assert {outcome.state for outcome in forwards.values()} >= {"finding", "failed"}


def test_a_case_of_another_seed_is_judged_by_the_fault_free_run_of_that_seed() -> None:
    fault = PLAN.faults[0]
    evidence = examiner().evidence(Case(seed=7, faults=(fault,)))
    assert evidence.fault_free.tape.to_bytes() == simulate(SCENARIO, seed=7).tape.to_bytes()
    assert evidence.fault_free.tape.to_bytes() != BASELINE.tape.to_bytes()
