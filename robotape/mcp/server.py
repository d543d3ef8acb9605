"""`McpServer`: robotape Tools served over MCP, each call by way of the corridor.

It listens to nothing itself: the SDK's server carries the messages.
"""

import inspect
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from starlette.applications import Starlette

from robotape.begin import begin
from robotape.context import RunContext
from robotape.errors import PolicyDenied, ReportedError, ToolInputError
from robotape.models.record import encode
from robotape.policy import Policy
from robotape.runtime import Scope, ambient, current_scope, entered
from robotape.secrets import redact, redactor
from robotape.tape import Tape
from robotape.tools import Tool

__all__ = ["McpServer"]

Request = ServerRequestContext[Any, Any]
Principal = Callable[[Request], str | None]
log = logging.getLogger("robotape.mcp")


class McpServer:
    """Tools for other people's agents.

    Guarantee: a call is validated, judged by the policy for its principal, retried and written
    on a tape of its own like any other. A caller is told what is wrong with its arguments, and
    what a tool reports of itself; of any other failure, only that there was one. Secrets are
    taken out of all that leaves.

    Attributes:
        name: Of the server.
        tools: By name.
        policy: Who may call what; None allows everything.
    """

    def __init__(
        self,
        name: str,
        tools: Sequence[Tool[Any]],
        *,
        policy: Policy | None = None,
        principal: str | Principal | None = None,
        deps: Any = None,
        deadline: float | None = None,
        on_tape: Callable[[Tape], Awaitable[None] | None] | None = None,
        version: str = "",
        instructions: str | None = None,
    ) -> None:
        """Make a server; nothing is opened.

        Args:
            name: Of the server.
            tools: What it offers.
            policy: Who may call what; a tool that the principal may not call is not listed.
            principal: On whose behalf calls are made; a function finds it out from the
                request, for HTTP from `request.request.headers` say. What it raises refuses
                the call.
            deps: For the tools: `RunContext.deps`.
            deadline: Seconds for one call, retries included.
            on_tape: Is given the tape of each call when it has ended; sync or async.
            version: Told to clients.
            instructions: Told to clients.

        Raises:
            ValueError: Two tools have one name.
        """
        self.name = name
        self.tools = {tool.name: tool for tool in tools}
        self.policy = policy
        if len(self.tools) != len(tools):
            raise ValueError(f"{name}: two tools have the same name")
        self._principal = principal
        self._deps = deps
        self._deadline = deadline
        self._on_tape = on_tape
        self._server: Server[Any] = Server(
            name,
            version=version,
            instructions=instructions,
            on_list_tools=self._list,
            on_call_tool=self._call,
        )

    async def run_stdio(self) -> None:
        """Serve over this process's stdin and stdout until stdin ends.

        While it does, what tools print goes to stderr.
        """
        async with stdio_server() as (read, write):
            await self._server.run(read, write, self._server.create_initialization_options())

    def http_app(self, **options: Any) -> Starlette:
        """An ASGI application that serves over streamable HTTP, at `/mcp`.

        Args:
            options: Those of the SDK's `streamable_http_app`: `streamable_http_path`, `host`
                (other than loopback: say what hosts are yours in `transport_security`),
                `stateless_http`, `auth` with `token_verifier` and so on.
        """
        return self._server.streamable_http_app(**options)

    async def _list(
        self, request: Request, _: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        who = self._who(request)
        listed = [
            _offer(tool)
            for name, tool in self.tools.items()
            if self.policy is None or self.policy.gate(who, name).allowed
        ]
        # Whose list it is depends on who asks, so nobody may keep it for others.
        return types.ListToolsResult(tools=listed, ttl_ms=0, cache_scope="private")

    async def _call(
        self, request: Request, wanted: types.CallToolRequestParams
    ) -> types.CallToolResult:
        who = self._who(request)
        tool = self.tools.get(wanted.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"unknown tool: {redact(wanted.name[:100])}")
        tape = Tape()
        with entered(_outside_any_run()):
            scope = begin(
                self.name, policy=self.policy, tape=tape, principal=who, deadline=self._deadline
            )
        with entered(scope):
            try:
                return await self._answer(tool, wanted.arguments or {}, who)
            finally:
                await self._keep(tape)

    async def _answer(
        self, tool: Tool[Any], arguments: dict[str, Any], who: str | None
    ) -> types.CallToolResult:
        try:
            value = await tool.execute(arguments, RunContext(deps=self._deps, principal=who))
            return _result(value)
        except (ToolInputError, ReportedError) as error:
            return _failure(str(error))
        except PolicyDenied:
            return _failure(f"{tool.name}: not allowed")  # the rule is nobody's business
        except TimeoutError:
            return _failure(f"{tool.name}: no answer in time")
        except Exception as error:
            log.warning("%s: %s failed with %s", self.name, tool.name, type(error).__name__)
            return _failure(f"{tool.name}: failed")

    async def _keep(self, tape: Tape) -> None:
        if self._on_tape is not None:
            kept = self._on_tape(tape)
            if inspect.isawaitable(kept):
                await kept

    def _who(self, request: Request) -> str | None:
        if not callable(self._principal):
            return self._principal
        try:
            return self._principal(request)
        except Exception as error:
            log.warning("%s: no principal for a request: %s", self.name, type(error).__name__)
        raise MCPError(types.INVALID_REQUEST, "not allowed")


def _outside_any_run() -> Scope:
    """A caller in our own process, an agent say, gets no part of its run into the call."""
    around = current_scope()
    scope = ambient()
    if around is not None:
        scope.interceptors = around.interceptors
    return scope


def _offer(tool: Tool[Any]) -> types.Tool:
    told = tool.definition
    return types.Tool(
        name=tool.name, description=told["description"], input_schema=told["parameters"]
    )


def _result(value: Any) -> types.CallToolResult:
    data = redactor().data(encode(value))
    plain = json.loads(data)
    text = plain if isinstance(plain, str) else data.decode()
    return types.CallToolResult(
        content=[types.TextContent(text=text)],
        structured_content=plain if isinstance(plain, dict) else None,
    )


def _failure(text: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=redact(text))], is_error=True)
