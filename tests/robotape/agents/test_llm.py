"""LLMAgent: asks, calls, asks again; what cannot be used is not done; limits hold."""

import asyncio
import json
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from robotape import LLMAgent, Policy, Tape, Tool, allow, run_many
from robotape.agents import RunResult
from robotape.context import RunContext
from robotape.errors import ModelBehaviorError, ReportedError, ServerError
from robotape.llm.exchange import LLMRequest, LLMResponse
from robotape.models import Message, Usage
from robotape.models.messages import ToolCall
from robotape.tools import tool
from tests.laws.scripts import (
    Model,
    asks,
    broken_laws,
    call,
    say,
    script,
    simulated,
    tool_names,
    wrong,
)


@tool(pure=True)
async def double(n: int) -> int:
    """Double a number."""
    await asyncio.sleep(10 - n)
    return 2 * n


@tool(pure=True)
async def whisper(ctx: RunContext[list[str]], text: str) -> str:
    """Say it."""
    ctx.deps.append(text)
    return text.lower()


def agent(*replies: LLMResponse, **options: Any) -> LLMAgent:
    return LLMAgent("desk", script(*replies), tools=[double, whisper], **options)


def answers(result: RunResult) -> list[tuple[str, str]]:
    return [
        (message.name, message.content) for message in result.messages if message.role == "tool"
    ]


def test_a_run_ends_with_the_models_answer() -> None:
    result = simulated(agent(asks(call("double", n=4)), say("It is 8.")).run("2 * 4?"))
    assert (result.output, result.stop_reason) == ("It is 8.", "finished")
    assert [message.role for message in result.messages] == [
        "user",
        "assistant",
        "tool",
        "assistant",
    ]
    assert answers(result) == [("double", "8")]
    assert result.messages[2].tool_call_id == "double-id"
    assert broken_laws(result.tape) == []
    assert tool_names(result.tape) == ["llm", "double", "llm"]


def test_parallel_calls_are_answered_in_the_models_order() -> None:
    calls = [call("double", n=n) for n in (1, 5, 3)]
    for seed in range(10):
        desk = agent(asks(*calls), say("ok"))
        result = simulated(desk.run("go"), seed)
        assert answers(result) == [("double", "2"), ("double", "10"), ("double", "6")]
        assert result.tape[-1].at == 9.0  # at once, not one after another
        ids = [step.call_id for step in result.tape if step.node == "double"]
        assert {f"desk/1/tool:double[{n}]" for n in range(3)} == set(ids)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        (3, "3"),
        (Decimal("1.50"), "1.50"),
        ({"b": {2, 1}}, '{"b":[1,2]}'),
        (None, "null"),
        (True, "true"),
    ],
)
def test_results_are_told_in_words(value: Any, text: str) -> None:
    async def body() -> Any:
        return value

    desk = LLMAgent("desk", script(asks(call("body")), say("ok")), tools=[Tool(body)])
    assert answers(simulated(desk.run("go"))) == [("body", text)]


# -- what cannot be used ---------------------------------------------------------------------------

UNUSABLE: list[tuple[ToolCall, str]] = [
    (wrong("double", "{"), "JSON"),
    (wrong("double", '{"n": "1"}'), "$.n"),
    (wrong("double", '{"n": 1, "m": 2}'), "$.m"),
    (wrong("double", ""), "invalid arguments"),
    (wrong("Double", '{"n": 1}'), "no tool is called 'Double'"),
    (wrong("", "{}"), "no tool is called ''"),
]


@pytest.mark.parametrize(("bad", "words"), UNUSABLE, ids=repr)
def test_a_reply_that_cannot_be_used_is_asked_for_again_whole(bad: ToolCall, words: str) -> None:
    said: list[str] = []
    reply = asks(call("whisper", text="A"), bad)
    desk = agent(reply, asks(call("whisper", text="B")), say("ok"))
    result = simulated(desk.run("go", deps=said))
    assert said == ["B"]
    first, second, third = answers(result)
    assert "not made" in first[1]
    assert words in second[1]
    assert third == ("whisper", "b")
    assert result.output == "ok"
    assert broken_laws(result.tape) == []
    # Again within the same turn:
    ids = [step.call_id for step in result.tape if step.node == "llm" and step.type == "action"]
    assert ids == ["desk/1/llm[0]", "desk/1/llm[1]", "desk/2/llm[0]"]


