"""MCP, both ways: tools of an MCP server as robotape Tools, robotape Tools served over MCP.

Built on the official `mcp` SDK, which only this package imports; it comes with the extra:
`pip install "robotape[mcp]"`.

| room | duty |
|---|---|
| `client` | `McpClient`: a server's tools; connects, and connects again up to a cap |
| `link` | one connection, kept by a task of its own, so that what breaks in it breaks nobody else |
| `exchange` | what HTTP said: status, wait, reset, size; the SDK loses them |
| `remote` | one tool of a server as a `Tool` |
| `schema` | arguments against the server's JSON schema, with the bounds of any tool |
| `failures` | what the SDK raises, as a typed error |
| `errors` | those errors |
| `server` | `McpServer`: robotape Tools over MCP |
"""

try:
    import mcp as _sdk
except ModuleNotFoundError as missing:
    raise ImportError(
        'robotape.mcp needs the MCP SDK: pip install "robotape[mcp]"', name="mcp"
    ) from missing

from robotape.mcp.client import McpClient
from robotape.mcp.errors import (
    McpAuthenticationError,
    McpConnectionError,
    McpError,
    McpProtocolError,
    McpRequestError,
    McpResultTooLargeError,
    McpServerError,
    McpTimeoutError,
    McpToolError,
    PermanentMcpError,
    TransientMcpError,
)
from robotape.mcp.server import McpServer

__all__ = [
    "McpAuthenticationError",
    "McpClient",
    "McpConnectionError",
    "McpError",
    "McpProtocolError",
    "McpRequestError",
    "McpResultTooLargeError",
    "McpServer",
    "McpServerError",
    "McpTimeoutError",
    "McpToolError",
    "PermanentMcpError",
    "TransientMcpError",
]

del _sdk
