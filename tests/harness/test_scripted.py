"""Scripted models: the answer depends on agent and turn, not on how often they are asked."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from robotape import LLMAgent, LLMResponse, Retry, RunResult, run_many, tool
from robotape.errors import is_permanent
from robotape.llm.exchange import LLMRequest
from robotape.models.messages import Message, ToolCall, Usage
from robotape.tools import LLMTool
from robotape_harness.scripted import (
    BlockedLLM,
    BlockedLLMError,
    FunctionLLM,
    ScriptedLLM,
    ScriptExhausted,
    call,
    say,
)


@tool(pure=True)
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def run(llm: Any, *, name: str = "desk", seed: int = 1) -> RunResult:
    return asyncio.run(LLMAgent(name, llm, tools=[add]).run("go", seed=seed))


def test_the_turns_are_answered_in_order() -> None:
    result = run(ScriptedLLM(call("add", a=1, b=2), say("It is 3.")))
    assert (result.output, result.stop_reason) == ("It is 3.", "finished")
    assert result.messages[2] == Message("tool", "3", tool_call_id="call_1_1", name="add")


def test_a_list_is_one_turn_with_parallel_calls_and_text() -> None:
    llm = ScriptedLLM(
        [say("Two sums."), call("add", a=1, b=2), call("add", a=3, b=4)], say("Done.")
    )
    said = run(llm).messages[1]
    assert said.content == "Two sums."
    assert [asked.id for asked in said.tool_calls] == ["call_1_1", "call_1_2"]


def test_arguments_are_text_as_a_model_writes_it() -> None:
    asked = call("pay", amount=Decimal("30.00"), name="Zoë", tags=["a"])
    assert asked == ToolCall("pay", '{"amount":"30.00","name":"Zoë","tags":["a"]}')


def test_a_call_may_have_any_argument_names() -> None:
    assert call("f", name=1, self=2).arguments == '{"name":1,"self":2}'


def test_asked_again_in_one_turn_it_says_the_same() -> None:
    llm = ScriptedLLM(call("no_such_tool"), say("never"))
    with pytest.raises(Exception, match="3 replies in one turn could not be used"):
        run(llm)


def test_each_agent_has_its_own_script_by_path_or_last_name() -> None:
    llm = ScriptedLLM({"planner": [say("a plan")], "team/writer": [say("a text")]})
    assert run(llm, name="planner").output == "a plan"
    inner = LLMAgent("writer", llm)

    @tool(pure=True)
    async def write() -> str:
        """Let the writer write."""
        return str((await inner.run("write")).output)

    outer = LLMAgent("team", ScriptedLLM(call("write"), say("done")), tools=[write])
    messages = asyncio.run(outer.run("go", seed=1)).messages
    assert [m.content for m in messages if m.role == "tool"] == ["a text"]


def test_concurrent_runs_may_share_one() -> None:
    llm = ScriptedLLM(call("add", a=1, b=2), say("3"))
    agent = LLMAgent("desk", llm, tools=[add])
    results = asyncio.run(run_many([lambda: agent.run("go")] * 5))
    assert [result.output for result in results] == ["3"] * 5


def test_outside_an_agent_it_goes_by_the_order_of_the_calls() -> None:
    async def talk() -> list[str]:
        llm = ScriptedLLM(say("one"), say("two"))
        return [(await llm.generate("?")).text, (await llm.generate("?")).text]

    assert asyncio.run(talk()) == ["one", "two"]


def test_outside_an_agent_the_attempts_of_one_call_get_one_answer() -> None:
    async def ask_twice() -> list[str]:
        llm = ScriptedLLM(say("one"), say("two"))
        request = LLMRequest((Message("user", "?"),))
        return [(await llm.complete(request)).text, (await llm.complete(request)).text]

    assert asyncio.run(ask_twice()) == ["one", "one"]


def test_what_is_asked_outside_the_turns_has_its_own_script() -> None:
    llm = ScriptedLLM({"desk": [call("generate", prompt="?"), say("done")], "desk/0": [say("hm")]})
    agent = LLMAgent("desk", llm, tools=[LLMTool(llm)])
    messages = asyncio.run(agent.run("go", seed=1)).messages
    assert [m.content for m in messages if m.role == "tool"] == ["hm"]


def test_running_out_names_agent_and_turn_and_what_to_add() -> None:
    with pytest.raises(ScriptExhausted) as caught:
        run(ScriptedLLM(call("add", a=1, b=2)))
    error = caught.value
    assert (error.agent, error.turn, error.planned) == ("desk", 2, 1)
    assert "agent 'desk' asks for turn 2, and the script has 1" in str(error)
    assert "Add call(...) or say(...) as turn 2" in str(error)
    assert is_permanent(error)


def test_an_agent_without_a_script_is_told_who_has_one() -> None:
    with pytest.raises(ScriptExhausted, match=r"it has some for: planner"):
        run(ScriptedLLM({"planner": [say("a plan")]}))


def test_running_out_is_not_tried_again() -> None:
    asked: list[int] = []

    def nothing_left(messages: Sequence[Message], tools: Sequence[Any]) -> LLMResponse:
        asked.append(1)
        raise ScriptExhausted("desk", 1, 0)

    with pytest.raises(ScriptExhausted):
        run(FunctionLLM(nothing_left))
    assert asked == [1]


def test_usage_is_small_and_grows_with_the_turns() -> None:
    usage = run(ScriptedLLM(call("add", a=1, b=2), say("3"))).usage
    assert (usage.input_tokens, usage.output_tokens, usage.llm_calls) == (30, 20, 2)


def test_a_response_passes_as_it_is() -> None:
    response = LLMResponse("hm", usage=Usage(1, 2), model="m", finish_reason="stop")
    assert asyncio.run(ScriptedLLM(response).generate("?")) is response


@pytest.mark.parametrize(
    ("turns", "error", "phrase"),
    [
        (["hello"], TypeError, "not of a str"),
        ([[]], ValueError, "an empty answer is say"),
        ([[say("a"), 3]], TypeError, "not of a int"),
        ([{"desk": [None]}], TypeError, "not of a NoneType"),
    ],
)
def test_a_script_is_checked_when_it_is_written(
    turns: list[Any], error: type[Exception], phrase: str
) -> None:
    with pytest.raises(error, match=phrase):
        ScriptedLLM(*turns)


def test_latency_is_not_negative() -> None:
    with pytest.raises(ValueError, match="latency must be >= 0 s"):
        ScriptedLLM(say("?"), latency=-1)


def test_the_real_retry_policy_can_be_given() -> None:
    retry = Retry(max_retries=7)
    assert ScriptedLLM(say("?"), retry=retry).retry is retry


def test_a_function_is_told_messages_and_tools() -> None:
    seen: list[Any] = []

    async def answer(messages: Sequence[Message], tools: Sequence[dict[str, Any]]) -> Any:
        seen.append((messages[-1].content, [known["name"] for known in tools]))
        return say("fine") if len(seen) > 1 else [call("add", a=1, b=1)]

    assert run(FunctionLLM(answer)).output == "fine"
    assert seen == [("go", ["add"]), ("2", ["add"])]


def test_a_function_must_give_a_turn() -> None:
    def gives_text(*_: object) -> Any:
        return "hello"

    with pytest.raises(TypeError, match="not of a str"):
        run(FunctionLLM(gives_text))


def test_a_blocked_llm_refuses_whoever_asks() -> None:
    with pytest.raises(BlockedLLMError, match="desk asked a BlockedLLM"):
        run(BlockedLLM())
    with pytest.raises(BlockedLLMError):
        asyncio.run(BlockedLLM().generate("?"))


def test_a_script_is_streamed_word_by_word_and_the_same_on_the_tape() -> None:
    async def main() -> tuple[list[str], list[str]]:
        llm = ScriptedLLM(say("It is 3."), call("add", a=1, b=2))
        async with llm.stream("?") as stream:
            words = [piece.text async for piece in stream]
        async with llm.stream("?") as stream:
            calls = [piece.tool_call.name async for piece in stream if piece.tool_call]
            assert stream.whole.tool_calls[0].arguments == '{"a":1,"b":2}'
        return words, calls

    assert asyncio.run(main()) == (["It ", "is ", "3."], ["add"])


def test_a_streaming_script_runs_out_like_any() -> None:
    async def main() -> None:
        async with ScriptedLLM().stream("?"):
            pass

    with pytest.raises(ScriptExhausted):
        asyncio.run(main())
