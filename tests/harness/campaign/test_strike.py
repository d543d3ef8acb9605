"""Laws of one run under one fault: what is judged is that run, and only that."""

from robotape_harness.campaign.strike import limits_for, strike
from robotape_harness.faults.fault import Fault, sites_of
from robotape_harness.simulation.choices import Choices
from robotape_harness.simulation.trial import Limits, simulate
from tests.harness.oracles.planted import doing, pay_42, paying, under

SCENARIO = doing(pay_42, paying())


def test_the_evidence_tells_what_was_planned_and_what_happened() -> None:
    evidence = under(SCENARIO, "error", mode="forever")
    assert (evidence.fired, evidence.transient, evidence.cancelled_at) == (4, True, None)
    assert under(SCENARIO, "permanent_error").transient is False
    assert under(SCENARIO, "delay").transient is None
    assert under(SCENARIO, "cancellation").cancelled_at == 0.0


def test_the_same_fault_under_the_same_seed_gives_the_same_bytes() -> None:
    first, second = (under(SCENARIO, "timeout", mode="forever") for _ in range(2))
    assert first.trial.tape.to_bytes() == second.trial.tape.to_bytes()


def test_control_another_seed_gives_other_waits() -> None:
    baseline = simulate(SCENARIO)
    [site] = sites_of(baseline.tape)
    fault = Fault("error", site, "before_commit", "forever")
    first, other = (strike(SCENARIO, fault, baseline, seed=seed) for seed in (0, 1))
    assert first.trial.tape.to_bytes() != other.trial.tape.to_bytes()


def test_without_a_fault_only_the_choices_set_a_run_apart() -> None:
    baseline = simulate(SCENARIO)
    evidence = strike(SCENARIO, None, baseline, choices=Choices.seeded(3))
    assert (evidence.fault, evidence.fired) == (None, 0)
    assert evidence.trial.tape.to_bytes() == baseline.tape.to_bytes()


def test_limits_grow_with_the_fault_free_run_and_have_a_floor() -> None:
    baseline = simulate(SCENARIO)
    limits = limits_for(baseline)
    assert limits.idle_steps == 10_000 < limits.steps
    object.__setattr__(baseline, "steps", 5_000)
    assert limits_for(baseline).idle_steps == 500_000
    assert limits.blocked == Limits().blocked
