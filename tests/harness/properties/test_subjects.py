"""Tools are found in modules, agents and scenarios, each once."""

from types import ModuleType

import pytest

from robotape import LLMAgent, tool
from robotape_harness import Scenario, ScriptedLLM, World, say
from robotape_harness.properties.subjects import NothingToFuzz, subjects


@tool
async def ping() -> None:
    """Ping."""


@tool
async def pong() -> None:
    """Pong."""


def module(**held: object) -> ModuleType:
    made = ModuleType("desk")
    vars(made).update(held)
    return made


def agent(world: World) -> LLMAgent:
    return LLMAgent("desk", ScriptedLLM(say("Done.")), tools=[ping])


def test_a_tool_has_a_world_where_a_scenario_has_the_tool() -> None:
    scenario = Scenario(world=World, agent=agent, task="Ping")
    found = subjects(module(ping=ping, pong=pong, sound=scenario), "")
    assert [(each.tool, each.world) for each in found] == [(ping, World), (pong, None)]


def test_a_name_picks_one_thing() -> None:
    held = module(pong=pong, desk=agent(World()))
    assert [each.tool for each in subjects(held, "desk")] == [ping]
    assert [each.tool for each in subjects(held, "pong")] == [pong]


@pytest.mark.parametrize(("name", "told"), [("", "no tool"), ("x", "no tool"), ("y", "no 'y'")])
def test_where_there_is_no_tool_that_is_said(name: str, told: str) -> None:
    with pytest.raises(NothingToFuzz, match=told):
        subjects(module(x=1), name)
