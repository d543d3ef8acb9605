"""Retries: which failure, when, and how often; cancellation passes; nothing is left behind."""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from yarl import URL

from robotape import errors
from robotape.calls import Call
from robotape.errors import (
    CallTimeoutError,
    DeadlineExceeded,
    RateLimitError,
    ServerError,
    is_permanent,
    mark_not_started,
    mark_permanent,
)
from robotape.http import HttpReply, HttpTooLargeError
from robotape.retry import (
    Decision,
    Retry,
    RetryBudget,
    is_retryable_llm_error,
    is_retryable_tool_error,
    is_retryable_write_error,
    retrying,
)
from robotape.runtime import Run
from robotape_harness.simulation import SimLoop
from tests.laws.scripts import simulated

Body = Callable[[Call], Awaitable[Any]]


class Log:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []
        self.decisions: list[Decision] = []

    def started(self, call: Call) -> None:
        self.told.append(("started", call.attempt))

    def succeeded(self, call: Call, value: Any) -> None:
        self.told.append(("succeeded", call.attempt))

    def failed(self, call: Call, error: BaseException, decision: Decision) -> None:
        self.told.append(("failed", call.attempt))
        self.decisions.append(decision)

    def cancelled(self, call: Call) -> None:
        self.told.append(("cancelled", call.attempt))


def tried(body: Body, retry: Retry, *, deadline: float | None = None, seed: int = 1) -> Any:
    """(what came out, the log, virtual seconds)."""
    log = Log()

    async def main() -> tuple[Any, float]:
        run = Run(seed)
        call = Call("tool", "t", {}, deadline=deadline)
        try:
            value = await retrying(call, body, retry=retry, run=run, observer=log)
        except BaseException as error:
            value = error
        return value, run.now()

    value, seconds = simulated(main())
    return value, log, seconds


def failing(*errors: BaseException | None) -> Body:
    """Each attempt raises its error; None, or the end of the list, answers."""
    left = iter(errors)

    async def body(call: Call) -> str:
        error = next(left, None)
        if error is not None:
            raise error
        return f"answer {call.attempt}"

    return body


def validation_error() -> ValidationError:
    class Model(BaseModel):
        a: int

    try:
        Model.model_validate({"a": []})
    except ValidationError as error:
        return error
    raise AssertionError


def caused(error: Exception, cause: BaseException, *, explicitly: bool) -> Exception:
    error.__context__ = cause
    if explicitly:
        error.__cause__ = cause
    return error


def wrapped_once(*, explicitly: bool) -> Exception:
    return caused(ValueError("x"), validation_error(), explicitly=explicitly)


# -- which -----------------------------------------------------------------------------------------

TRANSIENT = [kind("x") for kind in errors.TransientLLMError.__subclasses__()]
PERMANENT = [kind("x") for kind in errors.PermanentLLMError.__subclasses__()]
PASSING = [*TRANSIENT, ConnectionResetError(), ConnectionRefusedError(), TimeoutError()]
BASE = [asyncio.CancelledError(), KeyboardInterrupt(), SystemExit(), GeneratorExit()]


@pytest.mark.parametrize("error", [ValueError("x"), *PASSING], ids=repr)
def test_any_failure_of_a_body_is_retried(error: Exception) -> None:
    assert is_retryable_tool_error(error)
    value, log, _ = tried(failing(error), Retry())
    assert value == "answer 2"
    assert log.told == [("started", 1), ("failed", 1), ("started", 2), ("succeeded", 2)]


FINAL = [
    *PERMANENT,
    *BASE,
    validation_error(),
    *[wrapped_once(explicitly=explicitly) for explicitly in (True, False)],
    *[
        caused(KeyError("x"), wrapped_once(explicitly=inner), explicitly=outer)
        for inner in (True, False)
        for outer in (True, False)
    ],
    HttpTooLargeError("GET", HttpReply(200, {}, b"", URL("https://a.example")), 5),
    errors.PolicyDenied(None, "t", "no"),
    errors.ToolInputError("t", [("$", "no")]),
    errors.InDoubtError("c", "t"),
    mark_permanent(ConnectionResetError()),
]