@pytest.mark.parametrize("asks_allowed", [1, 2, 5])
def test_a_model_that_does_not_learn_is_given_up(asks_allowed: int) -> None:
    desk = agent(asks(wrong("double", "{")), max_asks=asks_allowed)
    tape = Tape()
    with pytest.raises(ModelBehaviorError) as raised:
        simulated(desk.run("go", tape=tape))
    assert raised.value.asks == asks_allowed
    assert tool_names(tape) == ["llm"] * asks_allowed
    assert broken_laws(tape) == []


def test_control_a_usable_reply_is_not_asked_for_again() -> None:
    result = simulated(agent(asks(call("double", n=1)), say("ok"), max_asks=1).run("go"))
    assert result.usage.llm_calls == 2


def test_denied_calls_are_answered_to_the_model() -> None:
    policy = Policy(
        allow("eve", "double", n=lambda n: n < 5),
        allow("bob", "whisper"),
    )
    said: list[str] = []
    calls = [call("double", n=1), call("double", n=7), call("whisper", text="A")]
    desk = agent(asks(*calls), say("ok"), policy=policy)
    result = simulated(desk.run("go", deps=said, principal="eve"))
    first, second, third = (text for _, text in answers(result))
    assert first == "2"
    assert "may not call double" in second
    assert "may not call whisper" in third
    assert said == []
    assert result.output == "ok"
    assert tool_names(result.tape) == ["llm", "double", "llm"]


def test_a_failing_call_lets_its_siblings_finish() -> None:
    ended: list[int] = []

    @tool(max_retries=0)
    async def work(n: int) -> int:
        """Work."""
        await asyncio.sleep(n)
        if n == 1:
            raise LookupError("first")
        ended.append(n)
        return n

    calls = [call("work", n=n) for n in (3, 1, 2)]
    desk = LLMAgent("desk", script(asks(*calls), say("ok")), tools=[work])
    tape = Tape()
    with pytest.raises(LookupError, match="first"):
        simulated(desk.run("go", tape=tape))
    assert sorted(ended) == [2, 3]
    assert broken_laws(tape) == []


# -- limits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("turns", [1, 2, 4])
def test_a_run_ends_after_its_turns(turns: int) -> None:
    result = simulated(agent(asks(call("double", n=1)), max_turns=turns).run("go"))
    assert result.stop_reason == "max_turns"
    assert result.usage.llm_calls == turns
    assert tool_names(result.tape) == ["llm", "double"] * turns


@pytest.mark.parametrize(("limit", "calls"), [(1, 1), (15, 1), (16, 2), (31, 3)])
def test_a_run_ends_after_its_tokens(limit: int, calls: int) -> None:
    result = simulated(agent(asks(call("double", n=1)), max_tokens=limit).run("go"))
    assert result.stop_reason == "max_tokens"
    assert result.usage.llm_calls == calls


def test_control_an_answer_within_its_limits_is_an_answer() -> None:
    desk = agent(asks(call("double", n=1)), say("ok"), max_turns=2, max_tokens=31)
    assert simulated(desk.run("go")).stop_reason == "finished"


@pytest.mark.parametrize("options", [{"max_turns": 0}, {"max_asks": 0}, {"max_tokens": 0}])
def test_limits_below_one_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        agent(say("x"), **options)


# -- usage, history --------------------------------------------------------------------------------


def test_usage_counts_answers_tokens_and_bodies() -> None:
    policy = Policy(allow("*", "double", n=lambda n: n < 5))
    desk = agent(
        asks(wrong("double", "{")),
        asks(call("double", n=1), call("double", n=2), call("double", n=9)),
        say("ok"),
        policy=policy,
    )
    assert simulated(desk.run("go")).usage == Usage(30, 15, llm_calls=3, tool_calls=2)


def test_a_conversation_goes_on_with_its_history() -> None:
    desk = agent(say("first"), say("second"), instructions="Be kind.")
    first = simulated(desk.run("one"))
    second = simulated(desk.run("two", history=first.messages))
    assert [(m.role, m.content) for m in second.messages] == [
        ("system", "Be kind."),
        ("user", "one"),
        ("assistant", "first"),
        ("user", "two"),
        ("assistant", "second"),
    ]
    assert second.output == "second"


