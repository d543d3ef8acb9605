"""The corridor: the one way from an agent to the outside, its stations in the one order.

gate -> parse strictly -> canonicalise -> freeze -> policy -> cache -> retry -> tape -> [harness
seam] -> effect. Nobody else puts stations in a row. `admit` is the part that reaches
nothing outside; `cross` is the rest.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from robotape.cache import Codec, cache_at, canonical, digest
from robotape.calls import Call, CallNext, interceptors_of, through
from robotape.errors import DeadlineExceeded, PolicyDenied, RobotapeError, ToolInputError
from robotape.policy import ApprovalRequest, ApprovalRequired, Authority, Decision, Policy
from robotape.recorder import Passage, Recorder, reject
from robotape.resume import History, Past, history_of
from robotape.retry import retrying
from robotape.runtime import Scope
from robotape.secrets import redact, redactor
from robotape.tape import Tape, tape_of
from robotape.watch import CallWatch, watched

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
            raise _denied(scope, target, call_id, decision)
    try:
        return parser.parse(raw)
    except ToolInputError as error:
        refused = _without_secrets(error)
    # Not from within the handler: the original would hang on as the context.
    reject(scope, target, call_id, refused)
    raise refused


def _without_secrets(error: ToolInputError) -> ToolInputError:
    """The same error; its paths hold the keys the model sent, whatever they are."""
    faults = [(redact(path), redact(message)) for path, message in error.faults]
    return error if tuple(faults) == error.faults else ToolInputError(error.tool, faults)


async def cross(
    scope: Scope,
    call: Call,
    passage: Passage,
    effect: CallNext,
    *,
    asked: bytes,
    changes: Sequence[tuple[str, str]] = (),
    about: object = None,
) -> Any:
    """Make a call: policy, then the cache, then retries around tape, harness seam and effect.

    Args:
        scope: Where the caller stands; it must have a tape.
        call: Its arguments parsed and frozen.
        passage: What is called.
        effect: Does the thing itself.
        asked: What the tape says was asked, as JSON.
        changes: What was canonicalised in the arguments: (JSON path, what was done).
        about: An object that the answer depends on besides; a cache keeps answers about
            different ones apart, within the run.

    Returns:
        What the effect gave; or, in a resumed run or from a cache, had given.

    Raises:
        PolicyDenied: A policy in force refuses these arguments.
        InDoubtError: In a resumed run, the effect may have happened already.
        DeadlineExceeded: The deadline has passed; during an attempt or before the first.
        Exception: Whatever the last attempt raised.
    """
    tape = tape_of(scope)
    if tape is None:
        raise RobotapeError(f"{call.call_id}: there is no run to make this call in")
    leave = _leave(scope, call, passage, asked)
    watch = watched(scope, call, passage.provider)
    recorder = _recorder(tape, passage, asked, dict(changes), watch=watch, leave=leave)
    history = history_of(scope.run)
    if history is not None:
        past = history.look_up(
            call,
            redactor().data(asked),
            is_repeatable=passage.is_repeatable,
            is_inside=scope.retries_owned,
        )
        if past is not None and past.is_answered:
            value = _restored(passage, past)
            _offer(scope, call, passage, past, value, asked=asked, about=about)
            return value
        if past is not None:
            call = _taken_up(recorder, call, past)
    if leave is not None:
        leave.ask(call)
    if call.deadline is not None and call.deadline <= scope.run.now():
        raise _too_late(scope, call, call.deadline, passage)
    onward = _onward(scope, watch, effect)
    retry = passage.retry_inside if scope.retries_owned else passage.retry
    if passage.cache is None:
        return await retrying(call, onward, retry=retry, run=scope.run, observer=recorder)
    return await _shared(
        scope,
        call,
        passage,
        recorder,
        key=_key(scope, call, passage, asked, about),
        attempts=lambda: retrying(call, onward, retry=retry, run=scope.run, observer=recorder),
    )


def _onward(scope: Scope, watch: CallWatch | None, effect: CallNext) -> CallNext:
    """What an attempt passes on its way to the effect: who watches, then the harness's seam."""
    stations = interceptors_of(scope)
    if watch is not None:
        stations = (watch, *stations)
    return through(stations, effect) if stations else effect


def _too_late(scope: Scope, call: Call, deadline: float, passage: Passage) -> DeadlineExceeded:
    late = DeadlineExceeded(call.target, deadline)
    reject(scope, passage.node, call.call_id, late)
    return late


async def _shared(
    scope: Scope,
    call: Call,
    passage: Passage,
    recorder: Recorder,
    *,
    key: str,
    attempts: Callable[[], Awaitable[Any]],
) -> Any:
    """Take an answer from the cache or from the same call under way, or make the call."""
    is_ours, fresh = False, None

    async def make() -> Any:
        nonlocal is_ours, fresh
        is_ours = True
        fresh = await attempts()
        return passage.recalled(fresh)

    assert passage.cache is not None
    shelf = cache_at(scope).shelf(passage.cache)
    codec = None if passage.cache.store is None else _codec(passage)
    timer = (
        None if call.deadline is None else asyncio.timeout_at(scope.run.started_at + call.deadline)
    )
    try:
        value = await shelf.fetch(key, make, codec, timer)
    except Exception as error:
        if is_ours:
            raise
        if timer is not None and timer.expired() and call.deadline is not None:
            error = DeadlineExceeded(call.target, call.deadline).with_traceback(error.__traceback__)
        recorder.shared_failure(call, error)
        raise error from None
    if is_ours:
        return fresh
    recorder.check(call)
    recorder.recalled(call, value)
    return value


