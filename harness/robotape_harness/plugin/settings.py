"""What a test's campaigns and simulations go by: the command line, then the test, then defaults."""

from typing import Any

import pytest

from robotape_harness.campaign.budget import Budget, budget_of

__all__ = ["budget_for", "seed_of"]


def seed_of(request: pytest.FixtureRequest, given: int | None = None) -> int:
    """The seed: of `--robotape-seed`, the call, the marker, or 0."""
    return int(_first(request, "seed", given, 0))


def budget_for(request: pytest.FixtureRequest, given: str | None = None) -> tuple[str, Budget]:
    """The budget: of `--robotape-budget`, the call, the marker, or `ci`.

    Returns:
        Its name, and what it allows.

    Raises:
        ValueError: There is no such budget.
    """
    name = str(_first(request, "budget", given, "ci"))
    return name, budget_of(name)


def _first(request: pytest.FixtureRequest, name: str, given: Any, default: Any) -> Any:
    marker = request.node.get_closest_marker(f"robotape_{name}")
    marked = marker.args[0] if marker is not None and marker.args else None
    ways = (request.config.getoption(f"--robotape-{name}"), given, marked)
    return next((value for value in ways if value is not None), default)
