"""Oracles of effects: what happened outside more often than it does without the fault."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from robotape_harness.ledger import Commit
from robotape_harness.oracles.history import EPSILON, Attempt, CallHistory
from robotape_harness.oracles.verdict import Evidence, Verdict

__all__ = ["duplicate_side_effect", "explains_outcome", "idempotency_key_unstable"]


def duplicate_side_effect(evidence: Evidence) -> list[Verdict]:
    """Accuse of an effect that happened more often than without the fault.

    An effect is its name and its details. One that never happens without the fault counts
    only if the tape shows the repetition: the same call, or the same question asked again
    after a failure. The ledger has been asked under an idempotency key or not: a key that is
    known commits nothing, so nothing that a service recognised is ever accused.

    Source:
        Oracle 12 of the retry-bug taxonomy (WASABI, SOSP 2024, class HOW).
    """
    return [
        _accuse("duplicate_side_effect", excess)
        for excess in _excesses(evidence)
        if not excess.has_two_keys
    ]


def idempotency_key_unstable(evidence: Evidence) -> list[Verdict]:
    """Accuse of doing one thing twice under two keys.

    A key that changes from attempt to attempt, or from one call to the next that asks for the
    same, keeps the service from seeing that it has been asked before.

    Source:
        Oracle 13 of the retry-bug taxonomy: openai-agents #4254, where the model mints a new id.
    """
    return [
        _accuse("idempotency_key_unstable", excess)
        for excess in _excesses(evidence)
        if excess.has_two_keys
    ]


def explains_outcome(evidence: Evidence) -> bool:
    """Whether repetition alone can be why the outcome differs: nothing happened less often."""
    if evidence.baseline is None or not evidence.has_ledger:
        return False
    wanted = Counter(entry.identity for entry in evidence.baseline.ledger.commits)
    wanted.subtract(entry.identity for entry in evidence.trial.ledger.commits)
    return all(missing <= 0 for missing in wanted.values())


@dataclass(frozen=True, slots=True)
class _Excess:
    """One effect that happened too often.

    Attributes:
        identity: Its name and details.
        placed: Its commits, each with the attempt that made it.
        usual: How often it happens without the fault.
    """

    identity: str
    placed: list["Placed"]
    usual: int

    @property
    def has_two_keys(self) -> bool:
        """Whether the two that belong together most carry a key each, and not the same."""
        (first, _), (second, _) = _culprits(self.placed)
        return bool(first.key and second.key and first.key != second.key)


def _excesses(evidence: Evidence) -> Iterator[_Excess]:
    commits: dict[str, list[Commit]] = {}
    for entry in evidence.ledger.commits:
        commits.setdefault(entry.identity, []).append(entry)
    if all(len(made) == 1 for made in commits.values()):
        return
    # Without a fault-free run only what the tape shows to be a repetition counts.
    usual = () if evidence.baseline is None else evidence.baseline.ledger.commits
    allowed = Counter(entry.identity for entry in usual)
    calls = {call.call_id: call for call in evidence.calls}
    for identity, made in commits.items():
        is_more = len(made) > max(1, allowed[identity])
        if is_more and (allowed[identity] or _is_repetition(made, calls)):
            yield _Excess(identity, _placed(made, calls), allowed[identity])


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


def _accuse(oracle: str, excess: _Excess) -> Verdict:
    """Put one repeated effect into words."""
    first, second = _culprits(excess.placed)
    number = len(excess.placed)
    times = "twice" if number == 2 else f"{number} times"
    usual = f" ({excess.usual} without the fault)" if excess.usual > 1 else ""
    steps = {attempt.action for _, attempt in excess.placed if attempt is not None}
    why = f"{excess.identity} happened {times}{usual}: {_cause(first, second)}"
    return Verdict(oracle, 5, why, tuple(sorted(steps)))


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


def _cause(one: Placed, other: Placed) -> str:
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
