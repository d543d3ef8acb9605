"""The pytest plugin: campaigns and simulations as fixtures; inert until a test asks for one.

Installed it adds options, markers and fixtures, and one rule: an async test that nobody runs
fails. What the fixtures need is loaded when the first test asks.
"""

import importlib
import inspect
from collections.abc import Generator
from types import ModuleType

import pytest

from robotape_harness.plugin.fixtures import robotape_campaign, scripted_llm, simulation

__all__ = ["robotape_campaign", "scripted_llm", "simulation"]

LAZY = frozenset({"campaigns", "fuzzing", "simulations"})
MARKERS = (
    "robotape_fuzz(tool, ..., **options): what check_tool finds in the tools fails the test",
    "robotape_budget(name): how much a campaign may try: dev, ci or nightly",
    "robotape_seed(seed): of every simulated run of this test",
)
# What pytest says before 8.4, where it passes such a test over; since then it fails it itself.
PASSED_OVER = "async def function and no async plugin installed"


def __getattr__(name: str) -> ModuleType:
    if name in LAZY:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--robotape-…`; what is given there goes before what tests say."""
    options = parser.getgroup("robotape", "breaking agents in simulation")
    options.addoption(
        "--robotape-budget",
        choices=("dev", "ci", "nightly"),
        help="How much every campaign may try.",
    )
    options.addoption(
        "--robotape-seed", type=int, metavar="N", help="Seed of every simulated run (0)."
    )
    options.addoption(
        "--robotape-replay",
        metavar="ID",
        help="Instead of running campaigns, replay this finding in the test that made it.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Search the tools of `robotape_fuzz` first; fail an async test that no plugin runs.

    To skip that would be to say that nothing is wrong.
    """
    for marker in pyfuncitem.iter_markers("robotape_fuzz"):
        __getattr__("fuzzing").search(marker)
    try:
        return (yield)
    except pytest.skip.Exception as skipped:
        is_async = inspect.iscoroutinefunction(pyfuncitem.obj)
        if not is_async or PASSED_OVER not in str(skipped):
            raise
    return pytest.fail(
        f"nobody runs the async test {pyfuncitem.name}: mark it for pytest-asyncio or anyio, or"
        " make it a plain function that calls simulation(...)",
        pytrace=False,
    )
