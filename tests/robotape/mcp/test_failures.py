"""What the SDK raises has a meaning, wherever in a group it hides, and quotes nothing."""

import asyncio
from collections.abc import Callable

import pytest
from mcp.shared.exceptions import MCPError
from pydantic import BaseModel, ValidationError

from robotape.errors import is_permanent
from robotape.mcp.errors import (
    McpConnectionError,
    McpError,
    McpProtocolError,
    McpResultTooLargeError,
    McpServerError,
    McpTimeoutError,
)
from robotape.mcp.failures import failure_of


class Shape(BaseModel):
    content: int


def invalid() -> ValidationError:
    with pytest.raises(ValidationError) as raised:
        Shape.model_validate({"content": "secret-body"})
    return raised.value


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: MCPError(-32000, "Connection closed"), McpConnectionError),
        (lambda: MCPError(-32603, "x"), McpServerError),
        (invalid, McpProtocolError),
        (lambda: RuntimeError("secret-body"), McpProtocolError),
        (lambda: ConnectionResetError("x"), McpConnectionError),
        (lambda: FileNotFoundError(2, "No such file"), McpConnectionError),
        (TimeoutError, McpTimeoutError),
        (lambda: McpResultTooLargeError("s", 1), McpResultTooLargeError),
    ],
)
@pytest.mark.parametrize("depth", [0, 1, 3])
def test_an_exception_means_the_same_at_any_depth(
    make: Callable[[], Exception], kind: type[McpError], depth: int
) -> None:
    error: BaseException = make()
    for _ in range(depth):
        error = BaseExceptionGroup("a task group's", [asyncio.CancelledError(), error])
    failure = failure_of("s", error)
    assert type(failure) is kind
    assert "secret-body" not in str(failure)


def test_what_cannot_be_started_is_not_tried_again() -> None:
    assert is_permanent(failure_of("s", PermissionError(13, "Permission denied")))
    assert not is_permanent(failure_of("s", ConnectionRefusedError()))


def test_an_invalid_reply_is_told_by_its_places() -> None:
    assert str(failure_of("s", invalid())).endswith("its reply is no valid result: content")
