"""What a test's campaigns and simulations go by: the command line, then the test, then defaults."""

from typing import Any

import pytest

__all__ = ["BUDGETS", "max_runs", "seed_of"]

BUDGETS: dict[str, int | None] = {"dev": 500, "ci": 5_000, "nightly": None}
"""Runs under a fault that a campaign may make; None for as many as there are."""


def seed_of(request: pytest.FixtureRequest, given: int | None = None) -> int:
    """The seed: of `--robotape-seed`, the call, the marker, or 0."""
    return int(_first(request, "seed", given, 0))


def max_runs(request: pytest.FixtureRequest, given: str | None = None) -> tuple[str, int | None]:
    """The budget: of `--robotape-budget`, the call, the marker, or `ci`.

    Returns:
        Its name, and how many runs it allows.

    Raises:
        ValueError: There is no such budget.
    """
    name = str(_first(request, "budget", given, "ci"))
    if name not in BUDGETS:
        raise ValueError(f"there is no budget {name!r}; there are: {', '.join(BUDGETS)}")
    return name, BUDGETS[name]


def _first(request: pytest.FixtureRequest, name: str, given: Any, default: Any) -> Any:
    marker = request.node.get_closest_marker(f"robotape_{name}")
    marked = marker.args[0] if marker is not None and marker.args else None
    ways = (request.config.getoption(f"--robotape-{name}"), given, marked)
    return next((value for value in ways if value is not None), default)
