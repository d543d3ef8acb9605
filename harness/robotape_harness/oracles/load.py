"""Oracles of load: how much more a service gets to do than the work itself needs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from robotape_harness.oracles.history import CallHistory, repeated
from robotape_harness.oracles.verdict import Evidence, Verdict

__all__ = ["amplification"]

MANY = 8  # attempts at one thing from which layers that multiply are accused
CROWD = 4  # equal questions at one time from which they are a stampede


def amplification(evidence: Evidence) -> list[Verdict]:
    """Accuse of making many attempts of one, because several layers or callers each make some.

    Two layers that both try again multiply: a loop of the agent's own around a tool with
    retries, a tool with retries around a model with retries. And where one answer would do for
    all, callers that each ask for it at once are a stampede; so many of them that the
    fault-free run does not have.

    Source:
        Oracle 8 of the retry-bug taxonomy: 3 attempts of an SDK below 3 of tenacity below 2 of
        the agent are 18.
    """
    return [*_layered(evidence), *_stampede(evidence)]


def _layered(evidence: Evidence) -> list[Verdict]:
    before = () if evidence.baseline is None else evidence.usual_calls
    usual = Counter((call.loop, call.arguments) for call in before)
    verdicts = []
    for same in _at_one_thing(evidence.calls):
        failed = sum(bool(attempt.error) for call in same for attempt in call.attempts)
        layers = _layers(same, usual[same[0].loop, same[0].arguments])
        if failed >= MANY and len(layers) > 1:
            why = (
                f"{evidence.name(same[0])} was attempted {failed} times in vain, for "
                f"{len(layers)} layers each try again: {' times '.join(layers)}"
            )
            steps = tuple(sorted(step for call in same for step in call.steps))
            verdicts.append(Verdict("amplification", 3, why, steps))
    return verdicts


def _at_one_thing(calls: Sequence[CallHistory]) -> list[list[CallHistory]]:
    """Calls grouped by what they are after: asked in one place, with the same arguments."""
    groups: defaultdict[tuple[str, bytes], list[CallHistory]] = defaultdict(list)
    for call in calls:
        groups[call.loop, call.arguments].append(call)
    return list(groups.values())


def _layers(same: list[CallHistory], usual: int) -> list[str]:
    """Which layers tried again, innermost first, and how often each.

    Args:
        same: Calls that are after one thing.
        usual: How many there are of them without the fault: whoever makes no more of them
            does not try again.
    """
    attempts = max(len(call.attempts) for call in same)
    around = len({call.call_id.rpartition("[")[0] for call in same})
    is_more = len(same) > usual
    by_hand = max((len(chain) for chain in repeated(same)), default=1) if is_more else 1
    told = {
        f"{attempts} attempts of a call": attempts,
        f"{by_hand} calls in a row": by_hand,
        f"{around} attempts of the call around it": around,
    }
    return [words for words, times in told.items() if times > 1]


def _stampede(evidence: Evidence) -> list[Verdict]:
    crowds = _crowds(evidence.calls)
    if not crowds:
        return []
    usual = _crowds(evidence.usual_calls)
    verdicts = []
    for question, crowd in crowds.items():
        if len(crowd) >= CROWD * max(1, len(usual.get(question, ()))):
            why = (
                f"{evidence.name(crowd[0])} was asked for the same by {len(crowd)} callers at "
                "once, where one answer would have done for all"
            )
            steps = tuple(sorted(call.first.action for call in crowd))
            verdicts.append(Verdict("amplification", 3, why, steps))
    return verdicts


def _crowds(calls: Iterable[CallHistory]) -> dict[tuple[str, bytes], list[CallHistory]]:
    """The most calls that asked the same at one time, by what they asked; single ones left out."""
    groups: defaultdict[tuple[str, bytes], list[CallHistory]] = defaultdict(list)
    for call in calls:
        groups[call.node, call.arguments].append(call)
    return {
        question: crowd
        for question, same in groups.items()
        if len(same) > 1 and len(crowd := _most_at_once(same)) > 1
    }


def _most_at_once(calls: list[CallHistory]) -> list[CallHistory]:
    """The largest set of calls under way at the moment at which the last of them began."""
    best: list[CallHistory] = []
    for call in calls:
        began = call.first.action
        around = [other for other in calls if _is_under_way(other, began)]
        best = max(best, around, key=len)
    return best


def _is_under_way(call: CallHistory, step: int) -> bool:
    end = call.last.end
    return call.first.action <= step and (end is None or end > step)
