"""Retries: which failure is worth another attempt, and when; one owner for each call.

Deciding is pure (`Retry.decide`); doing is one loop (`retrying`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from pydantic import ValidationError

from robotape.calls import Call, CallNext
from robotape.errors import (
    DeadlineExceeded,
    TransientLLMError,
    is_permanent,
    mark_permanent,
    proves_not_started,
)
from robotape.runtime import Run
from robotape.stream import Stream
from robotape.timed import timed

__all__ = [
    "AttemptObserver",
    "Decision",
    "Retry",
    "RetryBudget",
    "is_retryable_llm_error",
    "is_retryable_tool_error",
    "is_retryable_write_error",
    "retrying",
]

_BUDGET = "retry_budget"


def is_retryable_tool_error(error: BaseException) -> bool:
    """Any failure of a tool's body, but not validation, denial, or what is marked permanent."""
    if not isinstance(error, Exception) or is_permanent(error):
        return False
    return not any(isinstance(link, ValidationError) for link in _chain(error))


def _chain(error: BaseException) -> list[BaseException]:
    """The error, what it was raised from, and what was being handled then, all the way down."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        link = waiting.pop()
        if link is not None and not any(link is other for other in found):
            found.append(link)
            waiting += (link.__cause__, link.__context__)
    return found


def is_retryable_write_error(error: BaseException) -> bool:
    """As for any tool, and only if the error proves that nothing happened outside."""
    return is_retryable_tool_error(error) and proves_not_started(error)


def is_retryable_llm_error(error: BaseException) -> bool:
    """A failure whose class says that it may pass.

    Source:
        reference table of provider errors; official SDKs retry `insufficient_quota`, we do not.
    """
    if is_permanent(error):
        return False
    return isinstance(error, TransientLLMError | ConnectionError | TimeoutError)


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows a failed attempt.

    Attributes:
        retryable: Whether the failure as such is worth another attempt.
        delay: Seconds until the next attempt; None if there is none.
        ceiling: Seconds the delay was drawn below; None if there is no next attempt.
        reason: Why there is no next attempt; empty if there is one.
    """

    retryable: bool
    delay: float | None = None
    ceiling: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """How a call is tried again.

    Attributes:
        max_retries: Attempts beyond the first; >= 0.
        base: Seconds below which the first delay is drawn; > 0.
        factor: What each further ceiling is multiplied by; >= 1.
        cap: Seconds no ceiling exceeds.
        timeout: Seconds for one attempt; None for no limit.
        total: Seconds for all attempts and the waits between; None for no limit.
        patience: Seconds a provider may ask us to wait; a longer hint means no next attempt.
        is_retryable: Judges an error.

    Source:
        Exponential back-off with full jitter: AWS Architecture Blog, 2015.
    """

    max_retries: int = 3
    base: float = 0.5
    factor: float = 2.0
    cap: float = 30.0
    timeout: float | None = None
    total: float | None = None
    patience: float = 300.0
    is_retryable: Callable[[BaseException], bool] = is_retryable_tool_error

    def __post_init__(self) -> None:
        if self.max_retries < 0:
            raise ValueError(f"max_retries must be >= 0, got {self.max_retries}")
        if self.base <= 0 or self.factor < 1 or self.cap < self.base:
            raise ValueError(
                "want base > 0 s, factor >= 1 and cap >= base, got "
                f"base={self.base}, factor={self.factor}, cap={self.cap}"
            )
        if any(limit is not None and limit <= 0 for limit in (self.timeout, self.total)):
            raise ValueError(f"want limits > 0 s, got timeout={self.timeout}, total={self.total}")

    def ceiling(self, attempt: int) -> float:
        """Seconds below which the delay after this attempt is drawn; attempt is 1-based."""
        return float(min(self.cap, self.base * self.factor ** min(attempt - 1, 64)))

    def on_proof(self) -> "Retry":
        """The same, but for a write that must not be repeated blindly."""
        judge = self.is_retryable
        if judge in (is_retryable_tool_error, is_retryable_write_error):
            return replace(self, is_retryable=is_retryable_write_error)
        return replace(
            self, is_retryable=lambda error: is_retryable_write_error(error) and judge(error)
        )

    def _refusal(self, error: BaseException) -> str:
        """Whether the error will not pass, or may pass and must not be tried again blindly."""
        is_write = self.is_retryable is is_retryable_write_error
        return "unsafe" if is_write and is_retryable_tool_error(error) else "permanent"

    def decide(
        self,
        error: BaseException,
        *,
        attempt: int,
        now: float,
        deadline: float | None,
        draw: Callable[[], float],
    ) -> Decision:
        """Say what follows a failed attempt.

        A provider's wait (`error.retry_after`) is obeyed, never shortened: if it is longer
        than our patience or would end beyond the deadline, there is no next attempt.

        Args:
            error: What the attempt raised.
            attempt: 1-based.
            now: Instant of the run's clock.
            deadline: Instant of the run's clock, or None.
            draw: Gives a number in [0, 1); called only if there may be a next attempt.
        """
        # A mark, and what ends a process, are above any judge.
        is_final = not isinstance(error, Exception) or is_permanent(error)
        if is_final or not self.is_retryable(error):
            return Decision(False, reason=self._refusal(error))
        if attempt > self.max_retries:
            return Decision(True, reason="exhausted")
        ceiling = self.ceiling(attempt)
        delay = ceiling * draw()
        hint = getattr(error, "retry_after", None)
        if isinstance(hint, int | float) and hint > delay:
            if hint > self.patience:
                return Decision(True, reason="retry_after")
            delay = ceiling = float(hint)
        if deadline is not None and now + delay >= deadline:
            return Decision(True, reason="deadline")
        return Decision(True, delay, ceiling)


