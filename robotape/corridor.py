"""The corridor: the one way from an agent to the outside, its stations in the one order.

gate -> parse strictly -> canonicalise -> freeze -> policy -> retry -> tape -> [harness
seam] -> effect. Nobody else puts stations in a row. `admit` is the part that reaches
nothing outside; `cross` is the rest.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from robotape.calls import Call, CallNext, interceptors_of, through
from robotape.errors import PolicyDenied, RobotapeError
from robotape.policy import Policy
from robotape.recorder import Passage, Recorder, reject
from robotape.resume import History, Past, history_of
from robotape.retry import retrying
from robotape.runtime import Scope
from robotape.tape import tape_of

if TYPE_CHECKING:
    from robotape.validation import ArgumentParser, Parsed

__all__ = ["admit", "cross"]


def admit(
    scope: Scope,
    target: str,
    call_id: str,
    raw: str | bytes | Mapping[str, object],
    parser: "ArgumentParser",
) -> "Parsed":
    """Let a call in: gate, then strict parsing; nothing outside is reached.

    Returns:
        The frozen arguments.

    Raises:
        PolicyDenied: No arguments at all would be allowed.
        ToolInputError: The arguments do not fit. Either is one ERROR on the tape.
    """
    for policy in scope.policies:
        decision = policy.gate(scope.principal, target)
        if not decision.allowed:
            denied = PolicyDenied(scope.principal, target, decision.reason)
            reject(scope, target, call_id, denied)
            raise denied
    try:
        return parser.parse(raw)
    except RobotapeError as error:
        reject(scope, target, call_id, error)
        raise


async def cross(
    scope: Scope,
    call: Call,
    passage: Passage,
    effect: CallNext,
    *,
    asked: object,
    changes: Sequence[tuple[str, str]] = (),
) -> Any:
    """Make a call: policy, then retries around tape, harness seam and effect.

    Args:
        scope: Where the caller stands; it must have a tape.
        call: Its arguments parsed and frozen.
        passage: What is called.
        effect: Does the thing itself.
        asked: What the tape says was asked.
        changes: What was canonicalised in the arguments: (JSON path, what was done).

    Returns:
        What the effect gave, or, in a resumed run, had given.

    Raises:
        PolicyDenied: A policy in force refuses these arguments.
        InDoubtError: In a resumed run, the effect may have happened already.
        Exception: Whatever the last attempt raised.
    """
    tape = tape_of(scope)
    if tape is None:
        raise RobotapeError(f"{call.call_id}: there is no run to make this call in")
    facts: dict[str, Any] = {"canonicalised": dict(changes)} if changes else {}
    if passage.is_judged and scope.policies:
        facts["allowed_by"] = _judge(scope, call)
    recorder = Recorder(tape, passage, asked, facts)
    history = history_of(scope.run)
    if history is not None:
        past = history.look_up(
            call,
            tape.seal(asked),
            is_repeatable=passage.is_repeatable,
            is_inside=scope.retries_owned,
        )
        if past is not None and past.is_answered:
            return _restored(passage, past)
        if past is not None:
            call = _taken_up(recorder, call, past)
    return await retrying(
        call,
        through(interceptors_of(scope), effect),
        retry=passage.retry_inside if scope.retries_owned else passage.retry,
        run=scope.run,
        observer=recorder,
    )


def _judge(scope: Scope, call: Call) -> str:
    rule = ""
    policy: Policy
    for policy in scope.policies:
        decision = policy.decide(call.principal, call.target, call.arguments)
        if not decision.allowed:
            denied = PolicyDenied(call.principal, call.target, decision.reason)
            reject(scope, call.target, call.call_id, denied)
            raise denied
        rule = decision.reason
    return rule


def _restored(passage: Passage, past: Past) -> Any:
    thought = None if past.thought is None else past.thought.value
    told = None if past.end is None else past.end.value
    return passage.restore(thought, told)


def _taken_up(recorder: Recorder, call: Call, past: Past) -> Call:
    """Close an attempt that the interruption left open, and go on with the next."""
    if past.end is None:
        recorder.interrupted(past.action)
    return History.next_attempt(call, past)
