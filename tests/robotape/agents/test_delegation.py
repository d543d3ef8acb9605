"""Agent as tool: its run joins that of who asks; nothing is widened, nothing done twice."""

from typing import Any

import pytest

from robotape import BaseAgent, LLMAgent, Policy, Tape, allow, deny
from robotape.agents import Budget, RunResult, SimpleAgent, Team, as_tool
from robotape.agents.workflows import Sequential
from robotape.context import RunContext
from robotape.errors import InDoubtError, ServerError
from robotape.tools import tool
from robotape_harness import FunctionLLM, ScriptedLLM, call, say
from tests.laws.scripts import broken_laws, simulated, tool_names


def boss(agent: BaseAgent, **options: Any) -> LLMAgent:
    model = ScriptedLLM(call(agent.name, task="dig"), say("ok"))
    return LLMAgent("boss", model, tools=[as_tool(agent)], **options)


def answer(result: RunResult) -> str:
    return next(m.content for m in result.messages if m.role == "tool")


def test_the_answer_is_the_tools_result() -> None:
    result = simulated(boss(LLMAgent("digger", ScriptedLLM(say("a bone")))).run("go"))
    assert answer(result) == "a bone"
    assert "boss/1/tool:digger[0]/digger[0]/1/llm[0]" in {e.call_id for e in result.tape}
    assert {e.agent for e in result.tape} == {"boss", "boss/digger"}
    assert broken_laws(result.tape) == []


def test_its_definition_is_the_agents_or_what_is_said() -> None:
    assert as_tool(SimpleAgent("clerk")).definition["name"] == "clerk"
    named = as_tool(SimpleAgent("clerk"), name="ask", description="Ask.").definition
    assert (named["name"], named["description"]) == ("ask", "Ask.")
    assert named["parameters"]["required"] == ["task"]


def test_an_unfinished_run_is_not_taken_for_an_answer() -> None:
    @tool(pure=True)
    async def look() -> str:
        """Look."""
        return "seen"

    lost = LLMAgent("lost", ScriptedLLM([say("hm"), call("look")]), tools=[look], max_turns=1)
    assert answer(simulated(boss(lost).run("go"))) == '{"stopped":"max_turns","last_said":"hm"}'


def test_an_error_inside_is_tried_again_inside_and_only_there() -> None:
    asked: list[int] = []

    def fail(messages: Any, tools: Any) -> Any:
        asked.append(1)
        raise ServerError("down")

    with pytest.raises(ServerError):
        simulated(boss(LLMAgent("digger", FunctionLLM(fail))).run("go"))
    assert len(asked) == 3  # a model's own attempts, not times a tool's


def test_policy_principal_and_deps_go_inside() -> None:
    @tool
    async def dig(ctx: RunContext[list[str]]) -> str:
        """Dig."""
        ctx.deps.append(str(ctx.principal))
        return "dug"

    def digger(policy: Policy) -> LLMAgent:
        inner = LLMAgent("digger", ScriptedLLM(call("dig"), say("x")), tools=[dig])
        return boss(inner, policy=policy)

    everything, no_digging = allow("*", "*"), deny("eve", "dig")
    holes: list[str] = []
    simulated(digger(Policy(everything)).run("go", deps=holes, principal="eve"))
    assert holes == ["eve"]
    simulated(digger(Policy(everything, no_digging)).run("go", deps=holes, principal="eve"))
    simulated(digger(Policy(allow("eve", "dig"))).run("go", deps=holes, principal="eve"))
    assert holes == ["eve"]


def test_a_team_is_a_tool_too() -> None:
    inner = Team("pair", Sequential(SimpleAgent("a"), SimpleAgent("b")), budget=Budget(turns=1))
    assert answer(simulated(boss(inner).run("go"))) == "Processing Processing dig"


# -- resume ----------------------------------------------------------------------------------------


def crew(done: list[str], **options: Any) -> LLMAgent:
    @tool(**options)
    async def dig(place: str) -> str:
        """Dig."""
        done.append(place)
        return "dug"

    here, there = call("dig", place="here"), call("dig", place="there")
    return boss(LLMAgent("digger", ScriptedLLM(here, there, say("two holes")), tools=[dig]))


@pytest.mark.parametrize("is_closed", [False, True])
def test_what_was_done_inside_is_not_done_twice(is_closed: bool) -> None:
    whole = simulated(crew([]).run("go", seed=1)).tape
    outer = next(e.call_id for e in whole if e.node == "digger")
    for length in range(1, len(whole)):
        tape = whole.branch(length)
        if set(tape.pending) - {outer} and any("dig[" in call_id for call_id in tape.pending):
            continue  # the inner effect itself is in doubt: below
        if is_closed and outer in tape.pending:
            tape = _cancelled(tape, outer)
        before = [e.value["place"] for e in tape if e.node == "dig" and e.type == "action"]
        done: list[str] = []
        result = simulated(crew(done).run("go", tape=tape))
        assert result.output == "ok"
        assert before + done == ["here", "there"], length
        assert broken_laws(result.tape) == []


def _cancelled(tape: Tape, call_id: str) -> Tape:
    """The same tape, its calls closed as a cancelled run leaves them."""
    for inner in [*sorted(tape.pending, reverse=True)]:
        action = next(e for e in reversed(list(tape)) if e.call_id == inner)
        tape.record(
            type(action.type).OBSERVATION,
            type(action.status).CANCELLED,
            agent=action.agent,
            node=action.node,
            call_id=inner,
            attempt=action.attempt,
            content=None,
        )
    assert call_id not in tape.pending
    return tape


def test_an_effect_in_doubt_inside_stays_in_doubt() -> None:
    whole = simulated(crew([]).run("go", seed=1)).tape
    at = next(i for i, e in enumerate(whole) if e.node == "dig")
    done: list[str] = []
    with pytest.raises(InDoubtError) as raised:
        simulated(crew(done).run("go", tape=whole.branch(at + 1)))
    assert raised.value.target == "dig"
    assert done == []


def test_control_an_effect_with_a_key_is_issued_again() -> None:
    def keyed(done: list[str]) -> LLMAgent:
        return crew(done, effect_key=lambda args: args.place)

    whole = simulated(keyed([]).run("go", seed=1)).tape
    at = next(i for i, e in enumerate(whole) if e.node == "dig")
    done: list[str] = []
    result = simulated(keyed(done).run("go", tape=whole.branch(at + 1)))
    assert done == ["here", "there"]
    keys = [e.facts["key"] for e in result.tape if e.node == "dig" and e.facts and "key" in e.facts]
    assert len(set(keys)) == 2 < len(keys)
    assert tool_names(result.tape).count("digger") == 2
