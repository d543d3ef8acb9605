"""RestrictedAgent: only what is on its list, compared as it is."""

import asyncio
from typing import Any

import pytest

from robotape import RestrictedAgent, tool
from robotape.models import Step, StepResult, StepType

bodies: list[str] = []


@tool
async def read(path: str) -> str:
    """Read."""
    bodies.append(path)
    return "text"


@tool
async def remove(path: str) -> str:
    """Remove."""
    bodies.append(path)
    return "gone"


def acted(content: Any) -> StepResult:
    bodies.clear()
    agent = RestrictedAgent("clerk", ["read"], tools=[read, remove])
    return asyncio.run(agent.act(Step(type=StepType.ACTION, content=content)))


def test_what_is_on_the_list_is_done() -> None:
    result = acted({"action": "read", "arguments": {"path": "a"}})
    assert (result.success, result.output, bodies) == (True, "text", ["a"])


@pytest.mark.parametrize("action", ["remove", "Read", "read ", "", None, 1, ["read"], {"read": 1}])
def test_anything_else_is_not_looked_at(action: Any) -> None:
    result = acted({"action": action, "arguments": {"path": "a"}})
    assert (result.success, result.error) == (False, "Action not allowed")
    assert result.metadata == {"action": action}
    assert bodies == []


def test_without_an_action_nothing_is_done() -> None:
    assert not acted("read").success


def test_the_list_is_read_once() -> None:
    allowed = ["read"]
    agent = RestrictedAgent("clerk", allowed, tools=[read, remove])
    allowed.append("remove")
    content = {"action": "remove", "arguments": {"path": "a"}}
    assert not asyncio.run(agent.act(Step(type=StepType.ACTION, content=content))).success
