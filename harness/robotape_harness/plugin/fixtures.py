"""The plugin's fixtures; each loads its room when a test asks for it."""

from typing import TYPE_CHECKING

import pytest

import robotape_harness
from robotape_harness import plugin

if TYPE_CHECKING:
    from robotape_harness.plugin.campaigns import Campaigns
    from robotape_harness.plugin.simulations import Simulations

__all__ = ["robotape_campaign", "scripted_llm", "simulation"]


@pytest.fixture
def robotape_campaign(request: pytest.FixtureRequest) -> "Campaigns":
    """Break a scenario with every single fault: `robotape_campaign(scenario, budget="ci")`.

    The test fails with the findings as its text; it also fails where the budget did not
    suffice to say that there are none.
    """
    campaigns: Campaigns = plugin.campaigns.Campaigns(request)
    return campaigns


@pytest.fixture
def scripted_llm() -> "type[robotape_harness.ScriptedLLM]":
    """Make a model that answers from a list: `scripted_llm(call("refund"), say("Done."))`."""
    return robotape_harness.ScriptedLLM


@pytest.fixture
def simulation(request: pytest.FixtureRequest) -> "Simulations":
    """Run a scenario or an async function in virtual time: `simulation(function, *args)`."""
    simulations: Simulations = plugin.simulations.Simulations(request)
    return simulations
