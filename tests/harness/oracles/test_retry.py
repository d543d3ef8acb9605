"""Laws of the oracles of retrying: planted policies and loops are accused, sound ones are not."""

import asyncio
from typing import Any

import pytest

from robotape import LLMAgent, Retry, Tool
from robotape.errors import QuotaError
from robotape.models.steps import StepStatus, StepType
from robotape.retry import Decision
from robotape.tape import Tape
from robotape_harness.oracles.retry import (
    no_backoff,
    no_cap,
    not_retried_transient,
    retried_permanent,
)
from robotape_harness.oracles.verdict import Evidence
from robotape_harness.scenario import Scenario
from robotape_harness.scripted import ScriptedLLM, say
from robotape_harness.simulation.trial import simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, accused, doing, names, pay_42, paying, under


class Stubborn(Retry):
    """A policy of the user's that takes nothing for permanent."""

    def decide(self, error: BaseException, *, attempt: int, **_: Any) -> Decision:
        if attempt > self.max_retries:
            return Decision(True, reason="exhausted")
        return Decision(True, self.ceiling(attempt) / 2, self.ceiling(attempt))


def never(_: BaseException) -> bool:
    return False


def talking(retry: Retry) -> Scenario:
    return Scenario(
        world=World,
        agent=lambda _: LLMAgent("talker", llm=ScriptedLLM(say("hello"), retry=retry)),
        task="talk",
        name="talking",
    )


# -- retried_permanent


def test_trying_again_what_cannot_pass_is_accused() -> None:
    scenario = doing(pay_42, paying(retry=Stubborn()))
    evidence = under(scenario, "permanent_error", mode="forever")
    [verdict] = accused(retried_permanent, evidence)
    assert verdict.harm == 2
    assert "tool:pay#1 was tried again after PermissionError, which cannot pass: 4 attempts" in (
        verdict.why
    )
    assert len(verdict.steps) == 8
    assert names(evidence) == ["retried_permanent"]


def test_a_class_that_is_permanent_is_known_by_its_name() -> None:
    evidence = under(talking(Stubborn()), "authentication", site="llm[talker]#1")
    assert accused(retried_permanent, evidence)


def test_a_loop_of_the_agents_own_around_what_cannot_pass_is_accused() -> None:
    async def stubborn(doer: Doer, _: World) -> Any:
        for _again in range(4):
            try:
                return await doer.call("pay", order="42")
            except PermissionError:
                await asyncio.sleep(5.0)
        return None

    evidence = under(doing(stubborn, paying()), "permanent_error", mode="forever")
    [verdict] = accused(retried_permanent, evidence)
    assert "4 calls" in verdict.why


@pytest.mark.parametrize("kind", ["permanent_error", "error"])
def test_control_the_default_policy_gives_up_only_on_what_cannot_pass(kind: str) -> None:
    evidence = under(doing(pay_42, paying()), kind, mode="forever")
    assert not accused(retried_permanent, evidence)
    assert not accused(not_retried_transient, evidence)
    assert len(evidence.trial.tape) == (2 if kind == "permanent_error" else 8)


# -- not_retried_transient


def test_giving_up_at_once_on_what_may_pass_is_accused() -> None:
    evidence = under(doing(pay_42, paying(retry=Retry(is_retryable=never))), "error")
    [verdict] = accused(not_retried_transient, evidence)
    assert verdict.harm == 3
    assert "tool:pay#1 gave up after one attempt: ConnectionResetError may pass" in verdict.why


def test_a_model_that_is_not_asked_again_is_accused() -> None:
    evidence = under(talking(Retry(is_retryable=never)), "rate_limit", site="llm[talker]#1")
    assert accused(not_retried_transient, evidence)
    assert not accused(
        not_retried_transient, under(talking(Retry()), "rate_limit", site="llm[talker]#1")
    )