class RetryBudget:
    """What a run may spend on retries: a burst, and a share of the calls it makes.

    Keeps a fleet that is failing from doubling its own load.

    Source:
        Retry budgets of Finagle and of the Google SRE book, chapter 22.
    """

    __slots__ = ("_run", "_spent", "burst", "share")

    def __init__(self, run: Run, *, burst: int = 10, share: float = 0.1) -> None:
        """Begin with the whole burst; `share` of the calls the run makes is added to it."""
        self.burst = burst
        self.share = share
        self._run = run
        self._spent = 0

    @classmethod
    def of(cls, run: Run) -> "RetryBudget":
        """The run's budget, made at its first failure."""
        budget: RetryBudget | None = run.state.get(_BUDGET)
        if budget is None:
            budget = run.state[_BUDGET] = cls(run)
        return budget

    def take(self) -> bool:
        """Spend one retry; False if there is none left."""
        if self._spent >= self.burst + self.share * self._run.calls:
            return False
        self._spent += 1
        return True


class AttemptObserver(Protocol):
    """Who is told of every attempt: exactly one of the last three follows each `started`."""

    def started(self, call: Call) -> None:
        """An attempt is about to begin."""

    def succeeded(self, call: Call, value: Any) -> None:
        """The attempt gave a value."""

    def failed(self, call: Call, error: BaseException, decision: Decision) -> None:
        """The attempt raised; the decision tells what follows."""

    def cancelled(self, call: Call) -> None:
        """The attempt was cancelled from outside."""


async def retrying(
    call: Call, call_next: CallNext, *, retry: Retry, run: Run, observer: AttemptObserver
) -> Any:
    """Make a call until an attempt succeeds or another is not worth making.

    Guarantee: cancellation passes through at once, never counts as failure and is
    never followed by another attempt. Whatever is raised at the end is what the last
    attempt raised; if it was worth a retry it is marked permanent, so that nobody
    further out tries the same thing again.

    Args:
        call: The first attempt.
        call_next: Makes one attempt.
        retry: How to try again.
        run: Gives clock, jitter and budget.
        observer: Is told of every attempt.

    Returns:
        What the successful attempt gave.

    Raises:
        CallTimeoutError: The last attempt outlived `retry.timeout`.
        DeadlineExceeded: The call's deadline passed during an attempt.
    """
    run.calls += 1
    while True:
        observer.started(call)
        try:
            if retry.timeout is None and call.deadline is None:
                value = await call_next(call)
            else:
                value = await timed(call, call_next, retry.timeout, run)
            if isinstance(value, Stream):
                return await _begun(value, call, retry, run, observer)
        except asyncio.CancelledError:
            observer.cancelled(call)
            raise
        except BaseException as error:
            delay = _failed(error, call, retry, run, observer)
            if delay is None:
                raise
        else:
            observer.succeeded(call, value)
            return value
        await run.sleep(delay)
        call = call.again()


def _failed(
    error: BaseException, call: Call, retry: Retry, run: Run, observer: AttemptObserver
) -> float | None:
    """Tell of a failed attempt; the seconds until the next, or None if there is none."""
    decision = _decide(error, call, retry, run)
    observer.failed(call, error, decision)
    # Without retries of its own, whether to try again is decided further out; but nobody may
    # repeat what was not safe to repeat here.
    is_spent = decision.retryable and retry.max_retries > 0
    if decision.delay is None and (is_spent or decision.reason == "unsafe"):
        mark_permanent(error)
    return decision.delay


def _decide(error: BaseException, call: Call, retry: Retry, run: Run) -> Decision:
    try:
        decision = retry.decide(
            error, attempt=call.attempt, now=run.now(), deadline=call.deadline, draw=run.random
        )
    except Exception as broken:  # the attempt needs its terminator all the same
        error.add_note(f"robotape: not tried again, for is_retryable raised {broken!r}")
        return Decision(False, reason="permanent")
    if decision.delay is not None and not RetryBudget.of(run).take():
        return Decision(True, reason="budget")
    return decision


async def _begun(
    stream: Stream[Any], call: Call, retry: Retry, run: Run, observer: AttemptObserver
) -> Stream[Any]:
    """Wait for the first piece; from there on the attempt lasts as long as the stream.

    Up to the first piece a failure is the attempt's, and may be tried again. Each piece
    has the time that a whole attempt has; the deadline stands for all of them.
    """

    def ended(error: BaseException | None, whole: Any) -> None:
        if error is None:
            observer.succeeded(call, whole)
        elif isinstance(error, asyncio.CancelledError | GeneratorExit):
            observer.cancelled(call)
        else:
            spent = _decide(error, call, replace(retry, max_retries=0), run)
            begun = replace(spent, reason="begun") if spent.retryable else spent
            observer.failed(call, error, begun)

    if retry.timeout is not None or call.deadline is not None:
        stream.guard(_EachPiece(call, retry.timeout, run))
    await stream.open()
    stream.watch(ended)
    return stream


class _EachPiece:
    """The limits of a stream: a time for each piece, and the deadline for all of them."""

    __slots__ = ("_call", "_run", "_timeout")

    def __init__(self, call: Call, timeout: float | None, run: Run) -> None:
        self._call = call
        self._timeout = timeout
        self._run = run

    def check(self) -> None:
        deadline = self._call.deadline
        if deadline is not None and deadline <= self._run.now():
            raise DeadlineExceeded(self._call.target, deadline)

    def wait(self, piece: Awaitable[Any]) -> Awaitable[Any]:
        return timed(self._call, lambda _: piece, self._timeout, self._run)
