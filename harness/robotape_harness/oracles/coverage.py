"""Oracle of coverage: a fault that was planned happens; what is marked as reached belongs here."""

from robotape_harness.oracles.verdict import Evidence, Verdict

__all__ = ["vacuous"]


def vacuous(evidence: Evidence) -> list[Verdict]:
    """Accuse the plan itself: a fault that never happened proves nothing.

    A run that another fault ended early has an excuse; one that answered has none.

    Source:
        Antithesis: every declared fault must have happened at least once; oracle 24.
    """
    struck = evidence.faults
    unmet = [each.fault for each in struck if not each.attempts]
    if len(unmet) < len(struck) and evidence.ended.ending != "answered":
        return []
    length = len(evidence.tape)
    last = tuple(range(max(0, length - 1), length))
    return [
        Verdict(
            "vacuous",
            1,
            f"{fault} never happened: no attempt at {fault.site.alias} could meet it, so this run "
            "says nothing about it",
            last,
        )
        for fault in unmet
    ]
