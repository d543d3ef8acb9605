"""BaseAgent: override one method and it runs; its tools only through the corridor."""

import asyncio
from typing import Any

import pytest

from robotape import BaseAgent, Policy, Tape, Tool, allow
from robotape.errors import PolicyDenied, UnknownToolError
from robotape.models import Step, StepMetadata, StepResult, StepStatus, StepType
from robotape.tools import tool
from tests.laws.scripts import broken_laws, simulated


@tool
async def add(a: int, b: int) -> int:
    """Add."""
    return a + b


@tool(max_retries=0)
async def broken(a: int) -> int:
    """Fail."""
    raise LookupError("nothing there")


def acting(action: Any, **arguments: Any) -> Step:
    return Step(type=StepType.ACTION, content={"action": action, "arguments": arguments})


def test_overriding_execute_step_alone_is_enough() -> None:
    class Echo(BaseAgent):
        async def execute_step(self, step: Step) -> StepResult:
            return StepResult(success=True, output=f"{step.type}: {step.content}")

    result = asyncio.run(Echo("echo").run("hello"))
    assert (result.output, result.stop_reason) == ("thought: hello", "finished")
    assert [step.content for step in result.tape.steps] == ["thought: hello"]


def test_a_step_is_executed_by_its_type() -> None:
    class Named(BaseAgent):
        async def think(self, context: Any) -> StepResult:
            return StepResult(success=True, output="think")

        async def act(self, thought: Step) -> StepResult:
            return StepResult(success=True, output="act")

        async def observe(self, action: Step) -> StepResult:
            return StepResult(success=True, output="observe")

    agent = Named("a")
    for kind, expected in (
        (StepType.THOUGHT, "think"),
        (StepType.ACTION, "act"),
        (StepType.OBSERVATION, "observe"),
    ):
        step = Step(type=kind, content={})
        assert asyncio.run(agent.execute_step(step)).output == expected
    with pytest.raises(ValueError, match="error step"):
        asyncio.run(agent.execute_step(Step(type=StepType.ERROR, content={})))


def test_think_act_observe() -> None:
    agent = BaseAgent("a", tools=[add])
    result = simulated(agent.run({"action": "add", "arguments": {"a": 1, "b": 2}}))
    assert (result.output, result.stop_reason, result.error) == (3, "finished", None)
    kinds = [step.type for step in result.tape]
    assert kinds == [StepType.THOUGHT, StepType.ACTION, StepType.OBSERVATION, StepType.OBSERVATION]
    assert broken_laws(result.tape) == []


REFUSED: list[tuple[Any, str, str]] = [
    ({"no": 1}, "names no action", ""),
    ("text", "names no action", ""),
    ({"action": "sub"}, "no tool is called 'sub'; there are: add, broken", "UnknownToolError"),
    ({"action": ["add"]}, "no tool is called", "UnknownToolError"),
    ({"action": None}, "no tool is called", "UnknownToolError"),
    ({"action": "add", "arguments": {"a": 1}}, "$.b", "ToolInputError"),
    ({"action": "add", "arguments": [1, 2]}, "invalid arguments", "ToolInputError"),
    ({"action": "add", "arguments": None}, "invalid arguments", "ToolInputError"),
    ({"action": "broken", "arguments": {"a": 1}}, "may not call broken", "PolicyDenied"),
]


@pytest.mark.parametrize(("content", "words", "kind"), REFUSED, ids=repr)
def test_an_action_that_is_not_made_says_why(content: Any, words: str, kind: str) -> None:
    agent = BaseAgent("a", tools=[add, broken], policy=Policy(allow("*", "add"), allow("*", "sub")))
    result = asyncio.run(agent.act(Step(type=StepType.ACTION, content=content)))
    assert not result.success
    assert words in (result.error or "")
    assert result.metadata.get("error_type", "") == kind


def test_a_failing_body_is_raised() -> None:
    agent = BaseAgent("a", tools=[broken])
    with pytest.raises(LookupError, match="nothing there"):
        asyncio.run(agent.act(acting("broken", a=1)))


