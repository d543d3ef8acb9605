"""What can go wrong with an MCP server, as exceptions; what went wrong is decided elsewhere.

* McpError (a RobotapeError)
  * TransientMcpError                          asking again may help
    * McpConnectionError (also ConnectionError)  refused, reset, the server is gone, session lost
    * McpTimeoutError (also TimeoutError)        no answer to a handshake or a list in time
    * McpServerError                             the server failed inside: -32603, HTTP 429, 5xx
  * PermanentMcpError                          asking again cannot help
    * McpRequestError                            the request is refused: -32600 to -32602, HTTP 4xx
    * McpAuthenticationError                     HTTP 401, 403
    * McpProtocolError                           what came is not what the protocol or a schema says
    * McpResultTooLargeError                     the result outgrew the size limit
* McpToolError (a ReportedError)               the tool itself says that it failed (`isError`)

One attempt of a call that gets no answer in time is a `CallTimeoutError`, as with any tool.
"""

from robotape.errors import ReportedError, RobotapeError, mark_permanent

__all__ = [
    "McpAuthenticationError",
    "McpConnectionError",
    "McpError",
    "McpProtocolError",
    "McpRequestError",
    "McpResultTooLargeError",
    "McpServerError",
    "McpTimeoutError",
    "McpToolError",
    "PermanentMcpError",
    "TransientMcpError",
]

LONGEST = 500  # characters of a server's own words in an error


class McpError(RobotapeError):
    """An MCP server gave no usable answer.

    Attributes:
        server: Name of the server.
        code: JSON-RPC error code; None where there was none.
        status: HTTP status; None where there was none.
        retry_after: Seconds the server asks to wait, or None.
    """

    def __init__(
        self,
        server: str,
        reason: str,
        *,
        code: int | None = None,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.server = server
        self.code = code
        self.status = status
        self.retry_after = retry_after
        super().__init__(f"MCP server {server}: {shortened(reason)}")


class TransientMcpError(McpError):
    """A failure that may pass; a tool that is safe to repeat is tried again."""


class McpConnectionError(TransientMcpError, ConnectionError):
    """There is no connection, or it broke before the answer was here."""


class McpTimeoutError(TransientMcpError, TimeoutError):
    """The server did not answer in time."""


class McpServerError(TransientMcpError):
    """The server failed inside, or has too much to do."""


class PermanentMcpError(McpError):
    """A failure that stays; nobody tries again."""

    def __init__(
        self,
        server: str,
        reason: str,
        *,
        code: int | None = None,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(server, reason, code=code, status=status, retry_after=retry_after)
        mark_permanent(self)


class McpRequestError(PermanentMcpError):
    """The server refuses the request as such."""


class McpAuthenticationError(PermanentMcpError):
    """The credentials are missing, wrong, or without the right."""


class McpProtocolError(PermanentMcpError):
    """What the server sent is not what the protocol, or its own schema, says."""


class McpResultTooLargeError(PermanentMcpError):
    """The result outgrew the size limit; none of it is given on.

    Attributes:
        limit: Bytes allowed.
    """

    def __init__(self, server: str, limit: int) -> None:
        self.limit = limit
        super().__init__(server, f"the answer is larger than {limit} bytes")


class McpToolError(ReportedError):
    """A tool says that it failed (`isError`); an agent tells its model, in the tool's words.

    Attributes:
        server: Name of the server.
        tool: Name of the tool.
    """

    def __init__(self, server: str, tool: str, text: str) -> None:
        self.server = server
        self.tool = tool
        super().__init__(text or f"{tool} failed and did not say why")


def shortened(words: str) -> str:
    """A server's own words, cut to what an error holds."""
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"
