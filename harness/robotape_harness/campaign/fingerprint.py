"""Fingerprints: what makes two failing runs the same bug; they are read off, nothing is run."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from robotape.models.kinds import StepType
from robotape_harness.ledger import EffectLedger
from robotape_harness.oracles.verdict import Evidence, Verdict

__all__ = ["Fingerprint", "fingerprints", "parse_fingerprint"]


@dataclass(frozen=True, slots=True, order=True)
class Fingerprint:
    """One accusation without what may change about it: faults, schedule, attempts, instants.

    Attributes:
        oracle: Who accuses.
        about: Of what: agent and node of a call, or the part of the outcome that is wrong.
        error: Class that a run which never ended was given up with; empty for all others. What
            an injected fault raises is no part of a bug.
    """

    oracle: str
    about: str = ""
    error: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.oracle, self.error, self.about and f"of {self.about}")))


def parse_fingerprint(told: Iterable[object]) -> Fingerprint:
    """Read one back from what a file keeps: oracle, about, error.

    Raises:
        ValueError: It is not that.
    """
    oracle, about, error = told
    return Fingerprint(str(oracle), str(about), str(error))


def fingerprints(evidence: Evidence, verdict: Verdict) -> tuple[Fingerprint, ...]:
    """What a verdict accuses of, thing by thing; never empty.

    Two runs show the same bug if they share any of it. A verdict may be about several things, of
    which some have nothing to do with the others, so a smaller case that is about one of them
    still shows it.

    Args:
        evidence: The run that was judged.
        verdict: One accusation of that run.

    Returns:
        In the order of the tape, each once.

    Source:
        Filibuster and agent-reliability-ci: without a fingerprint, delta debugging slips from one
        bug to another. simulation.md §7: type, site, invariant; the class of an exception alone
        would put every timeout together.
    """
    error = type(evidence.trial.error).__name__ if verdict.oracle == "hang" else ""
    found = dict.fromkeys(_subjects(evidence, verdict))
    return tuple(Fingerprint(verdict.oracle, about, error) for about in found or [""])


def _subjects(evidence: Evidence, verdict: Verdict) -> Iterator[str]:
    if verdict.oracle == "wrong_result":
        return _wrong_parts(evidence)
    if verdict.oracle == "vacuous":
        return (each.fault.site.alias for each in evidence.struck if not each.attempts)
    return _calls(evidence, verdict, only_open=verdict.oracle == "hang")


def _calls(evidence: Evidence, verdict: Verdict, *, only_open: bool) -> Iterator[str]:
    """Agent and node of each call that proves it."""
    tape = evidence.trial.tape
    for index in verdict.steps:
        if index >= len(tape):
            continue
        entry = tape[index]
        if entry.call_id and (not only_open or entry.type is StepType.ACTION):
            yield f"{entry.agent}/{entry.node}"


def _wrong_parts(evidence: Evidence) -> Iterator[str]:
    """Which parts of the outcome are missing, too many or other than without the fault."""
    now, before = json.loads(evidence.trial.outcome), json.loads(evidence.fault_free.outcome)
    if not isinstance(now, dict) or not isinstance(before, dict):
        return
    effects = {**_effects(evidence.trial.ledger), **_effects(evidence.fault_free.ledger)}
    for key in sorted({*now, *before}):
        if now.get(key) != before.get(key):
            how = "extra" if key not in before else "missing" if key not in now else "other"
            yield f"{how} {effects.get(key, key)}"


def _effects(ledger: EffectLedger) -> dict[str, str]:
    """Identity -> name: which order it was is no part of a bug."""
    return {commit.identity: commit.effect for commit in ledger.commits}
