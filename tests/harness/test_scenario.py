"""A scenario is a value that refuses what cannot be simulated."""

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from robotape import LLMAgent, RobotapeError
from robotape_harness.scenario import Scenario, ScenarioError
from robotape_harness.scripted import ScriptedLLM, say
from robotape_harness.simulation.trial import simulate
from robotape_harness.world import World


def make(**changes: Any) -> Scenario:
    parts: dict[str, Any] = {
        "world": World,
        "agent": lambda world: LLMAgent("desk", ScriptedLLM(say("hello"))),
        "task": "greet",
    }
    return Scenario(**{**parts, **changes})


@pytest.mark.parametrize("deadline", [0.0, -1.0])
def test_a_deadline_lies_in_the_future(deadline: float) -> None:
    with pytest.raises(ValueError, match="deadline must be > 0 s"):
        make(deadline=deadline)


def test_a_waiver_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="no_backoff has none"):
        make(waived={"no_backoff": " ", "no_cap": "the service asks for it"})


def test_a_scenario_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        make().__setattr__("task", "another")
    assert replace(make(), name="greeting").name == "greeting"


def test_by_default_the_outcome_is_every_effect() -> None:
    class Door(World):
        def __init__(self) -> None:
            super().__init__()
            self.ledger.commit("built", of="wood")

    assert simulate(make(world=Door)).outcome == '{"built {\\"of\\":\\"wood\\"}":1}'


def test_a_faulty_scenario_is_an_error_of_the_framework() -> None:
    assert issubclass(ScenarioError, RobotapeError)


@pytest.mark.parametrize("part", ["world", "agent"])
def test_a_world_or_an_agent_itself_is_refused_for_they_are_made_anew(part: str) -> None:
    parts: dict[str, Any] = {"world": World, "agent": lambda world: None, part: object()}
    with pytest.raises(TypeError, match=f"makes its {part} anew"):
        Scenario(**parts, task="go")


def test_oracles_of_its_own_are_functions_with_names() -> None:
    def paid_once(_: Any) -> None:
        return None

    assert make(oracles=(paid_once,)).oracles == (paid_once,)
    for unnamed in ((lambda _: None,), (paid_once, paid_once), (object(),)):
        with pytest.raises(ValueError, match="functions that differ in name"):
            make(oracles=unnamed)
