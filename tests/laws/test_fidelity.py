"""The law of fidelity: what fails in the middle of a long search fails the same way alone.

Source:
    reference/simulation.md §4: with tasks that hash by address, 0 or 1 of 25 failing seeds
    of simulated loops failed in the same way in a process of their own.
"""

import itertools
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from robotape_harness.simulation.choices import Choices
from robotape_harness.simulation.trial import simulate
from tests.laws.fan_out import SCENARIO, run

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("fan_out.py")
FAILING = 25
SEARCHED = 400
PROCESSES = 2  # at a time, and as many hash seeds


@cache
def failing() -> tuple[dict[str, object], ...]:
    """The first failing runs of one search, all in this process."""
    found = (outcome for seed in range(SEARCHED) if (outcome := run(seed))["verdicts"])
    return tuple(itertools.islice(found, FAILING))


def alone(seed: int) -> dict[str, object]:
    """The same run in a process of its own, under another hash seed each time."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "harness"), str(ROOT)]),
        "PYTHONHASHSEED": str(1 + seed % PROCESSES),
    }
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(seed)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    outcome: dict[str, object] = json.loads(done.stdout)
    return outcome


def test_25_failing_seeds_of_one_search_fail_identically_in_a_fresh_process() -> None:
    found = failing()
    assert len(found) == FAILING
    seeds = [int(str(outcome["seed"])) for outcome in found]
    with ThreadPoolExecutor(PROCESSES) as pool:
        again = list(pool.map(alone, seeds))
    assert again == list(found)


def test_control_the_failures_are_many_and_not_all_seeds_fail() -> None:
    found = failing()
    assert len({str(outcome["closed"]) for outcome in found}) > FAILING // 2
    assert len({outcome["tape"] for outcome in found}) == FAILING
    assert int(str(found[-1]["seed"])) >= FAILING


def test_a_failing_seed_replays_from_its_recorded_choices() -> None:
    for outcome in failing():
        seed = int(str(outcome["seed"]))
        choices = Choices.seeded(seed)
        first = simulate(SCENARIO, seed=seed, choices=choices)
        replayed = simulate(SCENARIO, seed=seed, choices=Choices.replay(choices.recorded))
        assert replayed.tape.to_bytes() == first.tape.to_bytes()
        assert replayed.outcome == first.outcome
