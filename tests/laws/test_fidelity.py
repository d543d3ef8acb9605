"""The law of fidelity: what fails in the middle of a long search fails the same way alone.

Every way of waiting for several tasks; `make check-determinism` runs more of them.

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

import pytest

from robotape_harness.simulation.choices import Choice, dump_choices, load_choices
from tests.laws.fan_out import WAYS, run

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("fan_out.py")
FAILING = 25
ALONE = {"in_a_group": FAILING}  # fresh processes; a few for the other ways
FEW = 4
SEARCHED = 400
PROCESSES = 2  # at a time, and as many hash seeds

ways = pytest.mark.parametrize("way", WAYS)


@cache
def failing(way: str) -> tuple[dict[str, object], ...]:
    """The first failing runs of one search, all in this process."""
    found = (outcome for seed in range(SEARCHED) if (outcome := run(seed, way))["verdicts"])
    return tuple(itertools.islice(found, FAILING))


def alone(seed: int, way: str) -> dict[str, object]:
    """The same run in a process of its own, under another hash seed each time."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "harness"), str(ROOT)]),
        "PYTHONHASHSEED": str(1 + seed % PROCESSES),
    }
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(seed), way],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    outcome: dict[str, object] = json.loads(done.stdout)
    return outcome


def choices_of(outcome: dict[str, object]) -> list[Choice]:
    """What was decided in a run."""
    recorded = outcome["choices"]
    assert isinstance(recorded, list)
    return [Choice(*entry) for entry in recorded]


@ways
def test_failing_seeds_of_one_search_fail_identically_in_a_fresh_process(way: str) -> None:
    found = failing(way)
    assert len(found) == FAILING
    chosen = found[:: FAILING // ALONE.get(way, FEW)]
    seeds = [int(str(outcome["seed"])) for outcome in chosen]
    with ThreadPoolExecutor(PROCESSES) as pool:
        again = list(pool.map(lambda seed: alone(seed, way), seeds))
    assert again == list(chosen)
    assert len(again) >= ALONE.get(way, FEW)


@ways
def test_control_the_failures_are_many_and_not_all_seeds_fail(way: str) -> None:
    found = failing(way)
    assert len({str(outcome["closed"]) for outcome in found}) > FAILING // 3
    assert len({outcome["tape"] for outcome in found}) == FAILING
    assert int(str(found[-1]["seed"])) >= FAILING


@ways
def test_a_failing_seed_replays_from_its_recorded_choices(way: str) -> None:
    for outcome in failing(way):
        recorded = load_choices(dump_choices(choices_of(outcome)))
        assert run(int(str(outcome["seed"])), way, recorded) == outcome
