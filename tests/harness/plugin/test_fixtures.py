"""The fixtures are what they say; each is loaded when a test asks."""

from typing import Any

import pytest

from robotape_harness import ScriptedLLM
from robotape_harness.plugin.campaigns import Campaigns
from robotape_harness.plugin.simulations import Simulations


@pytest.mark.parametrize(
    ("name", "kind"),
    [("robotape_campaign", Campaigns), ("simulation", Simulations), ("scripted_llm", type)],
)
def test_a_fixture_is_what_it_says(
    name: str, kind: type[Any], request: pytest.FixtureRequest
) -> None:
    assert isinstance(request.getfixturevalue(name), kind)


def test_scripted_llm_makes_scripted_models(scripted_llm: type[ScriptedLLM]) -> None:
    assert isinstance(scripted_llm(), ScriptedLLM)
