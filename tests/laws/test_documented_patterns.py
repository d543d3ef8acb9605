"""The documented examples of robotape 0.6's "Advanced Patterns" run, with imports added."""

import asyncio
import logging
import random
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from robotape.agents import BaseAgent, SimpleAgent
from robotape.models.steps import Step, StepResult, StepType
from robotape.tools import RunContext, Tool
from tests.laws.scripts import simulated

logger = logging.getLogger(__name__)

# -- as documented ---------------------------------------------------------------------------------


class RobustAgent(BaseAgent):
    async def execute_step(self, step: Step) -> StepResult:
        try:
            # Normal execution
            return await super().execute_step(step)
        except Exception as e:
            # Log error
            logger.error(f"Error executing step: {e!s}")

            # Create error result
            return StepResult(
                success=False,
                error=str(e),
                metadata={"error_type": type(e).__name__, "step_type": step.type},
            )


class RetryTool(Tool):
    def __init__(self, max_retries: int = 3):
        super().__init__(self._retry_function, max_retries=max_retries)

    async def _retry_function(self, ctx: RunContext[str]) -> str:
        """A function that retries on failure."""
        if draw() < 0.5:
            raise ValueError("Temporary failure!")
        return "Success"


class InputModel(BaseModel):
    query: str
    limit: int


async def safe_tool(ctx: RunContext[str], input_data: dict[str, Any]) -> dict[str, Any]:
    """Search."""
    try:
        validated_input = InputModel(**input_data)
    except ValidationError as e:
        raise ValueError(f"Invalid input: {e}") from e

    return {"results": [f"Result for {validated_input.query}"]}


class SecureAPITool(Tool):
    def __init__(self) -> None:
        self.api_key = "k"
        super().__init__(self._call_secure_api)

    async def _call_secure_api(self, ctx: RunContext[str], query: str) -> dict[str, Any]:
        return {"q": query, "auth": f"Bearer {self.api_key}"}


class RestrictedAgent(BaseAgent):
    def __init__(self, name: str, allowed_actions: list[str]):
        super().__init__(name)
        self.allowed_actions = allowed_actions

    async def act(self, thought: Step) -> StepResult:
        if thought.content["action"] not in self.allowed_actions:
            return StepResult(
                success=False,
                error="Action not allowed",
                metadata={"action": thought.content["action"]},
            )
        return await super().act(thought)


# -- laws ------------------------------------------------------------------------------------------

chance = random.Random(1)
draw = chance.random


def test_robust_agent_turns_errors_into_results() -> None:
    agent = RobustAgent("robust")
    good = asyncio.run(agent.execute_step(Step(type=StepType.THOUGHT, content="x")))
    assert good.success
    bad = asyncio.run(agent.execute_step(Step(type=StepType.ERROR, content="x")))
    assert (bad.success, bad.metadata["error_type"]) == (False, "ValueError")
    assert bad.metadata["step_type"] is StepType.ERROR


def test_robust_agent_runs_from_task_to_result() -> None:
    result = simulated(RobustAgent("robust").run({"task": "x"}))
    assert result.stop_reason == "finished"


@pytest.mark.parametrize("seed", range(5))
def test_retry_tool_retries(seed: int) -> None:
    chance.seed(seed)
    told = simulated(_collected(RetryTool(max_retries=20)))
    assert told == "Success"


async def _collected(tool: Tool[Any]) -> Any:
    return await tool.execute({}, RunContext("deps"))


def test_control_retry_tool_gives_up() -> None:
    chance.seed(1)
    outcomes = set()
    for _ in range(30):
        try:
            outcomes.add(simulated(_collected(RetryTool(max_retries=0))))
        except ValueError as error:
            outcomes.add(str(error))
    assert outcomes == {"Success", "Temporary failure!"}


def test_simple_agent_thinks_alone_and_at_once() -> None:
    async def run_concurrent_agents() -> list[Any]:
        agent1 = SimpleAgent("agent1")
        agent2 = SimpleAgent("agent2")
        results = await asyncio.gather(
            agent1.think({"task": "task1"}), agent2.think({"task": "task2"})
        )
        return [result.output for result in results]

    assert asyncio.run(run_concurrent_agents()) == [
        "Processing task: task1",
        "Processing task: task2",
    ]


def test_safe_tool_validates_and_is_not_retried() -> None:
    made: Tool[Any] = Tool(safe_tool)
    context = RunContext("deps")
    good = {"input_data": {"query": "a", "limit": 1}}
    assert simulated(made.execute(good, context)) == {"results": ["Result for a"]}
    calls = 0

    async def counting(ctx: RunContext[str], input_data: dict[str, Any]) -> Any:
        nonlocal calls
        calls += 1
        return await safe_tool(ctx, input_data)

    with pytest.raises(ValueError, match="Invalid input"):
        simulated(Tool(counting).execute({"input_data": {"query": "a"}}, context))
    assert calls == 1


def test_secure_tool_sets_its_key_first() -> None:
    told = asyncio.run(SecureAPITool().execute({"query": "x"}, RunContext("deps")))
    assert told == {"q": "x", "auth": "Bearer k"}


def test_restricted_agent_refuses_what_is_not_listed() -> None:
    agent = RestrictedAgent("r", ["read"])
    refused = asyncio.run(agent.act(Step(type=StepType.ACTION, content={"action": "remove"})))
    assert (refused.success, refused.error) == (False, "Action not allowed")
    passed = asyncio.run(agent.act(Step(type=StepType.ACTION, content={"action": "read"})))
    assert "no tool is called 'read'" in (passed.error or "")
