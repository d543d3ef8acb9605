"""Oracle of cancellation: a run that is told to stop, stops."""

from robotape_harness.oracles.history import EPSILON, Attempt, CallHistory, calls_of
from robotape_harness.oracles.verdict import Evidence, Verdict

__all__ = ["swallowed_cancel"]

PATIENCE = 1.0  # virtual seconds that cleaning up may take


def swallowed_cancel(evidence: Evidence) -> list[Verdict]:
    """Accuse of going on after cancellation.

    A cancelled run must end cancelled, within one virtual second, and begin no call after
    the instant of the cancellation; cleaning up at that instant is fine.

    Source:
        WASABI (SOSP 2024), class IF: cancel treated as failure; oracle 10.
    """
    since = evidence.cancelled_at
    trial = evidence.trial
    if since is None or trial.ending in {"blocked", "target_error"}:
        return []
    calls = calls_of(trial.tape)
    later = _begun_after(calls, since)
    charges = []
    if trial.ending in {"answered", "raised"}:
        charges.append(f"the run {trial.ending} instead of ending cancelled")
    if later:
        names = ", ".join(sorted({call.node for call, _ in later}))
        charges.append(f"{len(later)} more attempts began after it ({names})")
    if trial.seconds - since > PATIENCE:
        charges.append(f"the run went on for {trial.seconds - since:g} virtual s")
    if not charges:
        return []
    steps = [attempt.action for _, attempt in later] or [
        step
        for call in calls
        for attempt in call.attempts
        if attempt.is_cancelled
        for step in attempt.steps
    ]
    why = f"cancelled at {since:g} s, and {'; '.join(charges)}"
    return [Verdict("swallowed_cancel", 4, why, tuple(sorted(steps)))]


def _begun_after(calls: list[CallHistory], since: float) -> list[tuple[CallHistory, Attempt]]:
    return [
        (call, attempt)
        for call in calls
        for attempt in call.attempts
        if attempt.began_at > since + EPSILON
    ]
