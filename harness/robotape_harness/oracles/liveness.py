"""Oracles of liveness: a run ends, and a fault that was planned happens."""

import re

from robotape_harness.oracles.history import calls_of
from robotape_harness.oracles.verdict import Evidence, Verdict

__all__ = ["hang", "vacuous", "without_folders"]

FOLDERS = re.compile(r"\S*/(?=[^/\s]+:\d)")
ITEM = "  "  # how a line of a list in a report begins


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
    unmet = [struck.fault for struck in evidence.struck if not struck.attempts]
    whys = [
        f"{fault} never happened: no attempt at {fault.site.alias} could meet it, so this run says "
        "nothing about it"
        for fault in unmet
    ]
    return [Verdict("vacuous", 1, why, _last(len(evidence.trial.tape))) for why in whys]


def without_folders(text: str) -> str:
    """Text that names files by their names alone: what is reported holds no path.

    Args:
        text: With places such as `/home/me/desk.py:12`.
    """
    return FOLDERS.sub("", text)


def _one_line(report: str) -> str:
    """The loop's report as sentences on one line: where a line ended, a reader can tell."""
    text = before = ""
    for line in filter(str.strip, report.splitlines()):
        is_list = before.startswith(ITEM) and line.startswith(ITEM)
        text += _joint(text, is_list) + line.strip()
        before = line
    return without_folders(text)


def _joint(text: str, is_list: bool) -> str:
    if not text or text.endswith((".", ":", ";", ",", "?", "!")):
        return " " if text else ""
    return "; " if is_list else ". "


def _last(length: int) -> tuple[int, ...]:
    return tuple(range(max(0, length - 1), length))
