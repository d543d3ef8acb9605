"""The doctor: whether a scenario is deterministic, and which line draws from where it must not."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from robotape.secrets import redact
from robotape_harness.campaign.baseline import hold_memory
from robotape_harness.campaign.observing import Observation, observe, observe_elsewhere
from robotape_harness.campaign.tracing import Seen
from robotape_harness.oracles.liveness import without_folders
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.inside import Draw

__all__ = ["Cause", "Diagnosis", "Difference", "Source", "examine"]

Cause = Literal["clock", "entropy", "hash order", "identity", "process", "unknown"]

ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")
OTHERS = 3  # hash seeds tried: by chance, a set of two is in the same order under half of them
END = "the tape ends"
NAMELESS = "an address in the text of an object without a repr"
SECOND = "a second run in the same process"
ELSEWHERE = "a run in a fresh process"


@dataclass(frozen=True, slots=True)
class Source:
    """What the runs drew from, and where.

    Attributes:
        cause: Of which kind.
        call: What was called or done.
        where: file:line; empty where it cannot be told.
        times: How often.
    """

    cause: str
    call: str
    where: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two runs part.

    Attributes:
        other: What the first run was compared with.
        event: The first difference, in words.
        source: What it comes from.
        values: The value that was drawn there, as the two runs saw it; empty where unknown.
    """

    other: str
    event: str
    source: Source
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is known of a scenario's determinism.

    Attributes:
        trouble: Why nothing can be concluded, in prose; empty if something can.
        ending: How the first run ended.
        difference: The first one found; None if the runs are the same.
        runs: How many were made.
        sources: What the first run drew, most often first; virtual ones included.
    """

    trouble: str
    ending: str
    difference: Difference | None
    runs: int
    sources: tuple[Source, ...]


def examine(scenario: Scenario, target: str, *, seed: int = 0) -> Diagnosis:
    """Run a scenario twice here, and in fresh processes under other hash seeds.

    Args:
        scenario: What is run.
        target: Where a fresh process finds it.
        seed: Of every run.

    Raises:
        ObservationFailed: A fresh process could not run it.
    """
    first = observe(scenario, seed=seed)
    if first.trouble:
        return Diagnosis(first.trouble, first.ending, None, 1, ())
    held = hold_memory()
    second = observe(scenario, seed=seed)
    held.clear()
    difference = _difference(first, second, SECOND, "unknown")
    runs = 2
    if difference is None:
        own, others = _hash_seeds(os.environ.get("PYTHONHASHSEED", "random"))
        elsewhere = observe_elsewhere(target, [*own, *others], seed=seed)
        runs += len(elsewhere)
        difference = _elsewhere(first, elsewhere, own, others)
    return Diagnosis("", first.ending, difference, runs, _sources(first.draws))


def _elsewhere(
    first: Observation, found: Sequence[Observation], own: Sequence[str], others: Sequence[str]
) -> Difference | None:
    """The first difference to other processes; hash order is to blame only if it alone differs."""
    for observation in found[: len(own)]:
        difference = _difference(first, observation, ELSEWHERE, "process")
        if difference:
            return difference
    for hash_seed, observation in zip(others, found[len(own) :], strict=True):
        other = f"{ELSEWHERE} under PYTHONHASHSEED={hash_seed}"
        difference = _difference(first, observation, other, "hash order")
        if difference:
            return difference
    return None


def _hash_seeds(present: str) -> tuple[list[str], list[str]]:
    """This process's own, if it is fixed, and others."""
    own = [present] if present.isdecimal() else []
    return own, [each for each in map(str, range(1, OTHERS + 2)) if each not in own][:OTHERS]


def _difference(
    first: Observation, second: Observation, other: str, otherwise: Cause
) -> Difference | None:
    if second.trouble:
        return Difference(other, second.trouble, Source("unknown", "", ""), ())
    event, lines = _first_event(first, second)
    if not event:
        return None
    one, two = _first_value(first.seen, second.seen, lines)
    where = one.where if one else ""
    source = _blamed(first, second, where) or _by_values(one, two, where, lines, otherwise)
    values = () if one is None or two is None else (one.name, one.value, two.value)
    return Difference(other, redact(event), source, tuple(map(redact, values)))


def _first_event(first: Observation, second: Observation) -> tuple[str, tuple[str, str]]:
    """The first step, or what beside the tape, that differs: in words, and as the runs have it."""
    ended = (END, END)
    for index, (one, two) in enumerate(zip_longest(first.steps, second.steps, fillvalue=ended)):
        if one[0] != two[0]:
            said = f"first differing step {index}: {one[1]} in the first run, {two[1]} in the other"
            return said, (one[0], two[0])
    for what, said_first in first.beside.items():
        said_second = second.beside[what]
        if said_first != said_second:
            told = f"the tapes are the same, the {what} differs: {_cut(said_first)} in the first"
            return f"{told} run, {_cut(said_second)} in the other", (said_first, said_second)
    return "", ("", "")


def _first_value(
    first: Sequence[Seen], second: Sequence[Seen], lines: tuple[str, str]
) -> tuple[Seen | None, Seen | None]:
    """The earliest value that the runs made differently and that led to what differs.

    Where one shows in what differs, the first that it is part of; where none does, the earliest
    of all. The values after a branch taken differently cannot be compared.
    """
    parted: list[tuple[Seen, Seen]] = []
    for one, two in zip(first, second, strict=False):
        if one[:2] != two[:2]:
            break
        if one.value == two.value:
            continue
        parted.append((one, two))
        bare = tuple(each.value.strip("'\"") for each in (one, two))
        if bare[0] in lines[0] and bare[1] in lines[1]:
            return next((a, b) for a, b in parted if bare[0] in a.value and bare[1] in b.value)
    return parted[0] if parted else (None, None)


def _blamed(first: Observation, second: Observation, where: str) -> Source | None:
    """What is known to have been drawn for real, at a line or, where that is unknown, at all."""
    draws = [draw for draw in (*first.draws, *second.draws) if draw.is_real]
    at_line = [draw for draw in draws if draw.where == where]
    afar = [draw for draw in draws if not draw.where or not where]
    for draw in (*at_line, *afar):
        return Source(draw.kind, draw.call, _short(draw.where or where))
    return None


def _by_values(
    one: Seen | None, two: Seen | None, where: str, lines: tuple[str, str], otherwise: Cause
) -> Source:
    """What the values themselves tell."""
    pairs = [lines] if one is None or two is None else [(one.value, two.value), lines]
    if any(ADDRESS.sub("", a) == ADDRESS.sub("", b) and a != b for a, b in pairs):
        return Source("identity", NAMELESS, _short(where))
    return Source(otherwise, "", _short(where))


def _sources(draws: Sequence[Draw]) -> tuple[Source, ...]:
    """What was drawn from clocks and chance, and how often."""
    counted = Counter(
        (draw.kind, draw.call, _short(draw.where))
        for draw in draws
        if draw.kind in {"clock", "entropy"}
    )
    return tuple(Source(*key, times) for key, times in counted.most_common())


def _short(where: str) -> str:
    return without_folders(where)


def _cut(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"
