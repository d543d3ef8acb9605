"""Laws of the oracles of outcomes: what is missing, different or left over is told apart."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape import RunContext, RunResult, Tool
from robotape.models.messages import Message
from robotape_harness.oracles.outcomes import (
    is_less,
    silent_skip,
    state_not_reset,
    wrong_result,
)
from robotape_harness.world import World
from tests.harness.oracles.planted import (
    Doer,
    accused,
    doing,
    names,
    pay_42,
    paying,
    paying_with_key,
    under,
)


async def hide(doer: Doer, _: World) -> str:
    try:
        await doer.call("pay", order="42")
    except ConnectionError:
        return "paid"
    return "paid"


async def report(doer: Doer, _: World) -> RunResult:
    try:
        await doer.call("pay", order="42")
    except ConnectionError as error:
        return RunResult("", doer.current_tape, stop_reason="failed", error=str(error))
    return RunResult("paid", doer.current_tape)


def test_an_answer_that_hides_another_outcome_is_accused() -> None:
    evidence = under(doing(hide, paying()), "error", mode="forever")
    [verdict] = accused(wrong_result, evidence)
    assert verdict.harm == 5
    assert verdict.why.endswith(
        'its outcome is {}, not {"payment {\\"order\\":\\"42\\"}": 1} as without the fault'
    )
    assert names(evidence) == ["silent_skip"]


def test_control_an_agent_that_reports_its_failure_is_not_accused() -> None:
    evidence = under(doing(report, paying()), "error", mode="forever")
    assert evidence.trial.ending == "answered"
    assert not accused(wrong_result, evidence)


def test_control_an_error_that_comes_out_is_a_report() -> None:
    evidence = under(doing(pay_42, paying()), "error", mode="forever")
    assert evidence.trial.ending == "raised"
    assert not accused(wrong_result, evidence)


def test_an_outcome_is_quoted_up_to_a_limit() -> None:
    scenario = doing(hide, paying(), outcome=lambda result, world: [len(world.ledger)] * 10_000)
    [verdict] = accused(wrong_result, under(scenario, "error", mode="forever"))
    assert len(verdict.why) < 600


# -- silent_skip


def test_work_that_is_missing_has_a_name_of_its_own() -> None:
    evidence = under(doing(hide, paying()), "error", mode="forever")
    [verdict] = accused(silent_skip, evidence)
    assert verdict.harm == 5
    assert "some of its work was not done: {}, not" in verdict.why


def test_control_what_is_different_is_not_missing() -> None:
    async def pay_less(doer: Doer, world: World) -> None:
        try:
            await doer.call("pay", order="42")
        except ConnectionError:
            world.ledger.commit("payment", order="41")

    evidence = under(doing(pay_less, paying()), "error", mode="forever")
    assert not accused(silent_skip, evidence)
    assert names(evidence) == ["wrong_result"]


@pytest.mark.parametrize(
    ("left", "whole", "expected"),
    [
        ([1], [1, 2], True),
        ([2, 1], [1, 2], False),
        ([3], [1, 2], False),
        ([1, 1], [1, 2, 3], False),
        ({}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, True),
        ({"a": 3}, {"a": 2}, False),
        ({"b": 1}, {"a": 1, "c": 2}, False),
        ({"a": [1]}, {"a": [1, 2]}, True),
        ("pa", "paid", False),
        (1, 2, False),
    ],
)
def test_less_is_the_same_with_something_missing(left: Any, whole: Any, expected: bool) -> None:
    assert is_less(left, whole) is expected


JSON = st.recursive(
    st.integers(0, 3) | st.sampled_from(["a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=8,
)


@given(JSON, JSON)
def test_less_is_a_strict_order(one: Any, other: Any) -> None:
    assert not is_less(one, one)
    assert not (is_less(one, other) and is_less(other, one))


# -- state_not_reset


def collecting(kept: list[str]) -> Tool[Any]:
    async def pay(ctx: RunContext[World], order: str) -> int:
        """Pay, and say how many were paid."""
        ctx.deps.ledger.commit("payment", key=ctx.idempotency_key, order=order)
        kept.append(order)
        return len(kept)

    return Tool(pay, effect_key=lambda args: args.order)


async def add_up(doer: Doer, _: World) -> list[str]:
    kept: list[str] = []
    doer.tools["pay"] = collecting(kept)
    await doer.call("pay", order="42")
    return kept


def test_what_a_failed_attempt_leaves_in_the_answer_is_accused() -> None:
    evidence = under(doing(add_up, paying()), "error", "after_commit")
    [verdict] = accused(state_not_reset, evidence)
    assert verdict.harm == 5
    assert 'the answer is ["42", "42"], not ["42"] as without the fault' in verdict.why
    assert names(evidence) == ["state_not_reset"]


def test_what_it_leaves_in_the_conversation_is_accused() -> None:
    async def talk(doer: Doer, _: World) -> RunResult:
        said = [Message("user", "pay")]
        for _again in range(3):
            try:
                await doer.call("pay", order="42")
            except ConnectionError:
                said.append(Message("user", "pay"))
            else:
                break
        return RunResult("paid", doer.current_tape, messages=tuple(said))

    evidence = under(doing(talk, paying_with_key(max_retries=0)), "error")
    [verdict] = accused(state_not_reset, evidence)
    assert "the conversation is " in verdict.why


def test_an_outcome_that_differs_although_all_was_made_good_has_this_name() -> None:
    scenario = doing(add_up, paying(), outcome=lambda result, world: len(result.output))
    assert names(under(scenario, "error", "after_commit")) == ["state_not_reset"]


@pytest.mark.parametrize("mode", ["once", "forever"])
def test_control_a_tool_that_keeps_nothing_leaves_nothing(mode: Any) -> None:
    evidence = under(doing(pay_42, paying_with_key()), "error", "after_commit", mode)
    assert not accused(state_not_reset, evidence)


def test_control_what_was_not_made_good_was_not_left_behind() -> None:
    evidence = under(doing(hide, paying()), "error", mode="forever")
    assert not accused(state_not_reset, evidence)


def test_control_an_answer_of_its_own_making_is_no_leftover() -> None:
    async def tell(doer: Doer, _: World) -> str:
        for attempt in ("at once", "at the second try"):
            try:
                await doer.call("pay", order="42")
            except ConnectionError:
                continue
            return f"paid {attempt}"
        return "not paid"

    evidence = under(doing(tell, paying_with_key(max_retries=0)), "error")
    assert not accused(state_not_reset, evidence)
