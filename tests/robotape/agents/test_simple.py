"""SimpleAgent: says what is to be done, and does it when it is named."""

import asyncio
from typing import Any

import pytest

from robotape import SimpleAgent, tool
from tests.laws.scripts import simulated


@tool
async def shout(text: str) -> str:
    """Say it loudly."""
    return text.upper()


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ({"task": "process data"}, "Processing task: process data"),
        ({"a": 1, "b": 2}, "Processing a: 1, b: 2"),
        ("data", "Processing data"),
        ({}, "Processing "),
    ],
)
def test_it_says_what_is_to_be_done(context: Any, said: str) -> None:
    assert asyncio.run(SimpleAgent("a").think(context)).output == said
    assert simulated(SimpleAgent("a").run(context)).output == said


def test_it_acts_when_an_action_is_named() -> None:
    agent = SimpleAgent("a", tools=[shout])
    result = simulated(agent.run({"action": "shout", "arguments": {"text": "hi"}}))
    assert (result.output, result.stop_reason) == ("HI", "finished")
