"""Resuming: what the tape of an interrupted run says of each call; it makes none.

Completed calls are answered from the tape. A call that was begun and not ended is in
doubt, unless asking again is safe.
"""

from dataclasses import dataclass, replace
from typing import Any

from robotape.calls import Call
from robotape.errors import InDoubtError, ResumeError, ResumeMismatchError, TapedError
from robotape.models.kinds import StepStatus, StepType
from robotape.models.record import Record, encode
from robotape.runtime import Run, logical_id
from robotape.tape import Tape

__all__ = ["History", "Past", "history_of", "release", "resume_from", "settle"]

_HISTORY = "history"
# A call that ended in one of these goes on when what was inside it has been settled.
_UNSETTLED = (InDoubtError.__name__, ResumeMismatchError.__name__)


@dataclass(slots=True)
class Past:
    """What is on the tape of one call.

    Attributes:
        action: Its last attempt.
        thought: What the model said, for a model call that was answered.
        end: How the last attempt ended; None if that is not on the tape.
    """

    action: Record
    thought: Record | None = None
    end: Record | None = None

    @property
    def is_answered(self) -> bool:
        """Whether the call gave a value."""
        return (
            self.end is not None
            and self.end.type is StepType.OBSERVATION
            and self.end.status is StepStatus.COMPLETED
        )

    @property
    def has_failed(self) -> bool:
        """Whether the call failed and was not to be tried again."""
        return (
            self.end is not None
            and self.end.type is StepType.ERROR
            and (self.end.facts or {}).get("delay") is None
            and self.end.value["error"] not in _UNSETTLED
        )

    @property
    def is_in_doubt(self) -> bool:
        """Whether the effect may have happened without our knowing."""
        return self.end is None or self.end.status is StepStatus.CANCELLED


class History:
    """The calls of an interrupted run by logical id: the call around one may be tried anew."""

    def __init__(self, tape: Tape) -> None:
        """Read the tape once."""
        self._calls: dict[str, Past] = {}
        self._rejected: dict[str, int] = {}
        self._said: dict[str, Record] = {}
        for entry in tape:
            self._read(entry)

    def _read(self, entry: Record) -> None:
        if not entry.call_id:
            return
        if entry.facts and entry.facts.get("cached"):
            self._read_shared(entry)
        elif entry.attempt == 0:
            self._rejected[entry.call_id] = self._rejected.get(entry.call_id, 0) + 1
        elif entry.type is StepType.ACTION:
            self._calls[logical_id(entry.call_id)] = Past(entry)
        elif entry.type is StepType.THOUGHT:
            self._calls[logical_id(entry.call_id)].thought = entry
        else:
            self._calls[logical_id(entry.call_id)].end = entry

    def _read_shared(self, entry: Record) -> None:
        """A call that was answered, or failed, with another: it has no ACTION of its own."""
        name, facts = logical_id(entry.call_id), entry.facts or {}
        if entry.type is StepType.THOUGHT:
            self._said[name] = entry
            return
        asked = replace(entry, type=StepType.ACTION, content=encode(facts.get("asked")))
        self._calls[name] = Past(asked, self._said.pop(name, None), entry)

    def was_rejected(self, call_id: str) -> bool:
        """Whether this rejection is on the tape already; each is reported once."""
        left = self._rejected.get(call_id, 0)
        self._rejected[call_id] = left - 1
        return left > 0

    def look_up(
        self, call: Call, arguments: bytes, *, is_repeatable: bool, is_inside: bool = False
    ) -> Past | None:
        """Find the call on the tape, and make sure that it is the same call.

        Args:
            call: What the resumed agent asks for.
            arguments: As the tape would keep them.
            is_repeatable: Whether asking again is safe.
            is_inside: Whether a call further out retries: then a failure that was worth a
                retry was not for good.

        Returns:
            None if the tape does not know the call.

        Raises:
            ResumeMismatchError: The tape has other arguments.
            InDoubtError: The effect may have happened, and asking again is not safe.
            TapedError: The call had failed for good.
        """
        # It stays known until it is settled: whoever asks again is told the same.
        name = logical_id(call.call_id)
        past = self._calls.get(name)
        if past is None:
            return None
        if past.action.content != arguments:
            raise ResumeMismatchError(
                call.call_id, past.action.content.decode(), arguments.decode()
            )
        if past.is_in_doubt and not is_repeatable:
            raise InDoubtError(call.call_id, call.target)
        facts = {} if past.end is None else past.end.facts or {}
        is_final = past.has_failed and not (is_inside and facts.get("retryable"))
        if is_final and past.end is not None:
            told: dict[str, Any] = past.end.value
            raise TapedError(call.call_id, told["error"], told["message"])
        del self._calls[name]
        return past

    @staticmethod
    def next_attempt(call: Call, past: Past) -> Call:
        """The call, one attempt after the last on the tape.

        Within a new attempt of the call around it, its own attempts count anew.
        """
        is_same = past.action.call_id == call.call_id
        return replace(call, attempt=past.action.attempt + 1) if is_same else call


def settle(tape: Tape, call_id: str, result: object) -> None:
    """Say of a call in doubt that it happened; the resumed run takes the result from here.

    Args:
        tape: Of the interrupted run.
        call_id: As `InDoubtError.call_id` has it.
        result: What the tool would have returned.

    Raises:
        ResumeError: The tape knows no such call, or there is no doubt about it.
    """
    _end(tape, call_id, StepType.OBSERVATION, StepStatus.COMPLETED, content=result)


def release(tape: Tape, call_id: str) -> None:
    """Say of a call in doubt that it did not happen; the resumed run makes it again.

    Args:
        tape: Of the interrupted run.
        call_id: As `InDoubtError.call_id` has it.

    Raises:
        ResumeError: The tape knows no such call, or there is no doubt about it.
    """
    told = {"error": "Released", "message": "found not to have happened"}
    facts = {"retryable": True, "delay": 0.0, "ceiling": 0.0}
    _end(tape, call_id, StepType.ERROR, StepStatus.FAILED, content=told, facts=facts)


def _end(
    tape: Tape,
    call_id: str,
    type: StepType,
    status: StepStatus,
    *,
    content: object,
    facts: dict[str, Any] | None = None,
) -> None:
    known = [entry for entry in tape if entry.call_id == call_id and entry.attempt]
    action = next((entry for entry in reversed(known) if entry.type is StepType.ACTION), None)
    if action is None or not Past(action, end=_terminator(known)).is_in_doubt:
        raise ResumeError(f"{call_id}: the tape has no such call in doubt")
    if call_id not in tape.pending:
        # Its terminator says `cancelled`: another attempt stands for what was found.
        action = tape.write(replace(action, attempt=action.attempt + 1))
    tape.record(
        type,
        status,
        agent=action.agent,
        node=action.node,
        call_id=call_id,
        attempt=action.attempt,
        content=content,
        facts=facts,
    )


def _terminator(known: list[Record]) -> Record | None:
    last = known[-1]
    return None if last.type in (StepType.ACTION, StepType.THOUGHT) else last


def resume_from(run: Run, tape: Tape) -> None:
    """Let a run go on where its tape ends."""
    if len(tape):
        run.state[_HISTORY] = History(tape)


def history_of(run: Run) -> History | None:
    """What happened before the interruption, if the run is a resumed one."""
    history: History | None = run.state.get(_HISTORY)
    return history
