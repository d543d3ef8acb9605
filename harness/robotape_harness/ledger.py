"""The effect ledger: what really happened in a simulated world; only its services write it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from robotape.models.record import encode
from robotape.runtime import current_scope
from robotape.secrets import redactor

__all__ = ["Commit", "EffectLedger", "LedgerWatcher"]


@dataclass(frozen=True, slots=True)
class Commit:
    """One effect that happened.

    Attributes:
        effect: Its name, such as `refund`.
        details: What was done, by name; two commits with the same name and details are one
            effect done twice.
        key: Idempotency key it was asked with; empty for none.
        call_id: The corridor call that caused it; empty outside any.
        at: Seconds since the run began.
    """

    effect: str
    details: Mapping[str, Any]
    key: str = ""
    call_id: str = ""
    at: float = 0.0

    @property
    def identity(self) -> str:
        """Name and details as text, known secrets taken out; equal for the same effect."""
        told = redactor().data(encode(dict(sorted(self.details.items()))))
        return f"{self.effect} {told.decode()}"


class LedgerWatcher(Protocol):
    """Who hears of each effect."""

    def committing(self) -> None:
        """Hear that one is asked for; what it raises keeps it from happening."""

    def committed(self) -> None:
        """Hear that one happened."""


class EffectLedger:
    """Every effect of one run, in the order they were committed.

    Guarantee: a key commits once; asking again with it changes nothing and gives the
    first commit back, as an idempotent service does.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._commits: list[Commit] = []
        self._by_key: dict[tuple[str, str], Commit] = {}
        self._watcher: LedgerWatcher | None = None
        self._held: Counter[str] = Counter()

    def watch(self, watcher: LedgerWatcher) -> None:
        """Tell somebody of each effect from now on; a clone tells nobody."""
        self._watcher = watcher

    def commit(self, effect: str, /, *, key: str = "", **details: Any) -> Commit:
        """Write down that an effect has happened.

        Args:
            effect: Its name.
            key: Idempotency key; empty for none, then every commit counts.
            details: What was done.

        Returns:
            The commit; under a key that is known, the first one.
        """
        if self._watcher is not None:
            self._watcher.committing()
        known = self._by_key.get((effect, key)) if key else None
        if known is not None:
            return known
        scope = current_scope()
        call_id, at = ("", 0.0) if scope is None else (scope.call_id, scope.run.now())
        entry = Commit(effect, details, key, call_id, at)
        self._commits.append(entry)
        if key:
            self._by_key[effect, key] = entry
        if self._watcher is not None:
            self._watcher.committed()
        return entry

    def acquire(self, resource: str) -> None:
        """Write down that something was taken that has to be given back: a connection, a lock."""
        self._held[resource] += 1

    def release(self, resource: str) -> None:
        """Write down that it was given back.

        Raises:
            ValueError: None of them is taken.
        """
        if not self._held[resource]:
            raise ValueError(f"no {resource!r} is taken that could be given back")
        self._held[resource] -= 1

    @property
    def held(self) -> Counter[str]:
        """What is taken and not given back: resource -> how many, none of them 0."""
        return +self._held

    def clone(self) -> "EffectLedger":
        """A ledger with the same commits, which later ones here do not reach."""
        twin = EffectLedger()
        twin._commits = list(self._commits)
        twin._by_key = dict(self._by_key)
        twin._held = Counter(self._held)
        return twin

    def __len__(self) -> int:
        return len(self._commits)

    @property
    def commits(self) -> tuple[Commit, ...]:
        """All effects, oldest first."""
        return tuple(self._commits)

    def totals(self, effect: str | None = None) -> dict[str, int]:
        """How often each distinct effect happened: identity -> count, sorted.

        Args:
            effect: Only those of this name; None for all.
        """
        counted = Counter(
            entry.identity for entry in self._commits if effect in (None, entry.effect)
        )
        return dict(sorted(counted.items()))
