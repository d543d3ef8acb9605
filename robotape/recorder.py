"""Writes each attempt of a call on the tape: one pending ACTION, then exactly one terminator.

It decides nothing: retrying tells it what happened.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic_core import from_json

from robotape.cache import Caching
from robotape.calls import Call, Kind
from robotape.errors import is_permanent
from robotape.models.kinds import StepStatus, StepType
from robotape.models.record import Record, encode
from robotape.resume import history_of
from robotape.retry import Decision, Retry
from robotape.runtime import Scope
from robotape.tape import Tape, tape_of
from robotape.watch import CallWatch, notify_rejected, watch_of_failure

__all__ = ["Passage", "Recorder", "reject"]

_ACTION, _THOUGHT, _OBSERVATION = StepType.ACTION, StepType.THOUGHT, StepType.OBSERVATION
_PENDING, _COMPLETED = StepStatus.PENDING, StepStatus.COMPLETED


def _as_it_is(answer: Any) -> Any:
    return answer


@dataclass(frozen=True, slots=True)
class Passage:
    """What the corridor has to know of a thing that can be called; made once for it.

    Attributes:
        kind: Which sort of thing it is.
        node: Its name on the tape.
        retry: How it is tried again.
        is_repeatable: Whether asking again is safe when the outcome is unknown.
        tell: A value -> (what the model said or None, what the tape says came back), as JSON.
        restore: The same two, read from it -> the value.
        is_judged: Whether policies are asked about it.
        provider: Whose model it is, for those who watch; empty for none.
        cache: How answers are given again; None where they are not, as for streams.
        identify: A call -> what tells its question from others, as `canonical` takes it;
            None for what the tape says was asked.
        known_as: Whose answers they are, by a name that outlives the process; empty where
            none do.
        recalled: An answer -> the same as it is when it is given again.
        retry_inside: As `retry`, for a call inside one that retries: it tries once.
    """

    kind: Kind
    node: str
    retry: Retry
    is_repeatable: bool
    tell: Callable[[Any], tuple[bytes | None, bytes]]
    restore: Callable[[Any, Any], Any]
    is_judged: bool = True
    provider: str = ""
    cache: Caching | None = None
    identify: Callable[[Call], object] | None = None
    known_as: str = ""
    recalled: Callable[[Any], Any] = _as_it_is
    retry_inside: Retry = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "retry_inside", replace(self.retry, max_retries=0))


class Recorder:
    """The tape's side of one call."""

    __slots__ = ("_asked", "_facts", "_passage", "_tape", "_told_at", "_watch")

    def __init__(
        self,
        tape: Tape,
        passage: Passage,
        asked: bytes,
        facts: dict[str, Any],
        watch: CallWatch | None = None,
    ) -> None:
        """Be ready for the first attempt.

        Args:
            tape: Of the run.
            passage: What is called.
            asked: What the tape says was asked, as JSON.
            facts: What else it says of the first attempt.
            watch: Who is told after the tape; None where only failures are of interest.
        """
        self._tape = tape
        self._passage = passage
        self._asked = asked
        self._facts = facts
        self._told_at = 1
        self._watch = watch

    def learned(self, facts: dict[str, Any], attempt: int) -> None:
        """Take facts that have changed; the ACTION of this attempt says them."""
        self._facts = self._facts | facts
        self._told_at = attempt

    def check(self, call: Call) -> None:
        """See that the call may go on; here nothing can have changed."""

    def started(self, call: Call) -> None:
        """Write the pending ACTION, before anything happens."""
        facts: dict[str, Any] = {"kind": call.kind}
        if call.key:
            facts["key"] = call.key
        if call.principal is not None:
            facts["principal"] = call.principal
        if self._facts and call.attempt == self._told_at:
            facts |= self._facts
        node, asked = self._passage.node, self._asked
        self._tape.write(
            Record(
                _ACTION, _PENDING, call.agent, node, call.call_id, call.attempt, 0.0, asked, facts
            )
        )
        if self._watch is not None:
            self._watch.started(call)

    def succeeded(self, call: Call, value: Any) -> None:
        """Write what came back; for a model, first what it said."""
        said, told = self._passage.tell(value)
        agent, node, call_id, attempt = call.agent, self._passage.node, call.call_id, call.attempt
        write = self._tape.write
        if said is not None:
            write(Record(_THOUGHT, _COMPLETED, agent, node, call_id, attempt, 0.0, said))
        write(Record(_OBSERVATION, _COMPLETED, agent, node, call_id, attempt, 0.0, told))
        if self._watch is not None:
            self._watch.succeeded(call, value)

    def failed(self, call: Call, error: BaseException, decision: Decision) -> None:
        """Write what went wrong, and when the next attempt is due."""
        facts: dict[str, Any] = {"retryable": decision.retryable}
        if decision.delay is not None:
            facts["delay"] = decision.delay
            facts["ceiling"] = decision.ceiling
        else:
            facts["reason"] = decision.reason
        hint = getattr(error, "retry_after", None)
        if isinstance(hint, int | float) and 0 <= hint < math.inf:
            facts["retry_after"] = float(hint)
        self._write(StepType.ERROR, StepStatus.FAILED, call, _json_of(error), facts)
        watch = self._watch or watch_of_failure(self._tape.tape_id)
        watch.failed(call, error, decision)

    def cancelled(self, call: Call) -> None:
        """Write that the attempt was cancelled; whether its effect happened is unknown."""
        self._write(StepType.OBSERVATION, StepStatus.CANCELLED, call, b"null")
        if self._watch is not None:
            self._watch.cancelled(call)

    def recalled(self, call: Call, value: Any) -> None:
        """Write that the answer to an earlier call was given: no attempt, no ACTION."""
        said, told = self._passage.tell(value)
        if said is not None:
            facts = {"cached": True}
            self._write(StepType.THOUGHT, StepStatus.COMPLETED, call, said, facts, attempt=0)
        facts = self._shared_facts(call)
        self._write(StepType.OBSERVATION, StepStatus.COMPLETED, call, told, facts, attempt=0)
        if self._watch is not None:
            self._watch.recalled(call)

    def shared_failure(self, call: Call, error: Exception) -> None:
        """Write that a call which this one waited for failed: no attempt, no ACTION."""
        facts = self._shared_facts(call) | {"retryable": not is_permanent(error)}
        self._write(StepType.ERROR, StepStatus.FAILED, call, _json_of(error), facts, attempt=0)

    def _shared_facts(self, call: Call) -> dict[str, Any]:
        """What an ACTION would have said."""
        asked = from_json(self._asked)
        facts: dict[str, Any] = {"kind": call.kind, "cached": True, "asked": asked}
        if call.principal is not None:
            facts["principal"] = call.principal
        return facts | self._facts

    def interrupted(self, action: Record) -> None:
        """Close an attempt of an earlier process, of which nobody saw the end."""
        self._tape.record(
            StepType.ERROR,
            StepStatus.FAILED,
            agent=action.agent,
            node=action.node,
            call_id=action.call_id,
            attempt=action.attempt,
            content={"error": "Interrupted", "message": "the process ended during this attempt"},
            facts={"retryable": True, "delay": 0.0, "ceiling": 0.0},
        )

    def _write(
        self,
        type: StepType,
        status: StepStatus,
        call: Call,
        content: bytes,
        facts: dict[str, Any] | None = None,
        *,
        attempt: int | None = None,
    ) -> None:
        if attempt is None:
            attempt = call.attempt
        node = self._passage.node
        self._tape.write(
            Record(type, status, call.agent, node, call.call_id, attempt, 0.0, content, facts)
        )


def reject(
    scope: Scope,
    node: str,
    call_id: str,
    error: Exception,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Write down that a call was turned away before an attempt; `facts` is what else is known."""
    tape = tape_of(scope)
    history = history_of(scope.run)
    if tape is None or (history is not None and history.was_rejected(call_id)):
        return
    tape.record(
        StepType.ERROR,
        StepStatus.FAILED,
        agent=scope.agent,
        node=node,
        call_id=call_id,
        content=_described(error),
        facts={"retryable": False, **(facts or {})},
    )
    notify_rejected(scope, node, call_id, error)


def _json_of(error: BaseException) -> bytes:
    return encode(_described(error))


def _described(error: BaseException) -> dict[str, str]:
    try:
        message = str(error)
    except Exception:  # a __str__ of somebody else's; the attempt needs its terminator
        message = "<the error cannot be shown>"
    return {"error": type(error).__name__, "message": message}
