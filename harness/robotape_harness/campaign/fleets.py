"""A fleet and its provider's outage: two runs, without it and with it, as evidence for oracles."""

from robotape_harness.faults.fleet import Fleet
from robotape_harness.faults.provider import SharedProvider
from robotape_harness.oracles.verdict import Evidence
from robotape_harness.simulation.trial import Limits, simulate

__all__ = ["strike_fleet"]


def strike_fleet(fleet: Fleet, *, seed: int = 0, limits: Limits | None = None) -> Evidence:
    """Run a fleet without the outage, then with it.

    Args:
        fleet: Who asks, who answers, and when not.
        seed: Of both runs; each member's derives from it.
        limits: What one run may use up.
    """
    crowd = fleet.as_scenario()
    steady = SharedProvider(fleet.provider)
    baseline = simulate(crowd, seed=seed, interceptors=[steady], limits=limits)
    failing = SharedProvider(fleet.provider, fleet.outage)
    trial = simulate(crowd, seed=seed, interceptors=[failing], limits=limits)
    return Evidence(trial=trial, baseline=baseline, struck=failing.struck, oracles=crowd.oracles)
