"""Agent as tool: a model asks another agent, and is told what it answers.

The agent's run joins the run of who asks; only the question and the answer cross over.
"""

from dataclasses import replace
from typing import Any

from robotape.agents.base import BaseAgent
from robotape.agents.result import RunResult
from robotape.calls import Call
from robotape.context import RunContext, Surroundings
from robotape.runtime import Scope
from robotape.tools import Tool

__all__ = ["as_tool"]


def as_tool(
    agent: BaseAgent, *, name: str | None = None, description: str | None = None
) -> Tool[Any]:
    """Make a tool that takes a `task`, runs an agent on it and gives its answer.

    The agent acts for the same principal on the same tape, with the same deps, within every
    policy, budget and deadline in force; the tool's own name needs a policy's leave too. It
    is tried once: what fails inside is tried again there. In a resumed run the agent goes on
    where it was, and what it had done is not done twice.

    Args:
        agent: Anyone, a team included.
        name: None takes the agent's.
        description: For the model; None takes a sentence with the agent's name.

    Returns:
        A tool that gives what the agent answers; for a run that did not finish, a dict of
        `stopped` (the reason) and `last_said`, so that nobody takes it for an answer.

    Example:
        >>> import asyncio
        >>> from robotape import SimpleAgent
        >>> asyncio.run(as_tool(SimpleAgent("clerk")).execute({"task": "count"}))
        'Processing count'
    """

    async def ask(ctx: RunContext[Any], task: str) -> Any:
        return _told(await agent.run(task, deps=ctx.deps))

    return _AgentTool(
        ask,
        takes_ctx=True,
        max_retries=0,
        name=name or agent.name,
        description=description or f"Ask {agent.name} to do a task, in words, and get its answer.",
    )


class _AgentTool(Tool[Any]):
    """A tool whose body only makes calls of its own, each with its own place on the tape."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # To enter the body again is safe: each call inside is looked up for itself.
        self._passage = replace(self._passage, is_repeatable=True)

    async def _body(self, scope: Scope, around: Surroundings, call: Call) -> Any:
        # Calls inside keep their ids when the body is entered again, or none would be found.
        return await super()._body(scope, around, replace(call, attempt=1))


def _told(result: RunResult) -> Any:
    if result.stop_reason == "finished":
        return result.output
    return {"stopped": result.stop_reason, "last_said": result.output}