@pytest.mark.parametrize("error", FINAL, ids=repr)
def test_what_cannot_get_better_is_tried_once(error: BaseException) -> None:
    assert not is_retryable_tool_error(error)
    value, log, seconds = tried(failing(error), Retry())
    assert value is error
    assert log.told[0] == ("started", 1)
    assert len(log.told) == 2
    assert seconds == 0.0


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_control_a_long_chain_without_one_is_tried_again(error: Exception) -> None:
    assert is_retryable_tool_error(caused(KeyError("x"), error, explicitly=True))


def test_errors_that_were_raised_in_a_circle_are_looked_at_once() -> None:
    first, second = ValueError("x"), KeyError("y")
    first.__cause__, second.__context__ = second, first
    assert is_retryable_tool_error(first)


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_a_model_is_asked_again_by_class(error: Exception) -> None:
    assert is_retryable_llm_error(error)


@pytest.mark.parametrize("error", [*FINAL, ValueError(), KeyError(), OSError()], ids=repr)
def test_control_other_classes_are_not(error: BaseException) -> None:
    assert not is_retryable_llm_error(error)


def test_a_write_is_retried_on_proof_alone() -> None:
    assert is_retryable_write_error(ConnectionRefusedError())
    assert is_retryable_write_error(RateLimitError("429"))
    assert is_retryable_write_error(mark_not_started(TimeoutError()))
    assert not is_retryable_write_error(mark_permanent(ConnectionRefusedError()))
    for error in (TimeoutError(), ConnectionResetError(), ValueError(), ServerError("500")):
        assert not is_retryable_write_error(error)


EVERYTHING = Retry(is_retryable=lambda error: True)


@pytest.mark.parametrize("error", BASE, ids=repr)
def test_no_judge_can_have_the_end_of_a_process_retried(error: BaseException) -> None:
    value, log, _ = tried(failing(error), EVERYTHING)
    assert value is error
    assert len(log.told) == 2


def test_no_judge_can_undo_a_mark() -> None:
    error = mark_permanent(ConnectionResetError())
    assert tried(failing(error), EVERYTHING)[0] is error


def test_a_judge_that_raises_still_leaves_one_terminator() -> None:
    def judge(error: BaseException) -> bool:
        raise ZeroDivisionError

    value, log, _ = tried(failing(ConnectionResetError()), Retry(is_retryable=judge))
    assert isinstance(value, BaseException)
    assert log.told == [("started", 1), ("failed", 1)]


# -- how often -------------------------------------------------------------------------------------


@pytest.mark.parametrize("retries", [0, 1, 3, 7])
def test_attempts_are_one_more_than_retries(retries: int) -> None:
    error = ConnectionResetError("last")
    value, log, _ = tried(failing(*[error] * 99), Retry(max_retries=retries))
    assert value is error
    assert [entry for entry in log.told if entry[0] == "started"] == [
        ("started", attempt) for attempt in range(1, retries + 2)
    ]
    assert log.decisions[-1].reason == "exhausted"
    assert all(decision.retryable for decision in log.decisions)


def test_exhausted_is_marked_permanent() -> None:
    value, _, _ = tried(failing(*[ConnectionResetError()] * 9), Retry(max_retries=1))
    assert is_permanent(value)


def test_control_who_does_not_retry_marks_nothing() -> None:
    value, _, _ = tried(failing(ConnectionResetError()), Retry(max_retries=0))
    assert not is_permanent(value)


def test_every_attempt_is_the_same_call_counted() -> None:
    seen: list[Call] = []

    async def body(call: Call) -> None:
        seen.append(call)
        if len(seen) < 3:
            raise ConnectionResetError

    tried(body, Retry())
    assert [call.attempt for call in seen] == [1, 2, 3]
    assert {(call.call_id, call.key, id(call.arguments)) for call in seen} == {
        (seen[0].call_id, seen[0].key, id(seen[0].arguments))
    }


# -- when ------------------------------------------------------------------------------------------

retries = st.builds(
    Retry,
    max_retries=st.integers(0, 100),
    base=st.floats(0.01, 5),
    factor=st.floats(1, 10),
    cap=st.floats(5, 1e6),
)


@given(retries, st.integers(1, 5_000))
def test_ceilings_never_fall_nor_exceed_the_cap(retry: Retry, attempt: int) -> None:
    assert retry.base <= retry.ceiling(attempt) <= retry.ceiling(attempt + 1) <= retry.cap


def test_the_default_ceilings_double_from_half_a_second() -> None:
    assert [Retry().ceiling(n) for n in range(1, 10)] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


