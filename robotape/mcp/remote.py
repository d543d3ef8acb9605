"""One tool of an MCP server as a `Tool`; who is connected, and how, is the client's business."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import mcp_types as types

from robotape.calls import Call
from robotape.context import Surroundings
from robotape.errors import CallTimeoutError, is_permanent, mark_permanent
from robotape.mcp.errors import McpResultTooLargeError, McpToolError, TransientMcpError
from robotape.mcp.schema import SchemaParser
from robotape.models.record import encode
from robotape.retry import Retry
from robotape.runtime import Scope
from robotape.tools import EffectKey, Tool
from robotape.validation.parser import ArgumentParser

__all__ = ["Ask", "McpTool", "is_retryable_mcp_error", "value_of"]

Ask = Callable[[str, dict[str, Any]], Awaitable[Any]]


def is_retryable_mcp_error(error: BaseException) -> bool:
    """A failure of the way to the server, not of the tool there."""
    return isinstance(error, TransientMcpError | CallTimeoutError) and not is_permanent(error)


class McpTool(Tool[Any]):
    """A tool that a server has: validated and permitted here, done there.

    What the server says of it (`readOnlyHint` and the like) is not believed: unless it is
    declared pure or given an effect key here, it is a write that is not repeated blindly.
    """

    def __init__(
        self,
        ask: Ask,
        offered: types.Tool,
        *,
        name: str,
        pure: bool,
        effect_key: EffectKey | None,
        retry: Retry,
    ) -> None:
        """Use `McpClient.tools`.

        Raises:
            ValueError: The server's schema is none.
        """
        self._ask = ask
        self._remote = offered.name
        self._schema = SchemaParser(offered.input_schema, tool=name)
        super().__init__(
            ask,
            takes_ctx=False,
            name=name,
            description=offered.description or offered.title or offered.name,
            effect_key=effect_key,
            pure=pure,
            writes=not pure and effect_key is None,
            retry=retry,
        )
        self._passage = replace(self._passage, kind="mcp")

    @property
    def takes_ctx(self) -> bool:
        """No: nothing of the run goes to the server but the arguments."""
        return False

    @property
    def parser(self) -> ArgumentParser:
        """What checks arguments against the server's schema, before anything is sent."""
        return self._schema

    @property
    def definition(self) -> dict[str, Any]:
        """The tool as a model is told of it, in the server's words."""
        return {
            "name": self.name,
            "description": self.description,
            "parameters": self._schema.json_schema(),
        }

    async def _body(self, scope: Scope, around: Surroundings, call: Call) -> Any:
        return await self._ask(self._remote, json.loads(encode(call.arguments)))

    def _restored(self, _: Any, told: Any) -> Any:
        return told


def value_of(server: str, tool: str, result: types.CallToolResult, max_bytes: int) -> Any:
    """What a tool gave: its structured content, else its text, else its blocks as JSON.

    Raises:
        McpToolError: It says that it failed.
        McpResultTooLargeError: It is larger than `max_bytes` as JSON.
    """
    text = "\n".join(block.text for block in result.content if isinstance(block, types.TextContent))
    if len(text) > max_bytes:
        raise McpResultTooLargeError(server, max_bytes)
    if result.is_error:
        raise mark_permanent(McpToolError(server, tool, text))
    if result.structured_content is not None:
        value = result.structured_content
    elif all(isinstance(block, types.TextContent) for block in result.content):
        value = text
    else:
        value = [
            block.model_dump(mode="json", by_alias=True, exclude_none=True)
            for block in result.content
        ]
    if len(encode(value)) > max_bytes:
        raise McpResultTooLargeError(server, max_bytes)
    return value
