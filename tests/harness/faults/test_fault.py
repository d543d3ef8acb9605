"""Sites: names for the calls of a run that do not move with the schedule."""

from typing import Any

import pytest

from robotape import LLMAgent, RunContext, tool
from robotape_harness.faults.fault import Fault, Site, sites_of
from robotape_harness.scenario import Scenario
from robotape_harness.scripted import ScriptedLLM, call, say
from robotape_harness.simulation import Choices
from robotape_harness.simulation.trial import simulate
from robotape_harness.world import World

DESK = Site("llm", "llm[desk]#1", "desk/1/llm", asks_for_tools=True)
PAY = Site("tool", "tool:pay#1", "desk/1/tool:pay[0]")


@tool(pure=True)
async def pay(ctx: RunContext[World], order: int) -> str:
    """Pay."""
    if order == 1 and ctx.retry == 0:
        raise ConnectionResetError("again")
    return "paid"


SCENARIO = Scenario(
    world=World,
    agent=lambda world: LLMAgent(
        "desk",
        ScriptedLLM([call("pay", order=1), call("pay", order=2)], call("pay", order=3), say("ok")),
        tools=[pay],
    ),
    task="go",
)


def test_every_call_is_one_site_whatever_its_attempts() -> None:
    sites = sites_of(simulate(SCENARIO).tape)
    assert [site.alias for site in sites] == [
        "llm[desk]#1",
        "tool:pay#1",
        "tool:pay#2",
        "llm[desk]#2",
        "tool:pay#3",
        "llm[desk]#3",
    ]
    assert [site.asks_for_tools for site in sites if site.boundary == "llm"] == [True, True, False]
    assert [site.place for site in sites[:2]] == ["desk/1/llm", "desk/1/tool:pay[0]"]


def test_places_do_not_move_with_the_schedule() -> None:
    places = {
        frozenset(
            site.place for site in sites_of(simulate(SCENARIO, choices=Choices.seeded(seed)).tape)
        )
        for seed in range(10)
    }
    assert len(places) == 1


@pytest.mark.parametrize(
    ("site", "call_id", "expected"),
    [
        (DESK, "desk/1/llm[0]", True),
        (DESK, "desk/1/llm[1]", True),
        (DESK, "desk/2/llm[0]", False),
        (DESK, "desk/1/llm", False),
        (PAY, "desk/1/tool:pay[0]", True),
        (PAY, "desk/1/tool:pay[1]", False),
        (PAY, "desk/1/tool:pay[0]/tool:pay[0]", False),
    ],
)
def test_a_site_covers_its_call_and_a_models_reasks(
    site: Site, call_id: str, expected: bool
) -> None:
    assert site.covers(call_id) is expected


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault("timeout", PAY, "after_commit", "once"), "timeout after commit at tool:pay#1, once"),
        (
            Fault("quota", DESK, "before_commit", "forever"),
            "quota before commit at llm[desk]#1, for ever",
        ),
    ],
)
def test_a_fault_reads_as_a_sentence(fault: Any, text: str) -> None:
    assert str(fault) == text