@given(retries, st.floats(0, 1, exclude_max=True))
def test_jitter_is_full(retry: Retry, drawn: float) -> None:
    decision = retry.decide(ServerError("x"), attempt=1, now=0.0, deadline=None, draw=lambda: drawn)
    if retry.max_retries:
        assert decision.ceiling == retry.ceiling(1)
        assert decision.delay == retry.ceiling(1) * drawn


def test_delays_are_drawn_over_the_whole_range() -> None:
    def delays(seed: int) -> list[float | None]:
        _, log, _ = tried(failing(ConnectionResetError()), Retry(), seed=seed)
        return [decision.delay for decision in log.decisions]

    drawn = [delay for seed in range(200) for delay in delays(seed) if delay is not None]
    assert len(drawn) == 200
    assert min(drawn) < 0.05
    assert max(drawn) > 0.45
    assert max(drawn) < 0.5
    assert 0.2 < sum(drawn) / len(drawn) < 0.3
    assert delays(3) == delays(3)


@pytest.mark.parametrize(("hint", "seconds"), [(7, 7.0), (7.5, 7.5), (300, 300.0)])
def test_a_providers_wait_is_obeyed(hint: float, seconds: float) -> None:
    value, log, elapsed = tried(failing(RateLimitError("x", retry_after=hint)), Retry())
    assert (value, elapsed) == ("answer 2", seconds)
    assert (log.decisions[0].delay, log.decisions[0].ceiling) == (seconds, seconds)


@pytest.mark.parametrize("hint", [0, 0.0, -5, math.nan, None, "7"])
def test_a_wait_that_is_none_leaves_the_own_delay(hint: Any) -> None:
    _, log, elapsed = tried(failing(RateLimitError("x", retry_after=hint)), Retry())
    assert log.decisions[0].ceiling == 0.5
    assert 0 <= elapsed < 0.5


def test_an_endless_wait_is_no_wait() -> None:
    value, log, elapsed = tried(failing(RateLimitError("x", retry_after=math.inf)), Retry())
    assert isinstance(value, RateLimitError)
    assert log.decisions[0].delay is None
    assert elapsed == 0.0


@given(st.floats(0, 100), st.floats(0, 100), st.none() | st.floats(0, 200))
def test_no_wait_ends_beyond_the_deadline(now: float, deadline: float, hint: float | None) -> None:
    decision = Retry().decide(
        RateLimitError("x", retry_after=hint),
        attempt=1,
        now=now,
        deadline=deadline,
        draw=random.Random(1).random,
    )
    if decision.delay is None:
        assert decision.reason in ("deadline", "retry_after")
    else:
        assert now + decision.delay < deadline
        assert hint is None or decision.delay >= hint


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    error = RateLimitError("x", retry_after=59)
    value, log, elapsed = tried(failing(error), Retry(), deadline=50.0)
    assert value is error
    assert elapsed == 0.0
    assert log.decisions == [Decision(True, reason="deadline")]


def test_a_wait_beyond_our_patience_is_not_begun() -> None:
    error = RateLimitError("x", retry_after=86_400)
    value, log, elapsed = tried(failing(error), Retry())
    assert (value, elapsed) == (error, 0.0)
    assert log.decisions == [Decision(True, reason="retry_after")]


def test_what_is_not_safe_to_repeat_is_not_repeated_further_out() -> None:
    write = Retry(is_retryable=is_retryable_write_error)
    value, log, _ = tried(failing(TimeoutError()), write)
    assert log.decisions == [Decision(False, reason="unsafe")]
    assert is_permanent(value)


# -- limits of time --------------------------------------------------------------------------------


async def slow(call: Call) -> str:
    await asyncio.sleep(10)
    return "late"


def test_an_attempt_has_its_timeout() -> None:
    value, log, elapsed = tried(slow, Retry(timeout=2.0, max_retries=2))
    assert isinstance(value, CallTimeoutError)
    assert (value.target, value.timeout) == ("t", 2.0)
    assert [kind for kind, _ in log.told] == ["started", "failed"] * 3
    waits = sum(decision.delay or 0 for decision in log.decisions)
    assert elapsed == pytest.approx(6.0 + waits)