@pytest.mark.parametrize(
    "options",
    [{"writes": True}, {"max_retries": 0}, {"retry": Retry(total=1e-9)}],
    ids=["a write without a key", "no retries configured", "the deadline"],
)
def test_control_what_was_forbidden_is_no_accusation(options: dict[str, Any]) -> None:
    evidence = under(doing(pay_42, paying(**options)), "error")
    assert evidence.trial.ending == "raised"
    assert len(evidence.trial.tape) == 2
    assert not accused(not_retried_transient, evidence)


def test_control_an_agent_may_do_its_own_retrying() -> None:
    async def again(doer: Doer, _: World) -> Any:
        try:
            return await doer.call("pay", order="42")
        except ConnectionError:
            await asyncio.sleep(1.0)
            return await doer.call("pay", order="42")

    scenario = doing(again, paying(retry=Retry(is_retryable=never)))
    assert not accused(not_retried_transient, under(scenario, "error"))


# -- no_backoff


class Constant(Retry):
    """A policy of the user's, without jitter and without growth."""

    def decide(self, error: BaseException, *, attempt: int, **_: Any) -> Decision:
        return Decision(True, 1.0, 1.0) if attempt < 4 else Decision(True, reason="exhausted")


class Rushing(Retry):
    """A policy of the user's that does not wait at all."""

    def decide(self, error: BaseException, *, attempt: int, **_: Any) -> Decision:
        return Decision(True, 0.0, 0.0) if attempt < 4 else Decision(True, reason="exhausted")


@pytest.mark.parametrize("retry", [Retry(factor=1.0), Constant(), Rushing()])
def test_waits_that_never_grow_are_accused(retry: Retry) -> None:
    evidence = under(doing(pay_42, paying(retry=retry)), "error", mode="forever")
    [verdict] = accused(no_backoff, evidence)
    assert verdict.harm == 2
    assert "they never grow" in verdict.why
    assert names(evidence) == ["no_backoff"]


def test_the_default_policy_is_never_accused_however_its_jitter_falls() -> None:
    scenario = doing(pay_42, paying())
    for seed in range(30):
        trial = simulate(scenario, seed=seed)
        assert not no_backoff(Evidence(trial=trial, baseline=trial))
    assert not accused(no_backoff, under(scenario, "error", mode="forever"))


def test_control_a_wait_that_the_provider_asked_for_need_not_grow() -> None:
    evidence = under(
        talking(Retry(factor=1.0)),
        "rate_limit",
        mode="forever",
        site="llm[talker]#1",
        params={"retry_after": 7.0},
    )
    assert len(evidence.trial.tape) == 8
    assert not accused(no_backoff, evidence)


def test_control_a_wait_at_the_cap_need_not_grow_any_more() -> None:
    tape = taped(ceilings=(8.0, 16.0, 30.0, 30.0, 30.0))
    assert not no_backoff(judged(tape))
    assert not no_backoff(judged(taped(ceilings=(30.0, 30.0))))
    assert no_backoff(judged(taped(ceilings=(8.0, 4.0))))


def test_control_an_attempt_that_a_crash_ended_has_no_wait_to_judge() -> None:
    assert not no_backoff(judged(taped(ceilings=(0.0, 0.5), error="Interrupted")))


@pytest.mark.parametrize(("wait", "expected"), [(0.0, 1), (2.0, 0)])
def test_a_loop_of_the_agents_own_must_let_time_pass(wait: float, expected: int) -> None:
    async def loop(doer: Doer, _: World) -> Any:
        for _again in range(3):
            try:
                return await doer.call("pay", order="42")
            except ConnectionError:
                await asyncio.sleep(wait)
        return None

    evidence = under(doing(loop, paying(max_retries=0)), "error", mode="forever")
    assert len(accused(no_backoff, evidence)) == expected


def test_control_asking_once_more_is_no_loop() -> None:
    async def twice(doer: Doer, _: World) -> Any:
        try:
            return await doer.call("pay", order="42")
        except ConnectionError:
            return await doer.call("pay", order="42")

    assert not accused(no_backoff, under(doing(twice, paying(max_retries=0)), "error"))


