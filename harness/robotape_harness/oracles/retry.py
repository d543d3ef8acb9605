"""Oracles of retrying: what was tried again, what was not, how fast, and whether it ends.

They judge the facts the corridor wrote down with each failure, never the drawn delays:
full jitter may draw near zero.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from robotape import errors
from robotape.errors import PermanentLLMError, PolicyDenied, ToolError
from robotape.retry import Retry
from robotape_harness.oracles.history import (
    EPSILON,
    Attempt,
    CallHistory,
    attempts_struck,
    repeated,
)
from robotape_harness.oracles.verdict import Evidence, Verdict
from robotape_harness.simulation.detect import TimeLimitError

__all__ = ["no_backoff", "no_cap", "not_retried_transient", "retried_permanent"]

CAP = 20  # attempts of one call, or calls that ask the same, that nobody needs
LOOP = 3  # calls in a row from which asking again is a loop, not a second try
PERMANENT = (PermanentLLMError, PolicyDenied, ToolError)


def retried_permanent(evidence: Evidence) -> list[Verdict]:
    """Accuse of trying again what cannot pass.

    Source:
        WASABI (SOSP 2024), class IF: non-recoverable errors retried; oracle 1.
    """
    calls = evidence.calls
    doomed = _doomed(evidence, calls)
    verdicts = [
        _again(call, evidence, f"{len(call.attempts)} attempts")
        for call in calls
        if any(
            attempt.action in doomed or _is_permanent(attempt.error)
            for attempt in call.attempts[:-1]
        )
    ]
    for chain in repeated(calls):
        if len(chain) >= LOOP and chain[0].last.action in doomed:
            verdicts.append(_again(chain[0], evidence, f"{len(chain)} calls", _ends(chain)))
    return verdicts


def not_retried_transient(evidence: Evidence) -> list[Verdict]:
    """Accuse of giving up at once on what may pass, although another attempt was allowed.

    Nobody is accused where the tape says what forbade it: no retries configured or left,
    the deadline, the run's retry budget, or a write that must not be repeated blindly.

    Source:
        WASABI (SOSP 2024), class IF: recoverable errors not retried; oracle 2.
    """
    passing = [struck for struck in evidence.faults if struck.transient]
    calls = evidence.calls
    asked = Counter(call.question for call in calls)
    return [
        Verdict(
            "not_retried_transient",
            3,
            f"{evidence.name(call)} gave up after one attempt: {attempt.error} may pass, "
            "and nothing forbade another attempt",
            attempt.steps,
        )
        for call, attempt in attempts_struck(calls, passing)
        if len(call.attempts) == 1
        and asked[call.question] == 1
        and attempt.facts.get("reason") == "permanent"
        and not _is_permanent(attempt.error)
    ]


def no_backoff(evidence: Evidence) -> list[Verdict]:
    """Accuse of trying again without waiting longer each time.

    The ceilings below which delays are drawn must grow until they reach their cap; waits
    that a provider asked for do not count. A loop of the agent's own around a call must let
    time pass between calls.

    Source:
        WASABI (SOSP 2024), class WHEN: no or constant delay; oracle 6.
    """
    calls = evidence.calls
    verdicts = []
    for call in calls:
        ceilings = list(_ceilings(call, _may_hint(call, evidence)))
        if _is_flat(ceilings):
            told = ", ".join(f"{ceiling:g}" for ceiling in ceilings)
            why = f"{evidence.name(call)} was tried again with waits drawn below {told} s"
            verdicts.append(Verdict("no_backoff", 2, f"{why}: they never grow", call.steps))
    for chain in repeated(calls):
        rush = _longest_rush(chain)
        if len(rush) >= LOOP:
            why = (
                f"{evidence.name(rush[0])} was called {len(rush)} times in a row with the same "
                "arguments, each time right after it had failed, with no wait between"
            )
            verdicts.append(Verdict("no_backoff", 2, why, _ends(rush)))
    return verdicts


def no_cap(evidence: Evidence) -> list[Verdict]:
    """Accuse of trying for ever what fails for ever.

    More than 20 attempts of one call are accused whatever made them fail.

    Source:
        WASABI (SOSP 2024), class WHEN: no cap; the K = infinity injection; oracle 5.
    """
    calls = evidence.calls
    for call in calls:
        if len(call.attempts) > CAP:
            return [_endless(call, evidence, f"{len(call.attempts)} attempts", call.steps)]
    lasting = [struck for struck in evidence.struck if struck.fault.mode == "forever"]
    if not lasting:
        return []
    same = _asked_in_vain(evidence)
    if same:
        return [_endless(same[0], evidence, f"{len(same)} calls", _ends(same))]
    struck = [pair for pair in attempts_struck(calls, lasting) if pair[1].error]
    if len(struck) > 1 and isinstance(evidence.ended.error, TimeLimitError):
        steps = tuple(step for _, attempt in struck for step in attempt.steps)
        return [_endless(struck[0][0], evidence, f"{len(struck)} attempts", steps)]
    return []


def _asked_in_vain(evidence: Evidence) -> list[CallHistory]:
    """Calls that asked the same and failed, more of them than anybody needs; empty if none."""
    usual = Counter(call.question for call in evidence.usual_calls)
    failed: dict[tuple[str, str, bytes], list[CallHistory]] = {}
    for call in evidence.calls:
        if call.last.error:
            failed.setdefault(call.question, []).append(call)
    too_many = (same for question, same in failed.items() if len(same) > max(CAP, usual[question]))
    return next(too_many, [])


def _doomed(evidence: Evidence, calls: Sequence[CallHistory]) -> set[int]:
    """The ACTIONs of the attempts that failed for good because a fault says so."""
    final = [struck for struck in evidence.struck if struck.transient is False]
    return {attempt.action for _, attempt in attempts_struck(calls, final) if attempt.error}


def _is_permanent(error: str) -> bool:
    """Whether a class of this name in the framework says that trying again cannot help."""
    found = getattr(errors, error, None) if error else None
    return isinstance(found, type) and issubclass(found, PERMANENT)


def _again(
    call: CallHistory, evidence: Evidence, often: str, steps: tuple[int, ...] | None = None
) -> Verdict:
    error = next(attempt.error for attempt in call.attempts if attempt.error)
    why = (
        f"{evidence.name(call)} was tried again after {error}, which cannot pass: "
        f"{often}, each of them in vain"
    )
    return Verdict("retried_permanent", 2, why, call.steps if steps is None else steps)


def _endless(call: CallHistory, evidence: Evidence, often: str, steps: tuple[int, ...]) -> Verdict:
    seconds = evidence.trial.seconds
    why = (
        f"{evidence.name(call)} fails for ever and is tried for ever: {often} in "
        f"{seconds:g} virtual s, and no limit in sight"
    )
    return Verdict("no_cap", 3, why, steps[: 2 * CAP])


def _may_hint(call: CallHistory, evidence: Evidence) -> bool:
    """Whether the errors of a call may have said how long to wait."""
    here = [s.fault for s in evidence.struck if s.fault.site.covers(call.call_id)]
    return not here or any("retry_after" in fault.params for fault in here)


def _ceilings(call: CallHistory, may_hint: bool) -> Iterator[float]:
    """What each wait was drawn below; without those a provider asked for, or a crash left."""
    for attempt in call.attempts:
        delay, ceiling = attempt.facts.get("delay"), attempt.facts.get("ceiling")
        if delay is None or ceiling is None or attempt.error == "Interrupted":
            continue
        if may_hint and delay == ceiling > 0:  # a draw lies below its ceiling, a hint is obeyed
            continue
        yield float(ceiling)


def _is_flat(ceilings: list[float]) -> bool:
    """Whether waits do not grow; at the default cap they need not grow any more."""
    if any(ceiling <= 0 for ceiling in ceilings):
        return True
    if any(later < earlier for earlier, later in pairwise(ceilings)):
        return True
    return len(ceilings) > 1 and ceilings[0] == ceilings[-1] < Retry().cap


def _longest_rush(chain: list[CallHistory]) -> list[CallHistory]:
    """The longest part of a chain in which no time passes between the calls."""
    best: list[CallHistory] = []
    rush = chain[:1]
    for before, after in pairwise(chain):
        waited = after.first.began_at - before.last.ended_at
        rush = [*rush, after] if waited <= EPSILON else [after]
        best = max(best, rush, key=len)
    return best


def _ends(chain: list[CallHistory]) -> tuple[int, ...]:
    """The first attempts of a chain of calls, as steps."""
    firsts: list[Attempt] = [call.first for call in chain[:CAP]]
    return tuple(sorted(step for attempt in firsts for step in attempt.steps))
