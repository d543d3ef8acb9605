"""Prices: what a run cost, exactly; an unknown price is no number, never a guess."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape import BaseAgent, LLMAgent, Tape, Tool
from robotape.llm.exchange import LLMResponse
from robotape.llm.prices import Bill, Prices, tape_cost
from robotape.models import StepStatus, StepType, ToolCall, Usage
from robotape_harness import ScriptedLLM
from tests.laws.scripts import simulated

PRICES: Prices = {"gpt-4": (30, 60), "small": (0.1, "0.4")}
ASKS = LLMResponse(tool_calls=(ToolCall("look", "{}", "1"),), usage=Usage(1000, 100), model="gpt-4")
SAYS = LLMResponse("Done.", usage=Usage(2000, 10), model="gpt-4")


async def look() -> str:
    """Look."""
    return "seen"


def agent(*script: Any, **options: Any) -> LLMAgent:
    model = ScriptedLLM(*(script or (ASKS, SAYS)), model=options.pop("model", "scripted"))
    return LLMAgent("desk", model, tools=[Tool(look)], **options)


def test_a_run_costs_what_its_tokens_cost() -> None:
    result = simulated(agent(prices=PRICES).run("go"))
    assert result.cost_usd == Decimal("0.0966")  # 3,000 at 30 and 110 at 60 a million


def test_without_prices_there_is_no_number() -> None:
    assert simulated(agent().run("go")).cost_usd is None
    assert simulated(BaseAgent("plain").run("go")).cost_usd is None


def test_one_model_without_a_price_leaves_no_number() -> None:
    other = LLMResponse("Done.", usage=Usage(1, 1), model="nobody-knows")
    assert simulated(agent(ASKS, other, prices=PRICES).run("go")).cost_usd is None
    free = {**PRICES, "nobody-knows": (0, 0)}
    assert simulated(agent(ASKS, other, prices=free).run("go")).cost_usd == Decimal("0.036")


def test_the_model_that_answered_counts_before_the_one_asked_for() -> None:
    dated = LLMResponse("Done.", usage=Usage(1_000_000, 0), model="small-2026-01-01")
    assert simulated(agent(dated, model="small", prices=PRICES).run("x")).cost_usd == Decimal("0.1")
    large = LLMResponse("Done.", usage=Usage(1_000_000, 0), model="gpt-4")
    assert simulated(agent(large, model="small", prices=PRICES).run("x")).cost_usd == 30


def test_a_run_stopped_by_its_limits_has_cost_what_it_has() -> None:
    stopped = simulated(agent(ASKS, ASKS, ASKS, max_turns=2, prices=PRICES).run("go"))
    assert stopped.stop_reason == "max_turns"
    assert stopped.cost_usd == 2 * Decimal("0.036")


def test_a_tape_says_what_runs_inside_the_run_cost_too() -> None:
    inner = LLMAgent("inner", ScriptedLLM(SAYS))

    async def look() -> str:
        """Let somebody else look."""
        return str((await inner.run("go")).output)

    outer = LLMAgent("outer", ScriptedLLM(ASKS, SAYS), tools=[Tool(look)], prices=PRICES)
    result = simulated(outer.run("go"))
    assert result.cost_usd == Decimal("0.0966")
    assert tape_cost(result.tape, PRICES) == Decimal("0.0966") + Decimal("0.0606")
    assert tape_cost(result.tape, {}) is None
    again = Tape.from_jsonl(result.tape.jsonl())
    assert tape_cost(again, PRICES) == tape_cost(result.tape, PRICES)


def test_a_tape_looks_the_price_up_by_the_model_asked_for_too() -> None:
    dated = LLMResponse("Done.", usage=Usage(1_000_000, 0), model="small-2026-01-01")
    result = simulated(agent(dated, model="small").run("x"))
    assert tape_cost(result.tape, PRICES) == Decimal("0.1")


def test_an_answer_from_the_cache_costs_nothing() -> None:
    tape = Tape()
    costs = {"finish_reason": "stop", "model": "gpt-4", "input_tokens": 7, "output_tokens": 7}
    tape.record(
        StepType.OBSERVATION,
        StepStatus.COMPLETED,
        agent="desk",
        node="llm",
        content=costs,
        call_id="desk/1/llm[0]",
        facts={"cached": True},
    )
    assert tape_cost(tape, PRICES) == 0


def test_no_call_costs_nothing() -> None:
    assert tape_cost(Tape(), {}) == 0
    assert Bill({}).total == 0


@pytest.mark.parametrize("pair", [(-1, 1), (1, float("nan")), ("much", 1), (1, "inf"), (1,)])
def test_what_is_no_price_is_refused_when_the_agent_is_made(pair: Any) -> None:
    with pytest.raises(ValueError, match="gpt-4"):
        agent(prices={"gpt-4": pair})


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), max_size=20))
def test_the_order_of_calls_and_floats_change_no_cent(calls: list[tuple[int, int]]) -> None:
    totals = []
    for order in (calls, calls[::-1]):
        bill = Bill({"m": (0.1, 0.7)})
        for sent, received in order:
            bill.add(Usage(sent, received), "m")
        totals.append(bill.total)
    expected = sum(sent * 1 + received * 7 for sent, received in calls)
    assert totals == [Decimal(expected) / 10_000_000] * 2
