"""What the SDK raises, as a typed error; it raises nothing itself."""

from collections.abc import Iterator

from mcp.shared.exceptions import MCPError
from mcp_types import (
    CONNECTION_CLOSED,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    REQUEST_TIMEOUT,
)
from pydantic import ValidationError

from robotape.errors import mark_permanent
from robotape.mcp.errors import (
    McpConnectionError,
    McpError,
    McpProtocolError,
    McpRequestError,
    McpServerError,
    McpTimeoutError,
    PermanentMcpError,
)

__all__ = ["failure_of"]

_BY_CODE: dict[int, type[McpError]] = {
    CONNECTION_CLOSED: McpConnectionError,
    INTERNAL_ERROR: McpServerError,
    INVALID_PARAMS: McpRequestError,
    INVALID_REQUEST: McpRequestError,
    METHOD_NOT_FOUND: McpRequestError,
    PARSE_ERROR: McpProtocolError,
    REQUEST_TIMEOUT: McpTimeoutError,
}


def failure_of(server: str, error: BaseException) -> McpError:
    """Say what an exception of the SDK means.

    Args:
        server: Name for the error.
        error: An exception group stands for the first in it that means something.
    """
    meant = (_meaning(server, leaf) for leaf in _leaves(error))
    return next(filter(None, meant), None) or McpProtocolError(server, _of_the_sdk(error))


def _meaning(server: str, error: BaseException) -> McpError | None:
    meaning: McpError | None = None
    if isinstance(error, McpError):
        meaning = error
    elif isinstance(error, MCPError):
        meaning = _BY_CODE.get(error.code, PermanentMcpError)(
            server, error.message, code=error.code
        )
    elif isinstance(error, ValidationError):
        meaning = McpProtocolError(server, f"its reply is no valid result: {_places(error)}")
    elif isinstance(error, FileNotFoundError | PermissionError | NotADirectoryError):
        # Nothing was started, and trying again starts nothing either.
        meaning = mark_permanent(McpConnectionError(server, f"no start: {error.strerror}"))
    elif isinstance(error, TimeoutError):
        meaning = McpTimeoutError(server, "no answer in time")
    elif isinstance(error, OSError):
        meaning = McpConnectionError(server, type(error).__name__)
    return meaning


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _places(error: ValidationError) -> str:
    """Where a reply is wrong; pydantic's own text would repeat it."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    places = {".".join(map(str, fault["loc"])) or "the whole of it" for fault in faults}
    return ", ".join(sorted(places)[:5])


def _of_the_sdk(error: BaseException) -> str:
    """A bare RuntimeError of the SDK's, mostly about a result; its text may quote the result."""
    rule = getattr(error.__cause__, "validator", None)
    if rule is not None:
        path = getattr(error.__cause__, "json_path", "$")
        return f"the result does not fit the tool's outputSchema: {path} ({rule})"
    if isinstance(error, RuntimeError) and "structured content" in str(error):
        return "the tool has an outputSchema, and the result has no structured content"
    return f"the SDK gave up with {type(error).__name__}"
