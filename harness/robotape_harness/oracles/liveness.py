"""Oracles of liveness: a run ends, and in time."""

import re
from collections.abc import Sequence

from robotape_harness.oracles.history import CallHistory, attempts_struck
from robotape_harness.oracles.verdict import Evidence, Verdict
from robotape_harness.simulation.detect import (
    CallLimitError,
    LivelockError,
    StepLimitError,
    TimeLimitError,
)

__all__ = ["hang", "livelock", "no_total_deadline", "without_folders"]

BUSY = (CallLimitError, LivelockError, StepLimitError)
REFRAIN = 20  # equal answers to equal questions, in a row, that nobody needs

FOLDERS = re.compile(r"\S*/(?=[^/\s]+:\d)")
ITEM = "  "  # how a line of a list in a report begins


def hang(evidence: Evidence) -> list[Verdict]:
    """Accuse of never ending: a deadlock, or a wait beyond the scenario's deadline.

    Source:
        Oracle 16 of the retry-bug taxonomy; virtual time makes it exact.
    """
    if evidence.ended.ending != "hung" or isinstance(evidence.trial.error, BUSY):
        return []
    return [_never_ends("hang", "the run never ends", evidence)]


def livelock(evidence: Evidence) -> list[Verdict]:
    """Accuse of being busy for ever: steps without end, or one question with one answer.

    Twenty times the same answer to the same question, and four times as often as without the
    fault, is a loop that nothing it does will end.

    Source:
        Oracle 18 of the retry-bug taxonomy.
    """
    if isinstance(evidence.trial.error, BUSY) and evidence.ended.ending == "hung":
        return [_never_ends("livelock", "the run is busy and never ends", evidence)]
    said = _longest_refrain(evidence.calls)
    if len(said) < REFRAIN or len(said) < 4 * len(_longest_refrain(evidence.usual_calls)):
        return []
    why = (
        f"{evidence.name(said[0])} was asked the same {len(said)} times in a row, and gave the "
        "same answer each time"
    )
    steps = tuple(sorted(step for call in said[:REFRAIN] for step in call.steps))
    return [Verdict("livelock", 4, why, steps)]


def no_total_deadline(evidence: Evidence) -> list[Verdict]:
    """Accuse of letting what is merely slow go on beyond the scenario's deadline.

    Every part of the work ends, each of them late, and nobody limits the whole.

    Source:
        Oracle 17 of the retry-bug taxonomy: a trickle outlives every timeout of all SDKs.
    """
    slow = [each for each in evidence.faults if each.transient is None and each.attempts]
    error = evidence.ended.error
    if not isinstance(error, TimeLimitError) or not slow or evidence.cancelled_at is not None:
        return []
    struck = attempts_struck(evidence.calls, slow)
    why = (
        f"{evidence.name(struck[0][0])} was slow {len(struck)} times, and the run went on beyond "
        f"its {error.limit:g} s: no deadline spans the whole of it"
    )
    steps = tuple(sorted({step for _, attempt in struck for step in attempt.steps}))
    return [Verdict("no_total_deadline", 3, why, steps)]


def without_folders(text: str) -> str:
    """Text that names files by their names alone: what is reported holds no path.

    Args:
        text: With places such as `/home/me/desk.py:12`.
    """
    return FOLDERS.sub("", text)


def _never_ends(oracle: str, what: str, evidence: Evidence) -> Verdict:
    """Quote the loop's report, and show what was under way."""
    error = evidence.trial.error
    report = _one_line(str(error)) or type(error).__name__
    waiting = tuple(call.last.action for call in evidence.calls if call.last.end is None)
    length = len(evidence.tape)
    steps = tuple(sorted(waiting)) or tuple(range(max(0, length - 1), length))
    return Verdict(oracle, 4, f"{what}: {report}", steps)


def _longest_refrain(calls: Sequence[CallHistory]) -> list[CallHistory]:
    """The longest series of calls that one task made in one turn, equal in question and answer."""
    best: list[CallHistory] = []
    series: dict[tuple[str, bytes], list[CallHistory]] = {}
    for call in calls:
        place = call.loop, call.arguments
        before = series.get(place)
        goes_on = before and before[-1].has_answered and _is_after(before[-1], call)
        if before and goes_on and before[-1].last.answer == call.last.answer:
            before.append(call)
        else:
            series[place] = before = [call]
        best = max(best, before, key=len)
    return best


def _is_after(one: CallHistory, other: CallHistory) -> bool:
    return one.last.end is not None and one.last.end < other.first.action


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
