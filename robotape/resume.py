"""Resuming: what the tape of an interrupted run says of each call; it makes none.

Completed calls are answered from the tape. A call that was begun and not ended is in
doubt, unless asking again is safe.
"""

from dataclasses import dataclass, replace
from typing import Any

from robotape.calls import Call
from robotape.errors import InDoubtError, ResumeMismatchError, TapedError
from robotape.models.kinds import StepStatus, StepType
from robotape.models.record import Record
from robotape.runtime import Run
from robotape.tape import Tape

__all__ = ["History", "Past", "history_of", "resume_from"]

_HISTORY = "history"


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
        )

    @property
    def is_in_doubt(self) -> bool:
        """Whether the effect may have happened without our knowing."""
        return self.end is None or self.end.status is StepStatus.CANCELLED


class History:
    """The calls of an interrupted run by call id."""

    def __init__(self, tape: Tape) -> None:
        """Read the tape once."""
        self._calls: dict[str, Past] = {}
        self._rejected: dict[str, int] = {}
        for entry in tape:
            self._read(entry)

    def _read(self, entry: Record) -> None:
        if not entry.call_id:
            return
        if entry.attempt == 0:
            self._rejected[entry.call_id] = self._rejected.get(entry.call_id, 0) + 1
        elif entry.type is StepType.ACTION:
            self._calls[entry.call_id] = Past(entry)
        elif entry.type is StepType.THOUGHT:
            self._calls[entry.call_id].thought = entry
        else:
            self._calls[entry.call_id].end = entry

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
        past = self._calls.get(call.call_id)
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
        del self._calls[call.call_id]
        return past

    @staticmethod
    def next_attempt(call: Call, past: Past) -> Call:
        """The call, one attempt after the last on the tape."""
        return replace(call, attempt=past.action.attempt + 1)


def resume_from(run: Run, tape: Tape) -> None:
    """Let a run go on where its tape ends."""
    if len(tape):
        run.state[_HISTORY] = History(tape)


def history_of(run: Run) -> History | None:
    """What happened before the interruption, if the run is a resumed one."""
    history: History | None = run.state.get(_HISTORY)
    return history
