"""The calls of a run as its tape tells them: attempts, ends, repetitions; it judges nothing."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from robotape.models.steps import StepStatus, StepType
from robotape.runtime import logical_id
from robotape.tape import Tape
from robotape_harness.faults.inject import Struck

__all__ = ["Attempt", "CallHistory", "attempts_struck", "calls_of", "repeated"]

EPSILON = 1e-6  # virtual seconds; what lies closer together happened at one instant


@dataclass(slots=True)
class Attempt:
    """One attempt of a call.

    Attributes:
        number: 1-based.
        action: 0-based index on the tape of its ACTION.
        began_at: Seconds since the run began.
        end: Index of its terminator; None if it has none.
        ended_at: Seconds since the run began; that of its beginning if it has no end.
        error: Name of the class it failed with; empty if it did not fail.
        answer: What came back, as JSON bytes; empty if nothing did.
        facts: What the terminator says beside: `retryable`, `delay`, `ceiling`, `reason`.
        is_cancelled: Whether it was cancelled.
    """

    number: int
    action: int
    began_at: float
    end: int | None = None
    ended_at: float = 0.0
    error: str = ""
    answer: bytes = b""
    facts: Mapping[str, Any] = field(default_factory=dict)
    is_cancelled: bool = False

    @property
    def has_answered(self) -> bool:
        """Whether something came back."""
        return self.end is not None and not self.error and not self.is_cancelled

    @property
    def steps(self) -> tuple[int, ...]:
        """The attempt's indexes on the tape, ascending."""
        return (self.action,) if self.end is None else (self.action, self.end)


@dataclass(slots=True)
class CallHistory:
    """One call with all its attempts.

    Attributes:
        call_id: Its stable name.
        agent: Path of the agent that called.
        node: The tool's name, or `llm`.
        arguments: As the tape keeps them, JSON bytes.
        attempts: In order; never empty.
    """

    call_id: str
    agent: str
    node: str
    arguments: bytes
    attempts: list[Attempt]

    @property
    def first(self) -> Attempt:
        """The first attempt."""
        return self.attempts[0]

    @property
    def last(self) -> Attempt:
        """The last attempt."""
        return self.attempts[-1]

    @property
    def has_answered(self) -> bool:
        """Whether its last attempt gave something back."""
        return self.last.has_answered

    @property
    def steps(self) -> tuple[int, ...]:
        """All indexes of its attempts on the tape, ascending."""
        return tuple(sorted(step for attempt in self.attempts for step in attempt.steps))

    @property
    def model(self) -> str:
        """For a call of a model: which."""
        return str(json.loads(self.arguments).get("model", "")) if self.node == "llm" else ""

    @property
    def loop(self) -> str:
        """Where it was made, equal for calls that one task made one after the other in one turn.

        Calls that an outer call made again, because it was tried again, are made in one place.
        """
        return logical_id(self.call_id).rpartition("[")[0]

    @property
    def question(self) -> tuple[str, str, bytes]:
        """Who asks what: equal for calls that ask the same."""
        return self.agent, self.node, self.arguments


def calls_of(tape: Tape) -> list[CallHistory]:
    """Read the calls that were attempted, in the order they were first made.

    Calls that were turned away before any attempt reached nothing and are left out.
    """
    calls: dict[str, CallHistory] = {}
    for index, entry in enumerate(tape):
        if not entry.attempt or entry.type is StepType.THOUGHT:
            continue
        if entry.type is StepType.ACTION:
            attempt = Attempt(entry.attempt, index, entry.at, ended_at=entry.at)
            call = calls.get(entry.call_id)
            if call is None:
                calls[entry.call_id] = CallHistory(
                    entry.call_id, entry.agent, entry.node, entry.content, [attempt]
                )
            else:
                call.attempts.append(attempt)
        elif entry.call_id in calls:
            attempt = calls[entry.call_id].last
            attempt.end, attempt.ended_at = index, entry.at
            attempt.facts = entry.facts or {}
            attempt.is_cancelled = entry.status is StepStatus.CANCELLED
            if entry.type is StepType.ERROR:
                attempt.error = str(entry.value["error"])
            elif not attempt.is_cancelled:
                attempt.answer = entry.content
    return list(calls.values())


def attempts_struck(
    calls: Sequence[CallHistory], struck: Iterable[Struck]
) -> list[tuple[CallHistory, Attempt]]:
    """The attempts that faults struck, in the order of the tape.

    Args:
        calls: Of the run.
        struck: What was planned, and what it met.
    """
    blows = {blow for each in struck for blow in each.attempts}
    met = [
        (call, attempt)
        for call in calls
        for attempt in call.attempts
        if (call.call_id, attempt.number) in blows
    ]
    return sorted(met, key=lambda pair: pair[1].action)


def repeated(calls: Iterable[CallHistory]) -> Iterator[list[CallHistory]]:
    """Calls that ask the same again after the one before had failed for good.

    Calls of concurrent tasks and of different turns are no chain: their ids tell.

    Yields:
        Each chain of two and more, in order; its calls have different ids, so that nobody
        but the agent itself made it.
    """
    chains: dict[tuple[str, bytes], list[CallHistory]] = {}
    for call in calls:
        loop = call.call_id.rpartition("[")[0], call.arguments
        chain = chains.get(loop)
        before = chain[-1].last if chain else None
        if chain and before and before.error and before.end and before.end < call.first.action:
            chain.append(call)
            continue
        if chain and len(chain) > 1:
            yield chain
        chains[loop] = [call]
    for chain in chains.values():
        if len(chain) > 1:
            yield chain
