"""Servers for the tests, run as programs: one of robotape's, one of the SDK's own making."""

import asyncio
import sys

from mcp.server.mcpserver import MCPServer

from robotape import Policy, allow, deny, tool
from robotape.mcp import McpServer


@tool(pure=True)
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    print("this goes to stderr, not into the protocol")
    return a + b


@tool
async def burn() -> str:
    """Burn."""
    return "burnt"


def ours() -> None:
    policy = Policy(allow("*", "*"), deny("*", "burn"))
    asyncio.run(McpServer("calc", [add, burn], policy=policy).run_stdio())


def theirs() -> None:
    server = MCPServer("theirs")

    @server.tool()
    def multiply(a: int, b: int = 2) -> int:
        """Multiply two numbers."""
        return a * b

    server.run("stdio")


if __name__ == "__main__":
    {"ours": ours, "theirs": theirs}[sys.argv[1]]()
