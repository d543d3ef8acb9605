"""The fault-free run a campaign measures against: made twice, it must pass and be the same."""

import itertools
import json
from dataclasses import dataclass

from robotape.errors import PolicyDenied
from robotape.models.kinds import StepType
from robotape.models.record import Record, encode
from robotape.secrets import redact
from robotape_harness.oracles.liveness import without_folders
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.trial import Limits, Trial, simulate

__all__ = [
    "Baseline",
    "blind_spots",
    "first_difference",
    "hold_memory",
    "left_beside",
    "refusals",
    "take_baseline",
    "told",
    "trouble_of",
]

SHOWN = 200  # characters of a step's content that a message quotes
# Blocks held per size class: more than one pool of CPython's allocator has of any (16 KiB / 16 B).
HELD = 1_100


@dataclass(frozen=True, slots=True)
class Baseline:
    """The fault-free run, and whether it can be measured against.

    Attributes:
        trial: The first of the two runs.
        runs: How many runs were made.
        trouble: Why it cannot be measured against, and what to do, in prose without a path; empty
            if it can. The steps that led there are on the trial's tape.
    """

    trial: Trial
    runs: int
    trouble: str = ""

    @property
    def is_blocked(self) -> bool:
        """Whether the thread was blocked, so that nothing is known of the scenario."""
        return self.trial.ending == "blocked"


def take_baseline(scenario: Scenario, *, seed: int = 0, limits: Limits | None = None) -> Baseline:
    """Run a scenario without faults, twice under one seed.

    Guarantee: two runs whose tapes, results, outcomes or effects differ are told apart, an
    address in them (`id`, a default `repr`) included: the second run finds the memory of the
    first one taken.

    Args:
        scenario: What is run.
        seed: Of both runs.
        limits: What each may use up.
    """
    first = simulate(scenario, seed=seed, limits=limits)
    trouble = redact(trouble_of(first))
    if trouble:
        return Baseline(first, 1, trouble)
    held = hold_memory()
    second = simulate(scenario, seed=seed, limits=limits)
    held.clear()
    difference = first_difference(first, second)
    if difference:
        return Baseline(first, 2, f"not deterministic: {difference}. {_ADVICE}")
    return Baseline(first, 2)


_ADVICE = (
    "Nothing found could be replayed. Take time, ids and chance from the run (the loop's clock, "
    "robotape's seed), and keep no state outside the world"
)


def blind_spots(trial: Trial) -> list[str]:
    """What a fault-free run leaves unjudged although it succeeds, in words; often a slip."""
    told = []
    if not len(trial.ledger):
        told.append(
            "note: the fault-free run committed nothing to its world's ledger, so no effect could "
            "happen twice or get lost; do the world's services call ledger.commit?"
        )
    refused = refusals(trial)
    if refused:
        told.append(
            f"note: the policy refused calls of the fault-free run ({', '.join(refused)}), so "
            "nothing behind them was tried; does the scenario want a principal?"
        )
    return told


def refusals(trial: Trial) -> list[str]:
    """The calls that the policy refused, by the tool's name, in order."""
    return [entry.node for entry in trial.tape if _is_refusal(entry)]


def _is_refusal(entry: Record) -> bool:
    return entry.type is StepType.ERROR and entry.value["error"] == PolicyDenied.__name__


def first_difference(first: Trial, second: Trial) -> str:
    """Where two runs part, in words; empty if nowhere.

    Args:
        first: A run.
        second: Of the same scenario under the same seed.

    Returns:
        The first differing step with both contents, or what else differs: the result, the
        outcome, the effects, the ending.
    """
    pairs = itertools.zip_longest(first.tape, second.tape)
    for index, (one, other) in enumerate(pairs):
        if one is None or other is None or one.line() != other.line():
            one_told, other_told = _or_end(one), _or_end(other)
            if one and other and one_told == other_told:  # it is not what they say
                one_told, other_told = _beside_content(one), _beside_content(other)
            return (
                f"first differing step {index}: {one_told} in the first run, "
                f"{other_told} in the second"
            )
    other_beside = left_beside(second)
    for what, one_said in left_beside(first).items():
        if one_said != (other_said := other_beside[what]):
            return (
                f"the tapes are the same, the {what} differs: {_cut(one_said)} in the first run, "
                f"{_cut(other_said)} in the second"
            )
    return ""


def told(index: int, entry: Record) -> str:
    """One step on one line: its index, what it is, and what it says."""
    about = f" attempt {entry.attempt}" if entry.attempt > 1 else ""
    return f"{index} {entry.type.value} of {entry.node}{about} {_cut(entry.content.decode())}"


def trouble_of(trial: Trial) -> str:
    """Why a fault-free run cannot be measured against; empty if it can."""
    if trial.ending == "answered" and trial.result is not None:
        return _refused(trial.result.stop_reason, trial.result.error)
    error = trial.error
    said = "" if error is None else without_folders(f"{type(error).__name__}: {error}")
    return {
        "raised": f"the fault-free run fails: {said}",
        "cancelled": "the fault-free run cancels itself",
        "hung": f"the fault-free run never ends: {said}",
        "blocked": f"the fault-free run blocks the thread: {said}",
    }.get(trial.ending, f"the scenario itself is at fault: {said}")


def _refused(stop_reason: str, error: str | None) -> str:
    if stop_reason == "finished" and error is None:
        return ""
    why = f": {error}" if error else ""
    return (
        f"the fault-free run gives no answer, it ends with {stop_reason}{why}; "
        "first make it pass without faults"
    )


def left_beside(trial: Trial) -> dict[str, str]:
    """What a run leaves beside its tape, as text."""
    return {
        "ending": trial.ending,
        "result": _result(trial),
        "outcome": trial.outcome,
        "effects": _effects(trial),
    }


def _result(trial: Trial) -> str:
    if trial.result is None:
        return f"{type(trial.error).__name__}: {trial.error}"
    return encode(trial.result.output).decode()


def _effects(trial: Trial) -> str:
    return json.dumps([(c.identity, c.key, c.call_id, c.at) for c in trial.ledger.commits])


def _or_end(entry: Record | None) -> str:
    if entry is None:
        return "the tape ends"
    return f"{entry.type.value} of {entry.node} {_cut(entry.content.decode())}"


def _beside_content(entry: Record) -> str:
    facts = encode(entry.facts or {}).decode()
    about = f"{entry.call_id} attempt {entry.attempt} {entry.status.value}"
    return f"{entry.type.value} of {entry.node}, {about}, at {entry.at:g} s {_cut(facts)}"


def _cut(text: str) -> str:
    told = redact(text)  # first: of a secret that was cut, no part would be known
    return told if len(told) <= SHOWN else f"{told[:SHOWN]}…"


def hold_memory() -> list[object]:
    """Take every small block that the first run has given back, so that addresses must differ.

    Source:
        CPython's Objects/obmalloc.c: freed blocks are handed out again last in, first out.
    """
    held: list[object] = [object() for _ in range(HELD)]  # 16 bytes
    held += [(1 << 40) + number for number in range(HELD)]  # 32 bytes
    for size in range(48, 513, 16):
        held += [bytes(size - 40) for _ in range(HELD if size <= 128 else HELD // 8)]
    return held
