"""One fault, one run: simulates it and gathers what the oracles are to judge."""

from robotape.models.kinds import StepType
from robotape_harness.faults.catalogue import kind_of
from robotape_harness.faults.fault import Fault
from robotape_harness.faults.inject import FaultInjector
from robotape_harness.oracles.verdict import Evidence
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.choices import Choices
from robotape_harness.simulation.trial import Limits, Trial, simulate

__all__ = ["limits_for", "strike"]

# What a run under a fault may need of the fault-free run's steps; a hanging one uses it up.
FACTOR = 100
FEWEST = 10_000
FEWEST_CALLS = 1_000


def strike(
    scenario: Scenario,
    fault: Fault | None,
    baseline: Trial,
    *,
    seed: int = 0,
    choices: Choices | None = None,
    limits: Limits | None = None,
) -> Evidence:
    """Run a scenario under one fault.

    Args:
        scenario: What is run.
        fault: What is injected; None for a run that only its choices set apart.
        baseline: The fault-free run of the same scenario under the same seed.
        seed: Of the run.
        choices: Every decision of the schedule; None is first in, first out.
        limits: What the run may use up; None derives it from the baseline.
    """
    limits = limits or limits_for(baseline)
    if fault is None:
        trial = simulate(scenario, seed=seed, choices=choices, limits=limits)
        return Evidence(trial=trial, baseline=baseline)
    injector = FaultInjector(fault)
    trial = simulate(scenario, seed=seed, choices=choices, interceptors=(injector,), limits=limits)
    return Evidence(
        trial=trial,
        baseline=baseline,
        fault=fault,
        transient=kind_of(fault).transient,
        fired=injector.fired,
        cancelled_at=injector.cancelled_at,
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
