"""Hand-off: the conversation moves, whole and once; nobody's instructions go with it."""

import asyncio
from typing import Any

import pytest

from robotape import LLMAgent, Policy, allow, deny
from robotape.agents import HandOff, RunResult, Team
from robotape.models import Message
from robotape.tools import tool
from robotape_harness import FunctionLLM, ScriptedLLM, call, say
from tests.laws.scripts import broken_laws, simulated, tool_names


@tool(pure=True)
async def look() -> str:
    """Look."""
    return "seen"


def desk(name: str, *turns: Any, **options: Any) -> LLMAgent:
    return LLMAgent(name, ScriptedLLM(*turns), instructions=f"You are {name}.", **options)


TO_BILLING = call("transfer_to_billing")


def hand_off(*first: Any, **options: Any) -> RunResult:
    """What a triage that says `first` and a billing that answers give."""
    flow = HandOff(desk("triage", *first, tools=[look]), desk("billing", say("Paid.")))
    return simulated(Team("x", flow, **options).run("Pay me", seed=1))


def test_the_other_agent_goes_on_with_the_conversation() -> None:
    result = hand_off([say("One moment."), TO_BILLING])
    assert (result.output, result.stop_reason) == ("Paid.", "finished")
    assert [(m.role, m.content) for m in result.messages] == [
        ("system", "You are billing."),
        ("user", "Pay me"),
        ("assistant", "One moment."),
        ("tool", "done: transfer_to_billing"),
        ("assistant", "Paid."),
    ]
    assert [part.stop_reason for part in result.parts] == ["handed_off", "finished"]
    assert "x/billing[0]/1/llm[0]" in {entry.call_id for entry in result.tape}
    assert broken_laws(result.tape) == []


def test_control_without_a_transfer_nothing_moves() -> None:
    result = hand_off(call("look"), say("I see."))
    assert (result.output, len(result.parts)) == ("I see.", 1)


def test_the_other_calls_of_the_reply_are_made() -> None:
    result = hand_off([call("look"), TO_BILLING])
    assert tool_names(result.tape) == ["llm", "look", "transfer_to_billing", "llm"]
    assert next(m.content for m in result.messages if m.role == "tool") == "seen"


def test_of_two_transfers_the_first_counts() -> None:
    flow = HandOff(
        desk("triage", [call("transfer_to_b"), call("transfer_to_a")]),
        desk("a", say("a answers")),
        desk("b", say("b answers")),
    )
    assert simulated(Team("x", flow).run("go")).output == "b answers"


def test_a_transfer_needs_the_policys_leave() -> None:
    policy = Policy(allow("*", "*"), deny("*", "transfer_to_billing"))
    result = hand_off(TO_BILLING, say("I may not."), policy=policy)
    assert (result.output, len(result.parts)) == ("I may not.", 1)
    assert "may not call transfer_to_billing" in result.messages[-2].content


def test_a_refused_transfer_does_not_hide_the_one_that_was_made() -> None:
    policy = Policy(allow("*", "*"), deny("*", "transfer_to_a"))
    flow = HandOff(
        desk("triage", [call("transfer_to_a"), call("transfer_to_b")]),
        desk("a", say("a answers")),
        desk("b", say("b answers")),
    )
    assert simulated(Team("x", flow, policy=policy).run("go")).output == "b answers"


def test_a_wrong_transfer_goes_back_to_the_model() -> None:
    def triage(messages: tuple[Message, ...], tools: Any) -> Any:
        wrong = call("transfer_to_nobody")
        return wrong if messages[-1].role == "user" else TO_BILLING

    flow = HandOff(LLMAgent("triage", FunctionLLM(triage)), desk("billing", say("Paid.")))
    result = simulated(Team("x", flow).run("go"))
    assert result.output == "Paid."
    assert any("no tool is called 'transfer_to_nobody'" in m.content for m in result.messages)


@pytest.mark.parametrize("bound", [0, 1, 4])
def test_a_conversation_that_goes_round_is_stopped(bound: int) -> None:
    flow = HandOff(
        desk("triage", TO_BILLING), desk("billing", call("transfer_to_triage")), max_hand_offs=bound
    )
    result = simulated(Team("x", flow).run("go"))
    assert (result.stop_reason, len(result.parts)) == ("max_hand_offs", bound + 1)
    assert f"after {bound} hand-offs" in str(result.error)


def test_agents_stay_as_they_are() -> None:
    triage = desk("triage", TO_BILLING, tools=[look])
    flow = HandOff(triage, desk("billing", say("Paid.")))
    assert set(triage.tools) == {"look"}
    assert triage.last_tools == frozenset()
    assert flow.members["triage"] is triage


def test_a_subclass_keeps_its_ways() -> None:
    class Polite(LLMAgent):
        async def run(self, task: Any, **options: Any) -> RunResult:
            return await super().run(f"Please: {task}" if task else None, **options)

    flow = HandOff(Polite("triage", ScriptedLLM(TO_BILLING)), desk("billing", say("Paid.")))
    result = simulated(Team("x", flow).run("go"))
    assert result.messages[1].content == "Please: go"


def test_a_tool_of_that_name_is_in_the_way() -> None:
    @tool(name="transfer_to_b")
    async def mine() -> None:
        """Mine."""

    with pytest.raises(ValueError, match="a: a hand-off needs the tool name transfer_to_b"):
        HandOff(LLMAgent("a", ScriptedLLM(), tools=[mine]), LLMAgent("b", ScriptedLLM()))


def test_there_is_a_bound() -> None:
    with pytest.raises(ValueError, match="max_hand_offs"):
        HandOff(desk("a", say("x")), max_hand_offs=-1)


def test_tools_are_told_the_task_of_the_run() -> None:
    told: list[str] = []

    @tool
    async def note(ctx: Any) -> str:
        """Note."""
        told.append(ctx.prompt)
        return "ok"

    note = type(note)(note.function, takes_ctx=True, name="note")
    flow = HandOff(
        desk("triage", TO_BILLING), desk("billing", call("note"), say("x"), tools=[note])
    )
    simulated(Team("x", flow).run("Pay me"))
    assert told == ["Pay me"]


def test_going_on_needs_a_history() -> None:
    with pytest.raises(ValueError, match="no history"):
        asyncio.run(desk("a", say("x")).run(None))
