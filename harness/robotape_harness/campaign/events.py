"""Events: the steps of a run's tape, and the effects of its ledger in their places among them."""

from collections import Counter
from dataclasses import dataclass

from robotape.models.record import Record
from robotape_harness.ledger import Commit
from robotape_harness.oracles.history import Attempt, CallHistory, calls_of
from robotape_harness.simulation.trial import Trial

__all__ = ["Effect", "Event", "effects_of", "events_of"]


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect in its place on the tape.

    Attributes:
        commit: What the ledger has.
        count: The how manyth of its kind, 1-based: the same name and details.
    """

    commit: Commit
    count: int


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened in a run.

    Attributes:
        index: Of the step on the tape, 0-based; of an effect, that of its ACTION. The tape's
            length for what was committed in no call.
        what: The step, or the effect.
    """

    index: int
    what: Record | Effect

    @property
    def sign(self) -> object:
        """Equal for events that are the same in two runs."""
        if isinstance(self.what, Record):
            return self.what.line()
        return self.what.commit.identity, self.what.count, self.what.commit.at


def events_of(trial: Trial) -> list[Event]:
    """All that happened in a run, in the order of the tape; each effect behind its ACTION."""
    placed, stray = effects_of(trial)
    events = []
    for index, entry in enumerate(trial.tape):
        events += [Event(index, entry), *(Event(index, each) for each in placed.get(index, ()))]
    return [*events, *(Event(len(trial.tape), each) for each in stray)]


def effects_of(trial: Trial) -> tuple[dict[int, list[Effect]], tuple[Effect, ...]]:
    """Where on the tape each effect belongs.

    Returns:
        Index of an ACTION -> what was committed during it, in order; and what was committed in
        no call of the tape.
    """
    by_id = {call.call_id: call for call in calls_of(trial.tape)}
    counts: Counter[str] = Counter()
    placed: dict[int, list[Effect]] = {}
    stray: list[Effect] = []
    for commit in trial.ledger.commits:
        counts[commit.identity] += 1
        effect = Effect(commit, counts[commit.identity])
        call = by_id.get(commit.call_id)
        if call is None:
            stray.append(effect)
        else:
            placed.setdefault(_attempt_of(commit, call, placed).action, []).append(effect)
    return placed, tuple(stray)


def _attempt_of(commit: Commit, call: CallHistory, placed: dict[int, list[Effect]]) -> Attempt:
    """The attempt under way at that instant; of several, the first without this effect yet."""
    begun = [each for each in call.attempts if each.began_at <= commit.at] or call.attempts[:1]
    during = [each for each in begun if commit.at <= each.ended_at] or begun[-1:]
    for attempt in during:
        known = {effect.commit.identity for effect in placed.get(attempt.action, ())}
        if commit.identity not in known:
            return attempt
    return during[-1]
