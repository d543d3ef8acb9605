"""Settings: the command line goes before the call, that before the marker, that before defaults."""

import pytest

from robotape_harness.campaign.budget import BUDGETS
from robotape_harness.plugin.settings import budget_for, seed_of

pytest_plugins = "pytester"


def test_without_anything_said_the_defaults_hold(request: pytest.FixtureRequest) -> None:
    assert seed_of(request) == 0
    assert budget_for(request) == ("ci", BUDGETS["ci"])


@pytest.mark.robotape_seed(7)
@pytest.mark.robotape_budget("dev")
def test_a_marker_goes_before_the_defaults(request: pytest.FixtureRequest) -> None:
    assert seed_of(request) == 7
    assert budget_for(request) == ("dev", BUDGETS["dev"])


@pytest.mark.robotape_seed(7)
@pytest.mark.robotape_budget("dev")
def test_what_is_said_in_the_call_goes_before_the_marker(request: pytest.FixtureRequest) -> None:
    assert seed_of(request, 0) == 0
    assert budget_for(request, "nightly") == ("nightly", BUDGETS["nightly"])


def test_the_command_line_goes_before_all(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request.config.option, "robotape_seed", 9)
    monkeypatch.setattr(request.config.option, "robotape_budget", "nightly")
    assert seed_of(request, 7) == 9
    assert budget_for(request, "dev") == ("nightly", BUDGETS["nightly"])


def test_an_unknown_budget_is_refused_with_those_there_are(request: pytest.FixtureRequest) -> None:
    with pytest.raises(ValueError, match="no budget 'huge'; there are: dev, ci, nightly"):
        budget_for(request, "huge")
