"""The tree of MCP errors: what passes and what stays, in words that do not run on."""

from typing import Any

import pytest

from robotape.errors import ReportedError, RobotapeError, is_permanent
from robotape.mcp import errors
from robotape.mcp.errors import LONGEST, McpError, McpToolError, shortened

KINDS = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_ours_and_drawn_in_the_tree(kind: type[Exception]) -> None:
    assert issubclass(kind, RobotapeError)
    assert kind.__name__ in str(errors.__doc__)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if issubclass(kind, McpError)])
def test_permanent_ones_are_not_tried_again(kind: type[McpError]) -> None:
    reason: Any = 1 if kind is errors.McpResultTooLargeError else "why"
    error = kind("s", reason)
    assert is_permanent(error) is issubclass(kind, errors.PermanentMcpError)
    assert str(error).startswith("MCP server s: ")


def test_a_tools_own_failure_is_for_the_model() -> None:
    error = McpToolError("s", "pay", "no such order")
    assert isinstance(error, ReportedError)
    assert is_permanent(error)
    assert str(McpToolError("s", "pay", "")) == "pay failed and did not say why"


def test_a_servers_words_are_cut() -> None:
    assert shortened("x" * LONGEST) == "x" * LONGEST
    assert len(shortened("x" * (LONGEST + 1))) == LONGEST
