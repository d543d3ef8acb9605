"""The tape's protocol: one pending ACTION for each attempt of a call, then exactly one terminator.

It guards the order of steps and keeps none of them.
"""

import sys

from robotape.errors import ProtocolError
from robotape.models.kinds import StepType
from robotape.models.record import Record

__all__ = ["Attempts"]

_ACTION, _THOUGHT = StepType.ACTION, StepType.THOUGHT


class Attempts:
    """The last attempt of each call on a tape, and whether it is open."""

    __slots__ = ("_keep", "_last", "_most")

    def __init__(self, keep: int = sys.maxsize) -> None:
        """Begin with none.

        Args:
            keep: Ended calls that are remembered at least, so that none of them is made again;
                >= 1.
        """
        # Call id -> attempt: above 0 while it is open, below when it has ended.
        self._last: dict[str, int] = {}
        self._keep = keep
        self._most = 2 * keep

    @property
    def pending(self) -> dict[str, int]:
        """Calls that were begun and have no terminator: call id -> attempt."""
        return {call_id: attempt for call_id, attempt in self._last.items() if attempt > 0}

    def turn(self, entry: Record) -> int:
        """Take note of a step of an attempt.

        Returns:
            What `undo` needs to forget it again.

        Raises:
            ProtocolError: The step opens an attempt that is open or was made before, or belongs
                to one that is not open.
        """
        call_id, attempt = entry.call_id, entry.attempt
        last = self._last.get(call_id, 0)
        if entry.type is _ACTION:
            if not -attempt < last <= 0:
                raise _out_of_turn(entry, last)
            self._last[call_id] = attempt
        elif last != attempt:
            raise _out_of_turn(entry, last)
        elif entry.type is not _THOUGHT:
            self._last[call_id] = -attempt
            if len(self._last) > self._most:
                self._forget()
        return last

    def undo(self, entry: Record, before: int) -> None:
        """Take back the last `turn`: the step did not come about."""
        self._last[entry.call_id] = before

    def _forget(self) -> None:
        """Let go of the ended calls that were begun first."""
        ended = [item for item in self._last.items() if item[1] <= 0]
        self._last = self.pending | dict(ended[-self._keep :])
        self._most = 2 * max(self._keep, len(self._last))


def _out_of_turn(entry: Record, last: int) -> ProtocolError:
    attempt, said = entry.attempt, "is not open"
    if last > 0:
        attempt, said = last, "has no terminator yet"
    elif entry.type is StepType.ACTION:
        said = f"was made before: the last one was {-last}"
    return ProtocolError(f"{entry.call_id}: attempt {attempt} {said}")
