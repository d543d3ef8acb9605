"""`make check-determinism`: the same seed gives the same bytes, in every process.

Twenty processes with a PYTHONHASHSEED each, the second half of them while every core is kept
busy: the SHA-256 of every tape and of every JSON report must be the same in all. An agent that
returns `id(object())` is the control: it must be caught, or the check could not fail.

And of a fan-out to six tools in each of four ways, of which one tool fails, 25 failing runs
found in one search must be the same alone, each in a process of its own.
"""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from robotape import BaseAgent, RunResult, Tape, tool
from robotape_harness import Scenario, World, run_campaign, simulate
from robotape_harness.campaign.budget import Budget
from robotape_harness.report.document import dumps
from robotape_harness.simulation import Choices
from robotape_harness.target import opened
from tests.laws.fan_out import WAYS, run
from tests.laws.test_fidelity import PROCESSES, alone, failing

ROOT = Path(__file__).parent.parent.parent
DESK = ROOT / "fixtures/agents/refund_desk.py"
SEEDS = range(5)
HASH_SEEDS = [str(7 * number * number) for number in range(20)]
BURNERS = os.cpu_count() or 1
SMALL = Budget(search=12)


@tool(pure=True)
async def tags(order_id: str) -> set[str]:
    """A set of strings: its order in memory depends on the hash seed."""
    return {f"{order_id}-{word}" for word in ("late", "paid", "gift", "large", "eu")}


class Sorter(BaseAgent):
    """Asks for a set several times at once."""

    async def work(self, task: object, deps: object) -> RunResult:
        """Call one tool from several tasks."""
        await asyncio.gather(*[self.call_tool("tags", {"order_id": str(n)}) for n in range(6)])
        return RunResult(output="sorted", tape=self.current_tape)


class Addressed(BaseAgent):
    """The control: says where in memory something is."""

    async def work(self, task: object, deps: object) -> RunResult:
        """Answer with an address."""
        kept = [object() for _ in range(1000)]
        return RunResult(output=id(kept[-1]), tape=self.current_tape)


SORTER = Scenario(world=World, agent=lambda _: Sorter("sorter", tools=[tags]), task="sort")
ADDRESSED = Scenario(
    world=World,
    agent=lambda _: Addressed("addressed"),
    task="where",
    outcome=lambda result, _: result.output,
)


def main() -> int:
    """Compare what the processes say; or, asked for one process' part, say it."""
    if sys.argv[1:] == ["--child"]:
        print(json.dumps({str(seed): fingerprints(seed) for seed in SEEDS}))
        return 0
    half = len(HASH_SEEDS) // 2
    said = [_child(hash_seed) for hash_seed in HASH_SEEDS[:half]]
    with _busy_cores():
        said += [_child(hash_seed) for hash_seed in HASH_SEEDS[half:]]
    differing = [
        f"seed {seed}: {what}"
        for seed in said[0]
        for what in said[0][seed]
        if len({process[seed][what] for process in said}) > 1
    ]
    for line in differing:
        print(f"check-determinism: {line} differs between processes")
    control = run_campaign(ADDRESSED, seed=0)
    caught = control.status == "target_error" and "deterministic" in control.message
    print(f"check-determinism: control, an agent that returns an address: {control.message}")
    compared = sum(len(prints) for prints in said[0].values())
    print(
        f"check-determinism: {compared} hashes, {len(said)} processes, {len(differing)} differ; "
        f"the control was {'caught' if caught else 'NOT caught'}"
    )
    unlike = [line for way in WAYS for line in _unlike_alone(way)]
    for line in unlike:
        print(f"check-determinism: {line}")
    return 0 if caught and not differing and not unlike else 1


def _unlike_alone(way: str) -> Iterator[str]:
    """Failing runs of one search that are others in a process of their own."""
    found = failing(way)
    seeds = [int(str(outcome["seed"])) for outcome in found]
    with ThreadPoolExecutor(PROCESSES) as pool:
        again = list(pool.map(lambda seed: alone(seed, way), seeds))
    same = sum(one == other for one, other in zip(found, again, strict=True))
    print(
        f"check-determinism: fan-out {way}: {same} of {len(found)} failing runs are the same alone"
    )
    if same != len(found) or not found:
        yield f"fan-out {way} does not replay"


@contextmanager
def _busy_cores() -> Iterator[None]:
    """Let another process spin on every core."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(BURNERS)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def fingerprints(seed: int) -> dict[str, str]:
    """Hashes of tapes and reports of the shipped scenarios under one seed."""
    with opened(f"{DESK}:naive") as naive, opened(f"{DESK}:sound") as sound:
        return _prints(naive, sound, seed)


def _prints(naive: Scenario, sound: Scenario, seed: int) -> dict[str, str]:
    tapes = {
        "naive": simulate(naive, seed=seed).tape,
        "sorter, first in first out": simulate(SORTER, seed=seed).tape,
        "sorter, seeded schedule": simulate(SORTER, seed=seed, choices=Choices.seeded(seed)).tape,
    }
    found = {f"tape of {name}": _sha(tape) for name, tape in tapes.items()}
    for way in WAYS:
        told = json.dumps(run(seed, way)).encode()
        found[f"fan-out {way}"] = hashlib.sha256(told).hexdigest()
    for scenario in (naive, sound):
        report = run_campaign(scenario, seed=seed, budget=SMALL, workers=1 + seed % 2)
        found[f"report of {scenario.name}"] = hashlib.sha256(dumps(report).encode()).hexdigest()
        for finding in report.findings:
            found[f"tape of {scenario.name} {finding.id}"] = _sha(finding.trial.tape)
    return found


def _sha(tape: Tape) -> str:
    return hashlib.sha256(tape.to_bytes()).hexdigest()


def _child(hash_seed: str) -> dict[str, dict[str, str]]:
    done = subprocess.run(
        [sys.executable, __file__, "--child"],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    said: dict[str, dict[str, str]] = json.loads(done.stdout)
    return said


if __name__ == "__main__":
    sys.exit(main())
