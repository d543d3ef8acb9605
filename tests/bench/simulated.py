"""The harness's cost table: simulated runs."""

import time
from collections.abc import Iterator
from statistics import median

import subject
from table import Row

from robotape_harness import Scenario, World, simulate

__all__ = ["rows"]


def rows() -> Iterator[Row]:
    """Runs a second on one core, of an agent that makes five calls, tape on."""
    scenario = Scenario(world=World, agent=lambda _: subject.agent(turns=2), task="weather?")
    trial = simulate(scenario, seed=1)
    assert trial.ending == "answered"
    assert len(trial.tape.query(status=None, type=None)) > 10
    rates = []
    for _ in range(7):
        start = time.process_time()
        for seed in range(100):
            simulate(scenario, seed=seed)
        rates.append(100 / (time.process_time() - start))
    yield Row("simulated runs of a 5-call agent", median(rates), 1000, "/s", at_least=True)