def test_a_run_that_fails_says_so() -> None:
    result = simulated(BaseAgent("a", tools=[add]).run({"action": "sub"}))
    assert result.stop_reason == "failed"
    assert "no tool is called 'sub'" in (result.error or "")


def test_calls_outside_a_run_go_on_the_agents_own_tape() -> None:
    agent = BaseAgent("a", tools=[add])

    async def main() -> None:
        await asyncio.gather(*(agent.act(acting("add", a=n, b=n)) for n in range(3)))
        with pytest.raises(UnknownToolError):
            await agent.call_tool("sub", {})

    simulated(main())
    tape = agent.current_tape
    assert agent.current_tape is tape
    assert broken_laws(tape) == []
    assert len({step.call_id for step in tape}) == 4


def test_a_tape_of_ones_own_is_written_on() -> None:
    tape = Tape()
    result = simulated(BaseAgent("a").run("x", tape=tape))
    assert result.tape is tape
    assert len(tape) == 1


def test_a_denied_agent_raises_where_it_is_called() -> None:
    agent = BaseAgent("a", tools=[add], policy=Policy())
    with pytest.raises(PolicyDenied):
        asyncio.run(agent.call_tool("add", {"a": 1, "b": 2}))


@pytest.mark.parametrize("name", ["", "a/b"])
def test_a_name_that_is_no_part_of_a_path_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        BaseAgent(name)


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two tools are called add"):
        BaseAgent("a", tools=[add, Tool(add.function)])


# -- policies of agents within each other ----------------------------------------------------------


def outcome(outer: Policy | None, inner: Policy | None, *, by: str) -> str:
    worker = BaseAgent("worker", tools=[add], policy=inner)

    @tool(max_retries=0)
    async def delegate() -> str:
        """Let the worker do it."""
        content = {"action": "add", "arguments": {"a": 1, "b": 2}}
        if by == "run":
            done = await worker.run(content)
            return done.error or str(done.output)
        if by == "act":
            result = await worker.act(Step(type=StepType.ACTION, content=content))
            return result.error or str(result.output)
        return str(await worker.call_tool("add", {"a": 1, "b": 2}))

    boss = BaseAgent("boss", tools=[delegate], policy=outer)

    async def main() -> str:
        result = await boss.run({"action": "delegate"}, principal="eve")
        return result.error or str(result.output)

    return simulated(main())


ALL, DELEGATE, ADD = allow("*", "*"), allow("*", "delegate"), allow("*", "add")
WAYS = ["run", "act", "call_tool"]


@pytest.mark.parametrize("by", WAYS)
@pytest.mark.parametrize(
    ("outer", "inner", "allowed"),
    [
        (None, None, True),
        ((ALL,), (ADD,), True),
        ((DELEGATE, ADD), None, True),
        ((ALL,), (), False),
        (None, (), False),
        ((DELEGATE,), None, False),
        ((DELEGATE,), (ALL,), False),
    ],
)
def test_policies_add_up_and_never_widen(by: str, outer: Any, inner: Any, allowed: bool) -> None:
    policies = [None if rules is None else Policy(*rules) for rules in (outer, inner)]
    told = outcome(*policies, by=by)
    assert told == "3" if allowed else "may not call add" in told


def test_a_users_own_step_may_be_appended() -> None:
    agent = BaseAgent("a")
    agent.current_tape.append(
        Step(type=StepType.THOUGHT, content="mine", metadata=StepMetadata(agent="a", node="n"))
    )
    [step] = agent.current_tape.steps
    assert (step.content, step.status) == ("mine", StepStatus.COMPLETED)


def test_a_plain_function_is_no_tool_and_the_error_says_what_to_do() -> None:
    def add(a: int) -> int:
        return a

    wrong: Any = [add]
    with pytest.raises(TypeError, match="decorate it with @tool"):
        BaseAgent("desk", tools=wrong)
