"""Oracles of cancellation: a run that is told to stop, stops; and no other does."""

from collections.abc import Sequence

from robotape.models.kinds import StepStatus
from robotape.runtime import attempt_id
from robotape_harness.oracles.history import EPSILON, Attempt, CallHistory
from robotape_harness.oracles.verdict import Evidence, Verdict

__all__ = ["fault_became_cancel", "swallowed_cancel"]

ASIDE = frozenset({"duplicate_delivery", "late_reply"})  # phases in which a body runs unattended
PATIENCE = 1.0  # virtual seconds that cleaning up may take


def swallowed_cancel(evidence: Evidence) -> list[Verdict]:
    """Accuse of going on after cancellation.

    A cancelled run must end cancelled, within one virtual second, and begin no call after
    the instant of the cancellation; cleaning up at that instant is fine.

    Source:
        WASABI (SOSP 2024), class IF: cancel treated as failure; oracle 10.
    """
    since = evidence.cancelled_at
    if since is None:
        return []
    trial = evidence.ended
    if trial.ending in {"blocked", "target_error"}:
        return []
    calls = evidence.calls
    later = _begun_after(evidence, since)
    charges = []
    if trial.ending == "answered" or (trial.ending == "raised" and not _fails_at(calls, since)):
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


def fault_became_cancel(evidence: Evidence) -> list[Verdict]:
    """Accuse of ending cancelled although nobody cancelled anything.

    Whoever waits for the run takes it for something that was asked for, and looks no further.

    Source:
        Oracle 11 of the retry-bug taxonomy: an MCP connection that is reset cancels its reader.
    """
    run = evidence.ended
    if run.ending != "cancelled" or evidence.cancelled_at is not None:
        return []
    failed = [
        (call, attempt) for call in evidence.calls for attempt in call.attempts if attempt.error
    ]
    after = ""
    if failed:
        call, attempt = failed[-1]
        after = f", after {evidence.name(call)} had failed with {attempt.error}"
    steps = {step for _, attempt in failed[-1:] for step in attempt.steps} or {
        index for index, entry in enumerate(evidence.tape) if entry.status is StepStatus.CANCELLED
    }
    why = f"the run ended cancelled, and nobody had cancelled it{after}"
    return [Verdict("fault_became_cancel", 4, why, tuple(sorted(steps)))]


def _begun_after(evidence: Evidence, since: float) -> list[tuple[CallHistory, Attempt]]:
    """Attempts that the run began after an instant; what a late delivery does is not the run's."""
    apart = tuple(
        f"{attempt_id(call_id, attempt)}/"
        for each in evidence.struck
        if each.fault.phase in ASIDE
        for call_id, attempt in each.attempts
    )
    return [
        (call, attempt)
        for call in evidence.calls
        for attempt in call.attempts
        if attempt.began_at > since + EPSILON and not call.call_id.startswith(apart)
    ]


def _fails_at(calls: Sequence[CallHistory], instant: float) -> bool:
    """Whether a call failed for good at the very instant: then the error may come out first.

    Source:
        asyncio.TaskGroup: errors of its tasks go before a cancellation that comes with them.
    """
    return any(call.last.error and abs(call.last.ended_at - instant) <= EPSILON for call in calls)