def _key(scope: Scope, call: Call, passage: Passage, asked: bytes, about: object) -> str:
    """What has to be equal for two calls to have one answer."""
    question = passage.identify(call) if passage.identify else asked.decode()
    # A store outlives the object; there the question alone must do.
    is_stored = passage.cache is not None and passage.cache.store is not None
    subject = None if about is None or is_stored else cache_at(scope).identities
    number = 0 if subject is None else subject.number(about, hold=True)
    whose = [call.kind, call.target, passage.known_as, call.principal, number]
    return digest([*whose, canonical(question)])


def _codec(passage: Passage) -> Codec:
    """How a store keeps an answer: as the tape does."""

    def dump(answer: Any) -> bytes:
        said, told = passage.tell(answer)
        return b"[" + (said or b"null") + b"," + told + b"]"

    def load(data: bytes) -> Any:
        return passage.restore(*json.loads(data))

    return Codec(dump, load)


def _leave(scope: Scope, call: Call, passage: Passage, asked: bytes) -> "_Leave | None":
    """The leave of the policies in force; None where there are none."""
    if not (passage.is_judged and scope.policies):
        return None
    leave = _Leave(scope, asked)
    leave.judge(call)
    return leave


def _recorder(
    tape: Tape,
    passage: Passage,
    asked: bytes,
    changes: dict[str, str],
    *,
    watch: CallWatch | None,
    leave: "_Leave | None",
) -> Recorder:
    facts: dict[str, Any] = {"canonicalised": changes} if changes else {}
    if leave is None:
        return Recorder(tape, passage, asked, facts, watch)
    facts |= leave.facts
    if not leave.can_change:
        return Recorder(tape, passage, asked, facts, watch)
    return _WaryRecorder(tape, passage, asked, facts, watch, leave=leave)


class _Leave:
    """What the policies in force say of one call, for as long as they say it."""

    __slots__ = ("_approved", "_asked", "_asking", "_epoch", "_scope", "can_change", "facts")

    def __init__(self, scope: Scope, asked: bytes) -> None:
        self._scope = scope
        self._asked = asked
        self._asking: list[tuple[Policy, Decision]] = []
        self._approved: list[Policy] = []
        self._epoch = 0
        self.can_change = False
        self.facts: dict[str, str] = {}

    def judge(self, call: Call) -> None:
        """Ask every policy in force; `facts` is what the tape says of the leave they give."""
        reasons, versions = [], []
        policy: Policy
        for policy in self._scope.policies:
            decision = policy.decide(call.principal, call.target, call.arguments)
            if decision.asks:
                self._asking.append((policy, decision))
            elif not decision.allowed:
                raise _denied(self._scope, call.target, call.call_id, decision)
            if policy.can_change:
                self.can_change = True
            reasons.append(decision.reason)
            versions.append(decision.version)
        if self.can_change:
            self._epoch = self._epoch_now()
        self.facts = {"allowed_by": " & ".join(reasons), "policy": " & ".join(versions)}

    def ask(self, call: Call) -> None:
        """Use up the approvals that rules ask for; one lasts for all attempts of the call."""
        for policy, decision in self._asking:
            if policy in self._approved:
                continue
            blank = ApprovalRequest.of(call.principal, call.target, call.arguments, self._asked)
            request = replace(blank, rule=decision.reason, version=decision.version)
            if not (isinstance(policy, Authority) and policy.approvals.take(request)):
                denied = ApprovalRequired(request)
                facts = {"policy": decision.version}
                reject(self._scope, call.target, call.call_id, denied, facts)
                raise denied
            self._approved.append(policy)
        self._asking.clear()

    def renew(self, call: Call) -> bool:
        """Judge again if a policy has changed; whether one has."""
        if self._epoch_now() == self._epoch:
            return False
        self.judge(call)
        self.ask(call)
        return True

    def _epoch_now(self) -> int:
        return sum([policy.epoch for policy in self._scope.policies])


class _WaryRecorder(Recorder):
    """Lets no attempt begin, and no answer be given again, on a leave taken back meanwhile."""

    __slots__ = ("_leave",)

    def __init__(self, *parts: Any, leave: _Leave) -> None:
        super().__init__(*parts)
        self._leave = leave

    def check(self, call: Call) -> None:
        if self._leave.renew(call):
            self.learned(self._leave.facts, call.attempt)

    def started(self, call: Call) -> None:
        self.check(call)
        super().started(call)


def _denied(scope: Scope, target: str, call_id: str, decision: Decision) -> PolicyDenied:
    """A refusal, written down with the version of the policy that refused."""
    denied = PolicyDenied(scope.principal, target, decision.reason)
    reject(scope, target, call_id, denied, {"policy": decision.version})
    return denied


def _restored(passage: Passage, past: Past) -> Any:
    thought = None if past.thought is None else past.thought.value
    told = None if past.end is None else past.end.value
    return passage.restore(thought, told)


def _offer(
    scope: Scope,
    call: Call,
    passage: Passage,
    past: Past,
    value: Any,
    *,
    asked: bytes,
    about: object,
) -> None:
    """Let the cache of a resumed run have what it had before the interruption."""
    if passage.cache is None:
        return
    key = _key(scope, call, passage, asked, about)
    if past.end is not None and past.end.attempt:
        came_at = scope.run.started_at + past.end.at
        cache_at(scope).shelf(passage.cache).offer(key, passage.recalled(value), came_at)


def _taken_up(recorder: Recorder, call: Call, past: Past) -> Call:
    """Close an attempt that the interruption left open, and go on with the next."""
    if past.end is None:
        recorder.interrupted(past.action)
    return History.next_attempt(call, past)
