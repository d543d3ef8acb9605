"""Oracles of liveness: a run ends, and a fault that was planned happens."""

import re

from robotape_harness.oracles.history import calls_of
from robotape_harness.oracles.verdict import Evidence, Verdict

__all__ = ["hang", "vacuous"]

FOLDERS = re.compile(r"\S*/(?=[^/\s]+:\d)")


def hang(evidence: Evidence) -> list[Verdict]:
    """Accuse of never ending: deadlock, livelock, a step limit or the scenario's deadline.

    Source:
        Oracles 16 and 18 of the retry-bug taxonomy; virtual time makes them exact.
    """
    trial = evidence.trial
    if trial.ending != "hung":
        return []
    report = _one_line(str(trial.error)) or type(trial.error).__name__
    waiting = tuple(call.last.action for call in calls_of(trial.tape) if call.last.end is None)
    steps = tuple(sorted(waiting)) or _last(len(trial.tape))
    return [Verdict("hang", 4, f"the run never ends: {report}", steps)]


def vacuous(evidence: Evidence) -> list[Verdict]:
    """Accuse the plan itself: a fault that never happened proves nothing.

    Source:
        Antithesis: every declared fault must have happened at least once; oracle 24.
    """
    if evidence.fault is None or evidence.fired:
        return []
    why = (
        f"{evidence.fault} never happened: no attempt at {evidence.fault.site.alias} could meet "
        "it, so this run says nothing about it"
    )
    return [Verdict("vacuous", 1, why, _last(len(evidence.trial.tape)))]


def _one_line(report: str) -> str:
    """The loop's report on one line, files by name: a verdict holds no path."""
    text = " ".join(line.strip() for line in report.splitlines())
    return FOLDERS.sub("", text)


def _last(length: int) -> tuple[int, ...]:
    return tuple(range(max(0, length - 1), length))
