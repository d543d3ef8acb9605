"""Oracles of outcomes: what a run that says it went well has left, against the fault-free run."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from robotape import RunResult
from robotape.models.record import encode
from robotape_harness.oracles.history import attempts_struck
from robotape_harness.oracles.verdict import Evidence, Verdict
from robotape_harness.simulation.schedules import FAMILY
from robotape_harness.simulation.trial import Trial

__all__ = ["claims_success", "is_less", "silent_skip", "state_not_reset", "wrong_result"]

SHOWN = 160  # characters of an outcome that a verdict quotes


def wrong_result(evidence: Evidence) -> list[Verdict]:
    """Accuse of an answer that hides a different outcome.

    A run that raises, or says in its result that it failed or was stopped, has reported the
    trouble: that is what it should do.

    Source:
        The differential oracle: Filibuster, and state_not_reset of the retry-bug taxonomy.
    """
    run, usual = evidence.ended, evidence.fault_free
    if not claims_success(run) or run.outcome == usual.outcome:
        return []
    why = (
        "the run answered and reported no error, but its outcome is "
        f"{_difference(run.outcome, usual.outcome)}"
    )
    return [Verdict("wrong_result", 5, why, _troubles(evidence))]


def silent_skip(evidence: Evidence) -> list[Verdict]:
    """Accuse of leaving work undone, and saying nothing.

    The outcome is that of the fault-free run with something missing, and nothing that the
    fault-free run does not have.

    Source:
        Oracle 21 of the retry-bug taxonomy; broken job tracking of WASABI (SOSP 2024).
    """
    run, usual = evidence.ended, evidence.fault_free
    if not claims_success(run) or run.outcome == usual.outcome:
        return []
    left, whole = _read(run.outcome), _read(usual.outcome)
    if not is_less(left, whole):
        return []
    why = (
        "the run answered and reported no error, but some of its work was not done: "
        f"{_difference(run.outcome, usual.outcome)}"
    )
    return [Verdict("silent_skip", 5, why, _troubles(evidence))]


def state_not_reset(evidence: Evidence) -> list[Verdict]:
    """Accuse of keeping what a failed attempt has left behind.

    The fault struck once, what it struck was tried again and went well, and yet the run ends
    elsewhere: with another outcome, or with an answer or a conversation that is the fault-free
    one and something more. Under another schedule that may have another reason.

    Source:
        Oracle 14 of the retry-bug taxonomy (WASABI, SOSP 2024, class HOW; the K = 1 injection).
    """
    run, usual = evidence.ended, evidence.fault_free
    if not claims_success(run) or _is_rescheduled(run) or not _has_recovered(evidence):
        return []
    what = _left_behind(run, usual)
    if not what:
        return []
    why = f"the failed attempt was made good, and still left something behind: {what}"
    return [Verdict("state_not_reset", 5, why, _troubles(evidence))]


def claims_success(run: Trial) -> bool:
    """Whether a run says that all went well."""
    result = run.result
    if run.ending != "answered" or result is None:
        return False
    return result.stop_reason == "finished" and result.error is None


def is_less(left: object, whole: object) -> bool:
    """Whether one JSON value is another with something missing, and nothing more or else.

    A text, a number and what is nested count as they are; in an object a smaller number at
    the same key is less.
    """
    if isinstance(left, list) and isinstance(whole, list):
        return len(left) < len(whole) and not _counted(left) - _counted(whole)
    if isinstance(left, dict) and isinstance(whole, dict) and left != whole:
        return all(key in whole and _is_at_most(left[key], whole[key]) for key in left)
    return False


def _is_at_most(left: object, whole: object) -> bool:
    if isinstance(left, int) and isinstance(whole, int):
        return left <= whole
    return left == whole or is_less(left, whole)


def _left_behind(run: Trial, usual: Trial) -> str:
    """In which respect a run ended with more than it should, in words; empty if in none."""
    if run.outcome != usual.outcome:
        if is_less(_read(run.outcome), _read(usual.outcome)):
            return ""  # what is missing was not left behind
        return f"the outcome is {_difference(run.outcome, usual.outcome)}"
    for what, told, expected in _told(run.result, usual.result):
        if told == expected:
            continue
        now, before = _json(told), _json(expected)
        if is_less(before, now) or _is_longer(now, before):
            return f"the {what} is {_shown(now)}, not {_shown(before)} as without the fault"
    return ""


def _told(run: RunResult | None, usual: RunResult | None) -> Iterator[tuple[str, object, object]]:
    """What two runs tell, by name."""
    if run is not None and usual is not None:
        yield "answer", run.output, usual.output
        yield "conversation", run.messages, usual.messages


def _is_longer(now: object, before: object) -> bool:
    """Whether a text is another one and something more."""
    if not isinstance(now, str) or not isinstance(before, str):
        return False
    return bool(before) and len(now) > len(before) and before in now


def _is_rescheduled(run: Trial) -> bool:
    """Whether its tasks did not step in the order in which they became ready."""
    return any(each.chosen and each.label.startswith(FAMILY) for each in run.choices.recorded)


def _has_recovered(evidence: Evidence) -> bool:
    """Whether every fault struck once, and whoever was struck tried again and got an answer."""
    if not evidence.struck:
        return False
    for struck in evidence.struck:
        if struck.fault.mode != "once" or not struck.transient or not struck.attempts:
            return False
    hurt = attempts_struck(evidence.calls, evidence.struck)
    return bool(hurt) and all(
        attempt.error
        and any(
            other.has_answered and other.last.action > attempt.action
            for other in evidence.calls
            if other.question == call.question
        )
        for call, attempt in hurt
    )


def _difference(now: str, before: str) -> str:
    """Two outcomes as JSON text, cut down to what differs."""
    one, other = _read(now), _read(before)
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [key for key in sorted({*one, *other}) if one.get(key) != other.get(key)]
        one = {key: one[key] for key in keys if key in one}
        other = {key: other[key] for key in keys if key in other}
    return f"{_shown(one)}, not {_shown(other)} as without the fault"


def _read(text: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value


def _json(value: object) -> object:
    return _read(encode(value).decode())


def _counted(values: list[Any]) -> Counter[str]:
    return Counter(json.dumps(value, sort_keys=True) for value in values)


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _troubles(evidence: Evidence) -> tuple[int, ...]:
    """Where the run met trouble, and its last step."""
    length = len(evidence.tape)
    failures = {
        step
        for call in evidence.calls
        for attempt in call.attempts
        if attempt.error or attempt.is_cancelled
        for step in attempt.steps
    }
    return tuple(sorted({*failures, *range(max(0, length - 1), length)}))