def test_all_attempts_have_the_deadline() -> None:
    value, log, elapsed = tried(slow, Retry(timeout=4.0, max_retries=9), deadline=9.0)
    assert isinstance(value, DeadlineExceeded | CallTimeoutError)
    assert elapsed <= 9.0
    assert log.told[-1][0] == "failed"


def test_the_nearer_of_two_limits_is_named() -> None:
    assert isinstance(
        tried(slow, Retry(max_retries=0, timeout=5.0), deadline=3.0)[0], DeadlineExceeded
    )
    assert isinstance(
        tried(slow, Retry(max_retries=0, timeout=3.0), deadline=5.0)[0], CallTimeoutError
    )
    value, _, elapsed = tried(slow, Retry(), deadline=3.0)
    assert (value.deadline, elapsed) == (3.0, 3.0)


def test_control_without_a_limit_nobody_is_hurried() -> None:
    assert tried(slow, Retry())[0] == "late"
    assert tried(slow, Retry(timeout=10.5), deadline=11.0)[0] == "late"


def test_a_bodys_own_timeout_is_not_taken_for_ours() -> None:
    mine = TimeoutError("mine")
    value, _, _ = tried(failing(mine), Retry(max_retries=0, timeout=5.0))
    assert value is mine


# -- budget ----------------------------------------------------------------------------------------


def test_retries_are_a_burst_and_a_share_of_the_calls() -> None:
    async def main(calls: int) -> int:
        run = Run(1)
        attempts = 0

        async def body(call: Call) -> None:
            nonlocal attempts
            attempts += 1
            raise ConnectionResetError

        for _ in range(calls):
            log = Log()
            call = Call("tool", "t", {})
            with pytest.raises(ConnectionResetError):
                await retrying(call, body, retry=Retry(), run=run, observer=log)
        return attempts - calls

    assert simulated(main(2)) == 6
    assert simulated(main(4)) == 11
    assert simulated(main(100)) == 20
    assert simulated(main(1000)) == 110


def test_a_spent_budget_is_said() -> None:
    async def main() -> Decision:
        run = Run(1)
        run.calls = 1
        while RetryBudget.of(run).take():
            pass
        log = Log()
        with pytest.raises(ConnectionResetError):
            await retrying(
                Call("tool", "t", {}),
                failing(ConnectionResetError()),
                retry=Retry(),
                run=run,
                observer=log,
            )
        return log.decisions[0]

    assert simulated(main()) == Decision(True, reason="budget")


# -- cancellation ----------------------------------------------------------------------------------


CANCEL_POINTS = [
    (0.5, "in the first attempt"),
    (1.0, "as it fails"),
    (1.2, "in the wait"),
    (100.0, "in the second attempt"),
]


@pytest.mark.parametrize(("instant", "where"), CANCEL_POINTS)
def test_cancellation_passes_at_once_and_is_no_failure(instant: float, where: str) -> None:
    log = Log()

    async def body(call: Call) -> None:
        await asyncio.sleep(1.0 if call.attempt == 1 else 1e6)
        raise RateLimitError("x", retry_after=1.0)

    loop = SimLoop()

    async def main() -> float:
        retry = Retry(timeout=1e7)
        call = Call("tool", "t", {}, deadline=1e8)
        task = loop.create_task(retrying(call, body, retry=retry, run=Run(1), observer=log))
        await asyncio.sleep(instant)
        begun = loop.time()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return loop.time() - begun

    assert loop.run_until_complete(main()) == 0.0, where
    assert not loop.leftovers().tasks
    assert not loop.leftovers().timers
    loop.close()
    kinds = [kind for kind, _ in log.told]
    assert kinds.count("started") == len(kinds) - kinds.count("started")
    assert (kinds[-1] == "cancelled") == (where != "in the wait")


def test_no_timer_is_left_by_a_timed_attempt() -> None:
    loop = SimLoop()

    async def main() -> None:
        for body in (failing(), failing(ValueError())):
            call = Call("tool", "t", {}, deadline=1e6)
            retry = Retry(timeout=1e5, max_retries=1)
            await retrying(call, body, retry=retry, run=Run(1), observer=Log())

    loop.run_until_complete(main())
    assert not loop.leftovers().timers
    loop.close()


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"max_retries": -1},
        {"base": 0},
        {"factor": 0.5},
        {"cap": 0.1},
        {"timeout": 0},
        {"total": -1},
    ],
)
def test_a_retry_that_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="got"):
        Retry(**options)
