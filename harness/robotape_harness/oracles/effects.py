"""Oracles of effects: what happened outside, against what happens without the fault."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator

from robotape_harness.ledger import Commit
from robotape_harness.oracles.history import EPSILON, Attempt, CallHistory, calls_of
from robotape_harness.oracles.verdict import Evidence, Verdict

__all__ = ["duplicate_side_effect", "explains_outcome", "wrong_result"]

SHOWN = 160  # characters of an outcome that a verdict quotes


def duplicate_side_effect(evidence: Evidence) -> list[Verdict]:
    """Accuse of an effect that happened more often than without the fault.

    An effect is its name and its details. One that never happens without the fault counts
    only if the tape shows the repetition: the same call, or the same question asked again
    after a failure. The ledger has been asked under an idempotency key or not: a key that is
    known commits nothing, so nothing that a service recognised is ever accused.

    Source:
        Oracle 12 of the retry-bug taxonomy (WASABI, SOSP 2024, class HOW).
    """
    allowed = Counter(entry.identity for entry in evidence.baseline.ledger.commits)
    commits: dict[str, list[Commit]] = {}
    for entry in evidence.trial.ledger.commits:
        commits.setdefault(entry.identity, []).append(entry)
    if all(len(made) <= max(1, allowed[identity]) for identity, made in commits.items()):
        return []
    calls = {call.call_id: call for call in calls_of(evidence.trial.tape)}
    verdicts = []
    for identity, made in commits.items():
        excess = len(made) > max(1, allowed[identity])
        if excess and (allowed[identity] or _is_repetition(made, calls)):
            verdicts.append(_accuse(identity, made, allowed[identity], calls))
    return verdicts


def explains_outcome(evidence: Evidence) -> bool:
    """Whether repetition alone can be why the outcome differs: nothing happened less often."""
    wanted = Counter(entry.identity for entry in evidence.baseline.ledger.commits)
    wanted.subtract(entry.identity for entry in evidence.trial.ledger.commits)
    return all(missing <= 0 for missing in wanted.values())


def wrong_result(evidence: Evidence) -> list[Verdict]:
    """Accuse of an answer that hides a different outcome.

    A run that raises, or says in its result that it failed or was stopped, has reported the
    trouble: that is what it should do.

    Source:
        The differential oracle: Filibuster, and state_not_reset of the retry-bug taxonomy.
    """
    trial, baseline = evidence.trial, evidence.baseline
    result = trial.result
    if trial.ending != "answered" or result is None or trial.outcome == baseline.outcome:
        return []
    if result.stop_reason != "finished" or result.error is not None:
        return []
    why = (
        "the run answered and reported no error, but its outcome is "
        f"{_difference(trial.outcome, baseline.outcome)}"
    )
    return [Verdict("wrong_result", 5, why, _troubles(calls_of(trial.tape), len(trial.tape)))]


def _is_repetition(made: list[Commit], calls: dict[str, CallHistory]) -> bool:
    """Whether the tape shows that two commits come from one intention."""
    seen: dict[tuple[str, str, bytes], CallHistory] = {}
    for entry in made:
        call = calls.get(entry.call_id)
        if call is None:
            continue
        before = seen.setdefault(call.question, call)
        if before is not call and before.last.error:
            return True
    by_call = Counter(entry.call_id for entry in made if entry.call_id)
    return max(by_call.values(), default=0) > 1


def _accuse(
    identity: str, made: list[Commit], allowed: int, calls: dict[str, CallHistory]
) -> Verdict:
    """Put one repeated effect into words."""
    placed = _placed(made, calls)
    first, second = _culprits(placed)
    times = "twice" if len(made) == 2 else f"{len(made)} times"
    usual = f" ({allowed} without the fault)" if allowed > 1 else ""
    steps = {
        step for _, attempt in placed for step in (() if attempt is None else (attempt.action,))
    }
    why = f"{identity} happened {times}{usual}: {_cause(first, second, calls)}"
    return Verdict("duplicate_side_effect", 5, why, tuple(sorted(steps)))


Placed = tuple[Commit, Attempt | None]


def _placed(made: list[Commit], calls: dict[str, CallHistory]) -> list[Placed]:
    """Find for each commit the attempt that made it."""
    taken: set[int] = set()
    placed: list[Placed] = []
    for entry in made:
        call = calls.get(entry.call_id)
        attempt = None if call is None else _attempt_of(entry, call, taken)
        if attempt is not None:
            taken.add(attempt.action)
        placed.append((entry, attempt))
    return placed


def _attempt_of(entry: Commit, call: CallHistory, taken: set[int]) -> Attempt:
    """The attempt during which a commit was made; of several, one that has made none yet.

    A commit after the end of its attempt is a late reply: the latest that had begun.
    """
    begun = [a for a in call.attempts if a.began_at <= entry.at + EPSILON] or call.attempts[:1]
    during = [a for a in begun if entry.at <= a.ended_at + EPSILON]
    free = [a for a in during if a.action not in taken]
    late = [a for a in begun if a.action not in taken]
    return next(iter(free or late[::-1] or during or begun))


def _culprits(placed: list[Placed]) -> tuple[Placed, Placed]:
    """The two commits that belong together most: of one call, else the first two."""
    for index, one in enumerate(placed):
        for other in placed[index + 1 :]:
            if one[0].call_id and one[0].call_id == other[0].call_id:
                return one, other
    return placed[0], placed[1]


def _cause(one: Placed, other: Placed, calls: dict[str, CallHistory]) -> str:
    """Say how it came to the second commit, and why the service did not notice."""
    (first, before), (second, after) = one, other
    if before is None or after is None:
        return "at least one of them outside any call of the corridor"
    key = _key_trouble(first, second)
    if before is after:
        delivered = f"attempt {before.number} of {first.call_id} delivered it twice"
        return f"{delivered}, and the second delivery {key}"
    if first.call_id != second.call_id:
        return f"{first.call_id} {_lost(before)}, then {second.call_id} asked again {key}"
    earlier, later = sorted((before, after), key=lambda attempt: attempt.action)
    return f"{_named(earlier)}, and attempt {later.number} {key}"


def _named(attempt: Attempt) -> str:
    if attempt.error:
        return f"the reply of attempt {attempt.number} was lost after the effect had happened"
    return f"attempt {attempt.number} had the effect already"


def _lost(attempt: Attempt) -> str:
    return "failed after the effect had happened" if attempt.error else "had the effect already"


def _key_trouble(first: Commit, second: Commit) -> str:
    if not second.key or not first.key:
        return "carried no key the service could know it by"
    return "carried another key than the first"


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


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _troubles(calls: Iterable[CallHistory], length: int) -> tuple[int, ...]:
    """Where the run met trouble, and its last step."""
    return tuple(sorted({*_failures(calls), *range(max(0, length - 1), length)}))


def _failures(calls: Iterable[CallHistory]) -> Iterator[int]:
    for call in calls:
        for attempt in call.attempts:
            if attempt.error or attempt.is_cancelled:
                yield from attempt.steps
