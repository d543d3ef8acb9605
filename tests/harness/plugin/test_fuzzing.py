"""The marker `robotape_fuzz` searches tools before the test."""

from typing import Any

import pytest

from robotape import tool
from robotape_harness.plugin.fuzzing import search


@tool
async def divide(total: int, among: int) -> int:
    """Divide."""
    return total // among


def mark(*tools: Any, **options: Any) -> pytest.Mark:
    marked: pytest.Mark = pytest.mark.robotape_fuzz(*tools, **options).mark
    return marked


def test_a_broken_tool_fails_the_test_with_what_was_found() -> None:
    with pytest.raises(pytest.fail.Exception, match="ZeroDivisionError"):
        search(mark(divide, examples=20))


def test_a_marker_without_a_tool_is_refused() -> None:
    with pytest.raises(TypeError, match="my_tool"):
        search(mark())


@pytest.mark.robotape_fuzz(divide, calls=False, examples=10)
def test_control_a_tool_that_holds_lets_the_test_run() -> None:
    search(mark(divide, calls=False, examples=10))