def test_control_calls_at_the_same_time_are_no_loop() -> None:
    async def fan_out(doer: Doer, _: World) -> Any:
        calls = [doer.call("pay", order="42") for _ in range(5)]
        return str(await asyncio.gather(*calls, return_exceptions=True))

    scenario = doing(fan_out, failing_tool())
    trial = simulate(scenario)
    assert sum(step.type is StepType.ERROR for step in trial.tape) == 5
    assert not no_backoff(Evidence(trial=trial, baseline=trial))


# -- no_cap


def test_trying_for_ever_is_accused_and_explains_the_hang() -> None:
    async def for_ever(doer: Doer, _: World) -> Any:
        while True:
            try:
                return await doer.call("pay", order="42")
            except ConnectionError:
                await asyncio.sleep(60.0)

    evidence = under(doing(for_ever, paying(max_retries=0)), "error", mode="forever")
    assert evidence.trial.ending == "hung"
    [verdict] = accused(no_cap, evidence)
    assert verdict.harm == 3
    assert "fails for ever and is tried for ever" in verdict.why
    assert names(evidence) == ["no_cap"]


def test_waits_that_double_without_a_cap_are_accused_when_time_is_up() -> None:
    async def doubling(doer: Doer, _: World) -> Any:
        wait = 1.0
        while True:
            try:
                return await doer.call("pay", order="42")
            except ConnectionError:
                await asyncio.sleep(wait)
                wait *= 2

    evidence = under(doing(doubling, paying(max_retries=0)), "error", mode="forever")
    [verdict] = accused(no_cap, evidence)
    assert "17 attempts" in verdict.why


def test_one_call_with_more_attempts_than_anybody_needs_is_accused() -> None:
    evidence = under(doing(pay_42, paying()), "error", mode="forever")
    object.__setattr__(evidence.trial, "tape", taped(ceilings=tuple(range(1, 25))))
    assert accused(no_cap, evidence)


def test_control_three_tries_are_a_limit() -> None:
    evidence = under(doing(pay_42, paying()), "error", mode="forever")
    assert not accused(no_cap, evidence)
    once = under(doing(pay_42, paying()), "error", mode="once")
    assert not accused(no_cap, once)


def test_control_as_many_equal_calls_as_without_the_fault_are_no_loop() -> None:
    async def poll(doer: Doer, _: World) -> None:
        for _again in range(30):
            try:
                await doer.call("pay", order="42")
            except ConnectionError:
                await asyncio.sleep(1.0)

    evidence = under(doing(poll, paying(max_retries=0)), "error", mode="forever")
    assert not accused(no_cap, evidence)


# -- tapes written by hand


def taped(*, ceilings: tuple[float, ...], error: str = "ConnectionResetError") -> Tape:
    """One call that is tried again after each of these ceilings, then answers."""
    tape = Tape()
    for attempt, ceiling in enumerate(ceilings, start=1):
        written(tape, StepType.ACTION, attempt, {"kind": "tool"})
        facts = {"retryable": True, "delay": ceiling / 2, "ceiling": ceiling}
        written(tape, StepType.ERROR, attempt, facts, error)
    written(tape, StepType.ACTION, len(ceilings) + 1, {"kind": "tool"})
    written(tape, StepType.OBSERVATION, len(ceilings) + 1, {})
    return tape


def written(
    tape: Tape, type: StepType, attempt: int, facts: dict[str, Any], error: str = ""
) -> None:
    status = {
        StepType.ACTION: StepStatus.PENDING,
        StepType.ERROR: StepStatus.FAILED,
    }.get(type, StepStatus.COMPLETED)
    tape.record(
        type,
        status,
        agent="doer",
        node="pay",
        call_id="doer/tool:pay[0]",
        attempt=attempt,
        content={"error": error, "message": ""} if error else {"order": "42"},
        facts=facts,
    )


def judged(tape: Tape) -> Evidence:
    trial = simulate(doing(pay_42, paying()))
    object.__setattr__(trial, "tape", tape)
    return Evidence(trial=trial, baseline=trial)


def failing_tool() -> Tool[Any]:
    async def pay(order: str) -> None:
        """Fail."""
        raise QuotaError("no money left")

    return Tool(pay)
