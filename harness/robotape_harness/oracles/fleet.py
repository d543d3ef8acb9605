"""Oracles of fleets: what many runs at once do to the provider they share.

They read a run whose result has parts with tapes of their own, as `Fleet` makes it; of any
other run they say nothing.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from robotape_harness.oracles.history import EPSILON, CallHistory, calls_of, repeated
from robotape_harness.oracles.verdict import Evidence, Verdict
from robotape_harness.simulation.trial import Trial

__all__ = ["budget_exceeded", "metastable", "no_jitter"]

HERD = 5  # members that fail at one instant, from which their return is looked at
SHARE = 0.1  # retries allowed for each call
BURST = 10  # retries allowed to each member beside
INSTANT = 1e-3  # virtual seconds; a service sees what comes within them as coming at once
GRACE = 30.0  # virtual seconds that a fleet may take to come to itself again
USEFUL = 0.5  # of the fault-free goodput, below which a fleet has not come to itself


@dataclass(frozen=True, slots=True)
class _Member:
    """One run of a fleet.

    Attributes:
        began_at: Virtual seconds since the fleet began.
        calls: Its calls; their instants count from its own beginning.
    """

    began_at: float
    calls: Sequence[CallHistory]


def no_jitter(evidence: Evidence) -> list[Verdict]:
    """Accuse of coming back all at once.

    Members that failed at one instant must not ask again at one instant: the service would
    fail them all once more. Instants that a provider named do not count.

    Source:
        Oracle 7 of the retry-bug taxonomy: hermes #109234, 19 of 20 waits of exactly 600.0 s.
    """
    failed: defaultdict[int, list[float]] = defaultdict(list)
    for failed_at, again_at in _returns(_members(evidence.trial)):
        failed[round(failed_at / INSTANT)].append(again_at)
    for instant, returns in failed.items():
        herd, number = Counter(round(at / INSTANT) for at in returns).most_common(1)[0]
        if len(returns) >= HERD and number > len(returns) / 2:
            why = (
                f"{len(returns)} runs failed at {instant * INSTANT:g} s, and {number} of them "
                f"asked again at {herd * INSTANT:g} s, all at once"
            )
            return [Verdict("no_jitter", 2, why)]
    return []


def budget_exceeded(evidence: Evidence) -> list[Verdict]:
    """Accuse of spending more on retries than a tenth of the calls, and ten for each run.

    Source:
        Oracle 9 of the retry-bug taxonomy; retry budgets of Finagle and of the Google SRE
        book, chapter 22.
    """
    members = _members(evidence.trial)
    if not members:
        return []
    usual = _members(evidence.fault_free)
    retries = asked = allowed = 0
    for member, steady in zip(members, usual, strict=True):
        again = max(0, len(member.calls) - len(steady.calls))  # calls the run made of its own
        asked += len(member.calls) - again
        retries += again + sum(len(call.attempts) - 1 for call in member.calls)
        allowed += math.ceil(BURST + SHARE * len(member.calls))
    if retries <= allowed:
        return []
    why = (
        f"{len(members)} runs made {retries} retries for {asked} calls, "
        f"where a budget of a tenth of the calls and {BURST} for each run allows {allowed}"
    )
    return [Verdict("budget_exceeded", 3, why)]


def metastable(evidence: Evidence) -> list[Verdict]:
    """Accuse of keeping a provider down that is well again.

    Half a minute after the outage the fleet still asks at least as often as without it, and
    gets less than half of the answers.

    Source:
        Bronson et al., Metastable Failures in Distributed Systems (HotOS 2021); oracle 9.
    """
    members = _members(evidence.trial)
    outage = next((each for each in evidence.struck if "until" in each.fault.params), None)
    if not members or outage is None:
        return []
    since = outage.fault.params["until"] + GRACE
    usual = _members(evidence.fault_free)
    until = min(_last(members), _last(usual))
    asked, answered = _asked(members, since, until), _answered(members, since, until)
    before = _answered(usual, since, until)
    if not before or asked < before or answered >= USEFUL * before:
        return []
    why = (
        f"{GRACE:g} s after the provider was well again the fleet gets {answered} answers in "
        f"{until - since:.0f} s where it gets {before} without the outage, "
        f"and asks {asked} times for them"
    )
    return [Verdict("metastable", 4, why)]


def _members(trial: Trial) -> list[_Member]:
    """The runs of a fleet; none if the run was of no fleet."""
    result = trial.result
    parts = () if result is None else result.parts
    if result is None or len({id(part.tape) for part in parts}) < 2:  # a team shares one tape
        return []
    began = result.output if isinstance(result.output, tuple) else (0.0,) * len(parts)
    return [
        _Member(float(began_at), calls_of(part.tape))
        for began_at, part in zip(began, parts, strict=True)
    ]


def _returns(members: list[_Member]) -> Iterator[tuple[float, float]]:
    """When a call failed, and when it was made again; both since the fleet began."""
    for member in members:
        pairs = [pair for call in member.calls for pair in pairwise(call.attempts)]
        for chain in repeated(member.calls):
            pairs += [(one.last, other.first) for one, other in pairwise(chain)]
        for failed, again in pairs:
            if failed.error and "retry_after" not in failed.facts:
                yield member.began_at + failed.ended_at, member.began_at + again.began_at


def _last(members: list[_Member]) -> float:
    """The last instant at which anybody asked for anything."""
    return max(
        (member.began_at + call.last.began_at for member in members for call in member.calls),
        default=0.0,
    )


def _asked(members: list[_Member], since: float, until: float) -> int:
    return sum(
        since <= member.began_at + attempt.began_at <= until
        for member in members
        for call in member.calls
        for attempt in call.attempts
    )


def _answered(members: list[_Member], since: float, until: float) -> int:
    return sum(
        attempt.has_answered and since <= member.began_at + attempt.ended_at <= until + EPSILON
        for member in members
        for call in member.calls
        for attempt in call.attempts
    )
