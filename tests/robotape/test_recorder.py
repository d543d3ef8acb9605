"""The recorder: one pending ACTION per attempt, then one terminator with what there is to say."""

import dataclasses
import math
from typing import Any

import pytest

from robotape.calls import Call
from robotape.errors import PolicyDenied, ProtocolError, RateLimitError
from robotape.models.record import encode
from robotape.models.steps import StepStatus, StepType
from robotape.recorder import Passage, Recorder, reject
from robotape.retry import Decision, Retry
from robotape.runtime import Run, Scope
from robotape.tape import Tape
from tests.laws.scripts import broken_laws

CALL = Call("tool", "refund", {"a": 1}, agent="desk", call_id="desk/1", principal="eve", key="k")


def passage(**changes: Any) -> Passage:
    standard = Passage(
        kind="tool",
        node="refund",
        retry=Retry(max_retries=5),
        is_repeatable=False,
        tell=lambda value: (None, encode(value)),
        restore=lambda said, told: told,
    )
    return dataclasses.replace(standard, **changes)


def recorder(tape: Tape, **changes: Any) -> Recorder:
    return Recorder(tape, passage(**changes), b'{"a":1}', {"allowed_by": "allow eve refund"})


def test_inside_a_call_that_retries_there_is_one_attempt() -> None:
    assert passage().retry_inside == dataclasses.replace(passage().retry, max_retries=0)


def test_an_attempt_that_succeeds() -> None:
    tape = Tape()
    writing = recorder(tape, tell=lambda value: (b'"hm"', encode(value)))
    writing.started(CALL)
    assert tape.pending == {"desk/1": 1}
    writing.succeeded(CALL, "done")
    action, thought, end = tape
    assert (action.type, action.status, action.value) == (
        StepType.ACTION,
        StepStatus.PENDING,
        {"a": 1},
    )
    assert action.facts == {
        "kind": "tool",
        "key": "k",
        "principal": "eve",
        "allowed_by": "allow eve refund",
    }
    assert (thought.type, thought.value) == (StepType.THOUGHT, "hm")
    assert (end.type, end.status, end.value) == (
        StepType.OBSERVATION,
        StepStatus.COMPLETED,
        "done",
    )
    assert broken_laws(tape) == []


@pytest.mark.parametrize(
    ("decision", "facts"),
    [
        (Decision(True, 1.5, 2.0), {"retryable": True, "delay": 1.5, "ceiling": 2.0}),
        (Decision(True, reason="exhausted"), {"retryable": True, "reason": "exhausted"}),
        (Decision(False, reason="permanent"), {"retryable": False, "reason": "permanent"}),
    ],
)
def test_an_attempt_that_fails(decision: Decision, facts: dict[str, Any]) -> None:
    tape = Tape()
    writing = recorder(tape)
    writing.started(CALL)
    writing.failed(CALL, ConnectionResetError("lost"), decision)
    assert tape[1].type is StepType.ERROR
    assert tape[1].value == {"error": "ConnectionResetError", "message": "lost"}
    assert tape[1].facts == facts
    with pytest.raises(ProtocolError):
        writing.succeeded(CALL, "late")


@pytest.mark.parametrize(
    ("hint", "facts"),
    [(7, {"retry_after": 7.0}), (math.inf, {}), (-1.0, {}), ("7", {}), (None, {})],
)
def test_how_long_a_provider_asks_to_wait_is_written_down(hint: Any, facts: Any) -> None:
    tape = Tape()
    writing = recorder(tape)
    writing.started(CALL)
    writing.failed(CALL, RateLimitError("x", retry_after=hint), Decision(True, reason="budget"))
    assert tape[1].facts == {"retryable": True, "reason": "budget", **facts}


def test_control_how_long_is_no_part_of_the_digest() -> None:
    digests = set()
    for hint in (1.0, 2.0, None):
        tape = Tape()
        writing = recorder(tape)
        writing.started(CALL)
        writing.failed(CALL, RateLimitError("x", retry_after=hint), Decision(True, 0.1, 0.5))
        digests.add(tape.digest())
    assert len(digests) == 1


def test_an_error_that_cannot_say_what_it_is_has_its_terminator() -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    tape = Tape()
    writing = recorder(tape)
    writing.started(CALL)
    writing.failed(CALL, MuteError(), Decision(False, reason="permanent"))
    assert tape[1].value["error"] == "MuteError"


def test_an_attempt_that_is_cancelled() -> None:
    tape = Tape()
    writing = recorder(tape)
    writing.started(CALL)
    writing.cancelled(CALL)
    assert (tape[1].type, tape[1].status) == (StepType.OBSERVATION, StepStatus.CANCELLED)
    assert broken_laws(tape) == []


def test_an_attempt_of_an_earlier_process_is_closed() -> None:
    tape = Tape()
    writing = recorder(tape)
    writing.started(CALL)
    writing.interrupted(tape[0])
    assert tape.pending == {}
    assert tape[1].value["error"] == "Interrupted"
    writing.started(CALL.again())
    assert tape.pending == {"desk/1": 2}


def test_what_the_policy_said_stands_at_the_first_attempt() -> None:
    tape = Tape()
    recorder(tape).started(CALL.again())
    assert "allowed_by" not in (tape[0].facts or {})


def test_a_rejection_is_one_error_without_an_attempt() -> None:
    tape, scope = Tape(), Scope(Run(1), agent="desk")
    reject(scope, "refund", "desk/1", PolicyDenied("eve", "refund", "no rule"))  # no tape: no note
    tape.attach(scope.run, "desk")
    reject(scope, "refund", "desk/1", PolicyDenied("eve", "refund", "no rule"))
    [error] = tape
    assert (error.type, error.attempt, error.agent) == (StepType.ERROR, 0, "desk")
    assert error.value["error"] == "PolicyDenied"
