"""The story of a failing run: which steps of its tape tell it, and what happened between them.

It selects; how a step looks on a page is decided elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from robotape.tape import Tape
from robotape_harness.campaign.events import Effect, effects_of
from robotape_harness.faults.fault import Fault
from robotape_harness.faults.inject import Struck
from robotape_harness.oracles.history import CallHistory, attempts_struck, calls_of
from robotape_harness.oracles.verdict import Verdict
from robotape_harness.simulation.trial import Trial

__all__ = ["Story", "last_steps", "story_of"]

HEAD = 12  # steps shown before the middle of a long story is left out
TAIL = 6
LAST = 10  # steps of a run of which no call stands out


@dataclass(frozen=True, slots=True)
class Story:
    """What is to be shown of a tape.

    Attributes:
        steps: 0-based indexes on the tape, ascending.
        struck: Index of an ACTION -> the faults that struck it, the outermost first.
        effects: Index of an ACTION -> what was committed during it, in order.
        stray: What was committed in no call of the tape.
    """

    steps: tuple[int, ...]
    struck: dict[int, list[Fault]]
    effects: dict[int, list[Effect]]
    stray: tuple[Effect, ...]


def story_of(trial: Trial, struck: Sequence[Struck], verdicts: Sequence[Verdict] = ()) -> Story:
    """The steps of the calls that the verdicts and the faults are about.

    Of a long story the middle is left out; of one without any call, all but the end.

    Args:
        trial: The run.
        struck: What was injected, and which attempts it met.
        verdicts: What the oracles say of this very run.
    """
    concerned = _concerned(trial.tape, struck, verdicts)
    steps = [index for index, entry in enumerate(trial.tape) if entry.call_id in concerned]
    if not steps:
        return last_steps(trial)
    calls = calls_of(trial.tape)
    return Story(_shortened(steps), _struck(calls, struck), *effects_of(trial))


def last_steps(trial: Trial) -> Story:
    """The end of a run."""
    length = len(trial.tape)
    steps = tuple(range(max(0, length - LAST), length))
    return Story(steps, {}, *effects_of(trial))


def _concerned(tape: Tape, struck: Sequence[Struck], verdicts: Sequence[Verdict]) -> set[str]:
    proofs = {index for verdict in verdicts for index in verdict.steps}
    calls = {tape[index].call_id for index in proofs if index < len(tape)}
    for each in struck:
        calls |= {entry.call_id for entry in tape if each.fault.site.covers(entry.call_id)}
        calls |= {call_id for call_id, _ in each.attempts}
    return calls - {""}


def _shortened(steps: list[int]) -> tuple[int, ...]:
    if len(steps) <= HEAD + TAIL:
        return tuple(steps)
    return (*steps[:HEAD], *steps[-TAIL:])


def _struck(calls: Sequence[CallHistory], struck: Sequence[Struck]) -> dict[int, list[Fault]]:
    found: dict[int, list[Fault]] = {}
    for each in struck:
        for _, attempt in attempts_struck(calls, [each]):
            found.setdefault(attempt.action, []).append(each.fault)
    return found
