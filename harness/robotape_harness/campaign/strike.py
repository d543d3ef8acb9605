"""One case, one run: simulates it and gathers what the oracles are to judge."""

from robotape.models.kinds import StepType
from robotape_harness.faults.case import Case
from robotape_harness.faults.cuts import injector_of
from robotape_harness.oracles.verdict import Evidence
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.choices import Choices
from robotape_harness.simulation.schedules import Schedule
from robotape_harness.simulation.trial import Limits, Trial, simulate

__all__ = ["limits_for", "strike"]

# What a run under a fault may need of the fault-free run's steps; a hanging one uses it up.
FACTOR = 100
FEWEST = 10_000
FEWEST_CALLS = 1_000


def strike(
    scenario: Scenario,
    case: Case,
    baseline: Trial,
    *,
    choices: Choices | None = None,
    schedule: Schedule | None = None,
    limits: Limits | None = None,
) -> Evidence:
    """Run a scenario as a case has it.

    Args:
        scenario: What is run.
        case: The seed, what is injected, and what is decided.
        baseline: The fault-free run of the same scenario under the same seed.
        choices: Decide in place of the case's own, to look for another schedule; `choices` of
            the trial then has what they decided.
        schedule: What decides where `choices` come from a seed; None for uniform.
        limits: What the run may use up; None derives it from the baseline.
    """
    injectors = [injector_of(fault) for fault in case.faults]
    trial = simulate(
        scenario,
        seed=case.seed,
        choices=case.replayed() if choices is None else choices,
        schedule=schedule,
        interceptors=injectors,
        limits=limits or limits_for(baseline),
    )
    cancelled = [each.cancelled_at for each in injectors if each.cancelled_at is not None]
    return Evidence(
        trial=trial,
        baseline=baseline,
        struck=tuple(injector.struck for injector in injectors),
        cancelled_at=min(cancelled, default=None),
        oracles=scenario.oracles,
    )


def limits_for(baseline: Trial) -> Limits:
    """What a run under a fault may use up: a hundred times what the fault-free run did.

    And at least 10,000 steps and 1,000 attempts of calls.

    Soon enough to try hundreds of faults on an agent that hangs, and far beyond what any
    number of sensible retries takes.
    """
    steps = max(FEWEST, FACTOR * baseline.steps)
    attempts = sum(1 for entry in baseline.tape if entry.type is StepType.ACTION)
    calls = max(FEWEST_CALLS, FACTOR * attempts)
    return Limits(steps=10 * steps, idle_steps=steps, calls=calls)
