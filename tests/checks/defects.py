"""`make campaign`: every planted agent of fixtures/defects is found, no sound twin is accused.

Each file there holds pairs of scenarios, `name` and `name_mended`, that differ in one bug; its
`PLANTED` says which oracle has to accuse the first of each pair. Every pair is hunted under
twenty seeds.
"""

import argparse
import importlib.util
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType

from robotape_harness import Choices, Scenario, run_campaign
from robotape_harness.campaign.budget import BUDGETS, Budget
from robotape_harness.campaign.fleets import strike_fleet
from robotape_harness.campaign.strike import strike
from robotape_harness.campaign.sweep import plan_sweep
from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Fault
from robotape_harness.faults.fleet import Fleet
from robotape_harness.oracles import judge
from robotape_harness.simulation.trial import Trial

FOLDER = Path(__file__).parent.parent.parent / "fixtures/defects"
SEEDS = 20
MIXED = 2  # other orders for every fault that happens once
AN_HOUR = {"retry_after": 3600.0}


@dataclass(frozen=True)
class Defect:
    """One planted bug, and its absence.

    Attributes:
        name: Of the planted scenario.
        oracle: Who has to accuse it.
        planted: The scenario with the bug.
        sound: The scenario without.
    """

    name: str
    oracle: str
    planted: Scenario | Fleet
    sound: Scenario | Fleet


def defects() -> list[Defect]:
    """All there are, file by file, as each file lists them."""
    return [defect for path in sorted(FOLDER.glob("*.py")) for defect in _defects_in(_load(path))]


def accusations(
    scenario: Scenario | Fleet,
    seed: int,
    *,
    until: str = "",
    budget: Budget | str = "ci",
    mixed: int = MIXED,
) -> Counter[str]:
    """Who accuses a scenario, and how often, in a campaign and a few cases beside it.

    Args:
        scenario: What is hunted.
        seed: Of every run.
        until: Once the campaign is over, stop as soon as this oracle accuses; empty to try
            everything.
        budget: Of the campaign.
        mixed: In how many other orders of the ready tasks every fault that happens once is tried.

    Raises:
        ValueError: The fault-free run cannot be measured against.
    """
    if isinstance(scenario, Fleet):
        return Counter(v.oracle for v in judge(strike_fleet(scenario, seed=seed)).verdicts)
    report = run_campaign(scenario, seed=seed, budget=budget, refine=None)
    if report.baseline is None or report.status == "target_error":
        raise ValueError(report.message)
    found = Counter(v.oracle for finding in report.findings for v in finding.verdicts)
    others = _elsewhere(scenario, seed, report.baseline, mixed)
    while not found[until]:
        accuser = next(others, None)
        if accuser is None:
            break
        found[accuser] += 1
    return +found


def _elsewhere(scenario: Scenario, seed: int, baseline: Trial, mixed: int) -> Iterator[str]:
    """What a campaign leaves out: plans that miss, and a provider that says: in an hour."""
    for index, fault in enumerate(plan_sweep(baseline.tape).faults):
        case = Case(seed=seed, faults=(fault,))
        if fault.kind == "rate_limit":
            yield from _judged(scenario, _later(case, fault), baseline, None)
        if fault.mode == "once":
            for number in range(index * mixed, (index + 1) * mixed):
                yield from _judged(scenario, case, baseline, number)


def _later(case: Case, fault: Fault) -> Case:
    return replace(case, faults=(replace(fault, params=AN_HOUR),))


def _judged(scenario: Scenario, case: Case, baseline: Trial, schedule: int | None) -> Iterator[str]:
    choices = None if schedule is None else Choices.seeded(1_000 * case.seed + schedule)
    evidence = strike(scenario, case, baseline, choices=choices)
    if evidence.trial.ending == "target_error":
        raise ValueError(f"{case}: {evidence.trial.error!r}")
    for verdict in judge(evidence, scenario.waived).verdicts:
        yield verdict.oracle


def _load(path: Path) -> ModuleType:
    """A file of defects; the files beside it are what it may import."""
    spec = importlib.util.spec_from_file_location(f"defects_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module


def _defects_in(module: ModuleType) -> Iterator[Defect]:
    planted: dict[str, str] = getattr(module, "PLANTED", {})
    for name, oracle in planted.items():
        yield Defect(name, oracle, getattr(module, name), getattr(module, f"{name}_mended"))


@dataclass(frozen=True)
class Hunt:
    """What came of hunting one pair.

    Attributes:
        hits: Under how many seeds the planted agent was accused by whom it has to be.
        others: Who else accused it, under any seed.
        accused: Who accused the sound twin.
    """

    hits: int
    others: tuple[str, ...]
    accused: tuple[str, ...]


def hunt(index: int, *, seeds: int, budget: str) -> Hunt:
    """Hunt one pair under so many seeds.

    Args:
        index: 0-based, in the order of `defects`: scenarios are no values to send to a process.
        seeds: How many, from 0 on.
        budget: Of each campaign.
    """
    defect = defects()[index]
    found = [accusations(defect.planted, seed, budget=budget) for seed in range(seeds)]
    others = dict.fromkeys(name for each in found for name in each if name != defect.oracle)
    accused = dict.fromkeys(
        name for seed in range(seeds) for name in accusations(defect.sound, seed, budget=budget)
    )
    hits = sum(bool(each[defect.oracle]) for each in found)
    return Hunt(hits, tuple(others), tuple(accused))


def main() -> int:
    """Hunt all of them, and say who was found by whom."""
    parser = argparse.ArgumentParser(prog="make campaign", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--budget", default="ci", choices=sorted(BUDGETS))
    parser.add_argument("--only", default="", help="part of the names")
    asked = parser.parse_args()
    chosen = {i: defect for i, defect in enumerate(defects()) if asked.only in defect.name}
    width = max(len(defect.name) for defect in chosen.values())
    missed = flagged = 0
    print(f"{'planted agent':{width}}  {'to be found by':24}  found by; its sound twin: accused by")
    with ProcessPoolExecutor() as pool:
        hunts = pool.map(partial(hunt, seeds=asked.seeds, budget=asked.budget), chosen)
        for defect, told in zip(chosen.values(), hunts, strict=True):
            missed += told.hits < asked.seeds
            flagged += bool(told.accused)
            beside = f", beside {', '.join(told.others)}" if told.others else ""
            twin = ", ".join(told.accused) or "nobody"
            says = f"{told.hits}/{asked.seeds}{beside}; {twin}"
            print(f"{defect.name:{width}}  {defect.oracle:24}  {says}", flush=True)
    print(
        f"campaign: {len(chosen) - missed}/{len(chosen)} planted agents found, "
        f"{flagged}/{len(chosen)} sound twins accused, {asked.seeds} seeds"
    )
    return 1 if missed or flagged else 0


if __name__ == "__main__":
    sys.exit(main())