def test_instructions_are_given_whatever_the_history() -> None:
    desk = agent(say("x"), instructions="Be kind.")
    told = simulated(desk.run("two", history=(Message("user", "one"), Message("assistant", "1"))))
    assert told.messages[0] == Message("system", "Be kind.")
    own = simulated(desk.run("two", history=(Message("system", "Be curt."),)))
    assert [m.content for m in own.messages if m.role == "system"] == ["Be curt."]


def test_the_tape_tells_each_message_once() -> None:
    desk = agent(asks(call("double", n=1)), asks(call("double", n=2)), say("ok"))
    result = simulated(desk.run("go"))
    asked = [step.value for step in result.tape if step.node == "llm" and step.type == "action"]
    told = [message["content"] for entry in asked for message in entry["messages"]]
    assert told == ["go", "2", "4"]
    assert [entry.get("after", 0) for entry in asked] == [0, 2, 4]


# -- composed --------------------------------------------------------------------------------------


def team() -> LLMAgent:
    planner = agent(asks(call("double", n=1)), say("planned"))
    planner.name = "planner"

    @tool
    async def plan(task: str) -> str:
        """Ask the planner."""
        return str((await planner.run(task)).output)

    return LLMAgent(
        "team",
        script(asks(call("plan", task="a"), call("plan", task="b")), say("ok")),
        tools=[plan],
    )


def test_an_agent_as_a_tool_shares_tape_and_names() -> None:
    result = simulated(team().run("go"))
    assert result.output == "ok"
    assert broken_laws(result.tape) == []
    inner = [step for step in result.tape if step.agent == "team/planner"]
    assert {step.call_id for step in inner if step.node == "double"} == {
        "team/1/tool:plan[0]/planner[0]/1/tool:double[0]",
        "team/1/tool:plan[1]/planner[0]/1/tool:double[0]",
    }
    assert len({step.call_id for step in result.tape}) == 3 * 2 + 2 + 2


def test_names_and_digest_do_not_move_with_the_schedule() -> None:
    tapes = [simulated(team().run("go", seed=1), seed).tape for seed in range(20)]
    names = {tuple(sorted(step.call_id for step in tape)) for tape in tapes}
    keys = {
        tuple(sorted(str((step.facts or {}).get("key")) for step in tape if step.type == "action"))
        for tape in tapes
    }
    assert len(names) == len(keys) == 1


def test_one_agent_keeps_a_hundred_runs_apart() -> None:
    def decide(request: LLMRequest) -> LLMResponse:
        task = request.messages[0].content
        last = request.messages[-1]
        return (
            say(f"{task}: {last.content}")
            if last.role == "tool"
            else asks(call("double", n=int(task) % 10))
        )

    desk = LLMAgent("desk", Model(decide, latency=0.5), tools=[double])

    async def main() -> list[RunResult]:
        return await run_many([partial(desk.run, n, seed=n) for n in range(100)], limit=100)

    results = simulated(main(), seed=3)
    assert [result.output for result in results] == [f"{n}: {2 * (n % 10)}" for n in range(100)]
    assert len({id(result.tape) for result in results}) == 100
    for result in results:
        assert broken_laws(result.tape) == []
        assert tool_names(result.tape) == ["llm", "double", "llm"]
        assert result.usage == Usage(20, 10, llm_calls=2, tool_calls=1)


def test_an_agent_that_failed_can_be_run_again() -> None:
    asked = iter([ServerError("500"), ServerError("500"), ServerError("500")])

    def decide(request: LLMRequest) -> LLMResponse:
        for error in asked:
            raise error
        return say("ok")

    desk = LLMAgent("desk", Model(decide))

    async def main() -> str:
        with pytest.raises(ServerError):
            await desk.run("go")
        return str((await desk.run("go")).output)

    assert simulated(main()) == "ok"


def test_a_model_is_told_of_its_tools() -> None:
    model = script(say("x"))
    simulated(LLMAgent("desk", model, tools=[double, whisper]).run("go"))
    [request] = model.requests
    assert [entry["name"] for entry in request.tools] == ["double", "whisper"]
    json.dumps(request.tools)


def test_what_a_tool_reports_of_itself_is_told_to_the_model_and_not_tried_again() -> None:
    @tool
    async def find() -> str:
        """Find."""
        raise ReportedError("there is no order 42")

    desk = LLMAgent("desk", script(asks(call("find")), say("ok")), tools=[find])
    result = simulated(desk.run("go"))
    assert answers(result) == [("find", "Error: there is no order 42")]
    assert tool_names(result.tape) == ["llm", "find", "llm"]
    assert result.usage.tool_calls == 0
