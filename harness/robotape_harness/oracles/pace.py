"""Oracles of pace: how long a run waits when it is told how long to wait."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from robotape.retry import Retry
from robotape_harness.oracles.history import EPSILON, Attempt, CallHistory
from robotape_harness.oracles.verdict import Evidence, Verdict
from robotape_harness.simulation.detect import TimeLimitError

__all__ = ["retry_after_unbounded", "retry_after_violated"]

PATIENCE = Retry().patience  # seconds; the longest wait that the framework's own policy obeys


class _Told(NamedTuple):
    """A failure that said how long to wait, and what the run did then."""

    call: CallHistory
    attempt: Attempt
    hint: float
    again: Attempt | None


def retry_after_violated(evidence: Evidence) -> list[Verdict]:
    """Accuse of asking again sooner than the provider said, whichever layer asks.

    Source:
        Oracle 3 of the retry-bug taxonomy: stamina around openai's client asks after 0.68 s
        where the client itself would have waited the 60 s it was told.
    """
    verdicts = []
    for call, attempt, hint, again in _told(evidence):
        waited = None if again is None else again.began_at - attempt.ended_at
        if again is not None and waited is not None and waited < hint - EPSILON:
            why = (
                f"{evidence.name(call)} was told to wait {hint:g} s, "
                f"and was asked again after {waited:.3g} s"
            )
            steps = tuple(sorted({*attempt.steps, *again.steps}))
            verdicts.append(Verdict("retry_after_violated", 2, why, steps))
    return verdicts


def retry_after_unbounded(evidence: Evidence) -> list[Verdict]:
    """Accuse of waiting as long as a provider likes.

    Five minutes, what the framework's own policy has patience for, are always fine.

    Source:
        Oracle 4 of the retry-bug taxonomy: anthropic's client obeys an hour.
    """
    verdicts = []
    for call, attempt, hint, again in _told(evidence):
        if hint <= PATIENCE:
            continue
        until = _woken(evidence) if again is None else again.began_at
        if until - attempt.ended_at >= hint - EPSILON:
            why = (
                f"{evidence.name(call)} was told to wait {hint:g} s, and the run did, "
                "whatever its own deadline"
            )
            verdicts.append(Verdict("retry_after_unbounded", 2, why, attempt.steps))
    return verdicts


def _told(evidence: Evidence) -> Iterator[_Told]:
    """Every failure that said how long to wait."""
    for index, call in enumerate(evidence.calls):
        for attempt, again in pairwise((*call.attempts, None)):
            hint = None if attempt is None else attempt.facts.get("retry_after")
            if attempt is None or hint is None:
                continue
            later = evidence.calls[index + 1 :]
            yield _Told(call, attempt, float(hint), again or _asked_again(call, attempt, later))


def _asked_again(
    call: CallHistory, attempt: Attempt, later: Sequence[CallHistory]
) -> Attempt | None:
    """The next attempt at the same thing, made by whoever stands around the call."""
    return next(
        (
            other.first
            for other in later
            if other.loop == call.loop
            and other.first.action > (attempt.end or attempt.action)
            and _is_same(other, call)
        ),
        None,
    )


def _is_same(one: CallHistory, other: CallHistory) -> bool:
    """Whether two calls ask the same service: a model whatever it is asked, a tool the same."""
    if one.node != "llm":
        return one.question == other.question
    return one.agent == other.agent and one.model == other.model


def _woken(evidence: Evidence) -> float:
    """When a wait that nobody saw the end of would have ended; 0 where nobody waited."""
    error = None if evidence.is_recorded else evidence.trial.error
    return error.due_at if isinstance(error, TimeLimitError) else 0.0
