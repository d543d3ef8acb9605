"""Oracles of leaks: what a run leaves behind, and what it piles up."""

from collections import Counter

from robotape_harness.oracles.liveness import without_folders
from robotape_harness.oracles.verdict import Evidence, Verdict

__all__ = ["leak", "unbounded_memory"]

LARGE = 1 << 20  # bytes of one step; what a model can be sent ends far below
GROWTH = 10  # times the largest step of the fault-free run
SHOWN = 3  # of what was left, a verdict names


def leak(evidence: Evidence) -> list[Verdict]:
    """Accuse of leaving tasks, timers or the world's resources behind.

    What the fault-free run leaves as well does not count, and neither does what a run that
    never ended still held, or a process that died: nobody was there to give it back.

    Source:
        Oracle 22 of the retry-bug taxonomy: a connection given back without a shield.
    """
    run, usual = evidence.ended, evidence.fault_free
    if run.ending not in {"answered", "raised", "cancelled"}:
        return []
    more_held = Counter() if run.lives else evidence.ledger.held - usual.ledger.held
    held = list(more_held.elements())
    tasks = list(run.leftovers) if len(run.leftovers) > len(usual.leftovers) else []
    left = [*(f"{name} was not given back" for name in held), *map(without_folders, tasks)]
    if not left:
        return []
    more = f"; and {len(left) - SHOWN} more" if len(left) > SHOWN else ""
    why = f"the run {run.ending} and left something behind: {'; '.join(left[:SHOWN])}{more}"
    length = len(evidence.tape)
    open_calls = {call.last.action for call in evidence.calls if call.last.end is None}
    steps = open_calls or set(range(max(0, length - 1), length))
    return [Verdict("leak", 3, why, tuple(sorted(steps)))]


def unbounded_memory(evidence: Evidence) -> list[Verdict]:
    """Accuse of piling up: one step of more than a megabyte, ten times what it is otherwise.

    Histories that quote themselves grow so, and answers that nobody limits.

    Source:
        Oracle 19 of the retry-bug taxonomy: an MCP client accepts 20 MB.
    """
    sizes = [len(entry.content) for entry in evidence.tape]
    largest = max(sizes, default=0)
    if largest <= LARGE:
        return []
    usual = max((len(entry.content) for entry in evidence.fault_free.tape), default=0)
    if largest <= GROWTH * usual:
        return []
    index = sizes.index(largest)
    why = (
        f"one step of {evidence.tape[index].node} holds {largest >> 20} MiB, where the largest "
        f"without the fault has {usual:,} bytes"
    )
    return [Verdict("unbounded_memory", 3, why, (index,))]
