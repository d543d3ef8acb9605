"""How things are timed here: CPU seconds, in alternation with a floor, medians and best batches.

The machine is shared and changes speed by a factor of two, so the verdict is the ratio
to what was measured beside it; absolute figures hold for this kind of machine.
"""

import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent

__all__ = ["Paired", "child", "cpu", "paired", "paired_async"]


@dataclass(frozen=True)
class Paired:
    """Two things measured in alternation.

    Attributes:
        seconds: CPU seconds for one of the subject: median over rounds.
        best: The same, of the best round.
        floor: CPU seconds for one of the floor: median over rounds.
        ratio: Median over rounds of subject to floor.
    """

    seconds: float
    best: float
    floor: float
    ratio: float


async def _batch(work: Callable[[], Awaitable[object]], times: int) -> float:
    gc.collect()
    start = time.process_time()
    for _ in range(times):
        await work()
    return (time.process_time() - start) / times


async def paired_async(
    subject: Callable[[], Awaitable[object]],
    floor: Callable[[], Awaitable[object]],
    *,
    times: int,
    rounds: int = 7,
) -> Paired:
    """Measure two coroutine functions in turn."""
    for work in (subject, floor):
        await _batch(work, max(1, times // 10))
    pairs = [(await _batch(subject, times), await _batch(floor, times)) for _ in range(rounds)]
    return _summed_up(pairs)


def cpu(work: Callable[[], object], times: int) -> float:
    """CPU seconds for one call, over a batch."""
    gc.collect()
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times


def paired(
    subject: Callable[[], object], floor: Callable[[], object], *, times: int, rounds: int = 7
) -> Paired:
    """Measure two functions in turn."""
    for work in (subject, floor):
        cpu(work, max(1, times // 10))
    return _summed_up([(cpu(subject, times), cpu(floor, times)) for _ in range(rounds)])


def _summed_up(pairs: list[tuple[float, float]]) -> Paired:
    return Paired(
        seconds=statistics.median(mine for mine, _ in pairs),
        best=min(mine for mine, _ in pairs),
        floor=statistics.median(theirs for _, theirs in pairs),
        ratio=statistics.median(mine / theirs for mine, theirs in pairs),
    )


def child(code: str) -> str:
    """What a fresh interpreter prints for a program; compiled modules are kept, as for a user."""
    surroundings = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=HERE,
        env=surroundings,
    )
    return done.stdout.strip()
