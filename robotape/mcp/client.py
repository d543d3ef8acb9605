"""`McpClient`: a server's tools as robotape Tools, over stdio or streamable HTTP.

It connects, and connects again up to a cap; one connection is `link`'s business.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TextIO

import mcp_types as types
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client import Transport
from mcp.client.streamable_http import streamable_http_client
from yarl import URL

from robotape.errors import UnknownToolError, mark_not_started, mark_permanent
from robotape.http.rules import refusal
from robotape.mcp.errors import McpConnectionError, McpProtocolError, McpTimeoutError
from robotape.mcp.exchange import http_client
from robotape.mcp.link import Link
from robotape.mcp.remote import McpTool, is_retryable_mcp_error, value_of
from robotape.retry import Retry
from robotape.tools import EffectKey

__all__ = ["Limits", "McpClient"]

MAX_PAGES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a server may take; the SDK sets none of these.

    Attributes:
        timeout: Seconds for one attempt of a call, and for a list.
        connect_timeout: Seconds for process or connection and handshake.
        max_reconnects: Connections made anew, one after another, without an answer between.
        max_retries: Attempts of one call beyond the first.
        max_bytes: Of one result as JSON. Over HTTP no more is read; over stdio the message is
            in memory before it is refused.
    """

    timeout: float = 60.0
    connect_timeout: float = 30.0
    max_reconnects: int = 3
    max_retries: int = 3
    max_bytes: int = 4 << 20

    def __post_init__(self) -> None:
        if min(self.timeout, self.connect_timeout, self.max_bytes) <= 0:
            raise ValueError("timeout, connect_timeout and max_bytes must be > 0")
        if min(self.max_reconnects, self.max_retries) < 0:
            raise ValueError("max_reconnects and max_retries must be >= 0")


_LIMITS = Limits()
Mode = Literal["auto", "legacy"]


class McpClient:
    """A connection to an MCP server, for as long as its block lasts.

    Guarantee: no call hangs, none leaves a task behind; when the block is left, the server's
    process is gone. A server that dies fails the calls under way with `McpConnectionError`,
    and the next call connects again. Only one event loop may use it.

    Attributes:
        name: Of the server, for errors.
        limits: What the server may take.
    """

    def __init__(
        self,
        name: str,
        transport: Callable[[], Transport],
        *,
        limits: Limits = _LIMITS,
        mode: Mode = "auto",
    ) -> None:
        """Prepare a client; `stdio` and `http` make the usual ones.

        Args:
            name: Of the server.
            transport: Makes one of the SDK's transports, for each connection.
            limits: What the server may take.
            mode: `legacy` shakes hands as before 2026-07-28 and does not ask first.
        """
        self.name = name
        self.limits = limits
        self._transport = transport
        self._mode = mode
        self._lock = asyncio.Lock()
        self._link: Link | None = None
        self._ending: list[Link] = []
        self._is_open = False
        self._reconnects = 0

    @classmethod
    def stdio(
        cls,
        command: str,
        args: Sequence[str] = (),
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        stderr: TextIO | None = None,
        name: str = "",
        limits: Limits = _LIMITS,
        mode: Mode = "auto",
    ) -> "McpClient":
        """A server that is a program, run for as long as the block lasts.

        Args:
            command: The program.
            args: Its arguments.
            env: Added to the few harmless variables it inherits.
            cwd: Where it runs.
            stderr: Where its complaints go; None for our own stderr.
            name: None takes the program's.
            limits: What the server may take.
            mode: See the class.
        """
        parameters = StdioServerParameters(
            command=command, args=list(args), env=None if env is None else dict(env), cwd=cwd
        )

        def transport() -> Transport:
            return stdio_client(parameters, errlog=stderr or sys.stderr)

        return cls(name or Path(command).name, transport, limits=limits, mode=mode)

    @classmethod
    def http(
        cls,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        allow_http: bool = False,
        name: str = "",
        limits: Limits = _LIMITS,
        mode: Mode = "auto",
    ) -> "McpClient":
        """A server at a URL, over streamable HTTP.

        Args:
            url: HTTPS; plain HTTP to loopback only.
            headers: Sent with every request, to this origin alone: credentials, say.
            allow_http: Plain HTTP to anywhere.
            name: Empty takes the URL's host.
            limits: What the server may take.
            mode: See the class.

        Raises:
            ValueError: The URL is no HTTP URL, or plain HTTP without leave.
        """
        host = _host_of(url, allow_http)
        server = name or host
        sent = dict(headers or {})

        def transport() -> Transport:
            return _over_http(server, url, sent, limits)

        return cls(server, transport, limits=limits, mode=mode)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Connect; for a client that gave up, begin anew.

        Raises:
            McpError: There is no connection.
        """
        self._is_open = True
        self._reconnects = 0
        try:
            await self._connected()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End the connection; calls under way fail. May be called twice."""
        self._is_open = False
        if self._link is not None:
            self._ending.append(self._link)
            self._link = None
        ending, self._ending = self._ending, []
        for link in ending:
            link.end()
        work = asyncio.gather(*(link.ended() for link in ending))
        await asyncio.shield(work)

    async def _connected(self) -> Link:
        """The connection, made anew if it is gone.

        Raises:
            McpConnectionError: The client is closed, or has made too many already.
        """
        async with self._lock:
            if self._link is not None and self._link.is_alive:
                return self._link
            if not self._is_open:
                raise _final(McpConnectionError(self.name, "the client is not open"))
            if self._link is not None:
                self._retire(self._link)
                if self._reconnects >= self.limits.max_reconnects:
                    words = f"given up after {self._reconnects} reconnections in a row"
                    raise _final(McpConnectionError(self.name, words))
                self._reconnects += 1
            link = self._link = Link(self.name, self._transport(), mode=self._mode)
            await link.open(self.limits.connect_timeout)
            return link

    def _retire(self, link: Link) -> None:
        link.end()
        self._ending = [old for old in self._ending if not old.is_ended]
        self._ending.append(link)

    async def tools(
        self,
        *,
        only: Collection[str] | None = None,
        pure: Collection[str] = (),
        effect_keys: Mapping[str, EffectKey] | None = None,
        prefix: str = "",
    ) -> list[McpTool]:
        """The server's tools as they are now; a later change of mind of its is not followed.

        What is declared here is believed, what the server says of its tools is not: a tool
        that is named neither in `pure` nor in `effect_keys` is a write that must not be
        repeated blindly.

        Args:
            only: Their names at the server; None for all.
            pure: Those that change nothing.
            effect_keys: Name -> what names the effect; see `Tool`.
            prefix: Put before each name, to keep servers apart.

        Returns:
            In the server's order.

        Raises:
            McpError: There is no usable list.
            UnknownToolError: A name given here is not on it.
        """
        keys = dict(effect_keys or {})
        offered = {tool.name: tool for tool in await self._offered()}
        for name in (*(only or ()), *pure, *keys):
            if name not in offered:
                raise UnknownToolError(name, list(offered))
        return [
            self._tool(tool, prefix, name in pure, keys.get(name))
            for name, tool in offered.items()
            if only is None or name in only
        ]

    def _tool(
        self, offered: types.Tool, prefix: str, pure: bool, effect_key: EffectKey | None
    ) -> McpTool:
        retry = Retry(
            max_retries=self.limits.max_retries,
            timeout=self.limits.timeout,
            is_retryable=is_retryable_mcp_error,
        )
        try:
            return McpTool(
                self.call,
                offered,
                name=prefix + offered.name,
                pure=pure,
                effect_key=effect_key,
                retry=retry,
            )
        except ValueError as error:
            raise McpProtocolError(self.name, str(error)) from None

    async def _offered(self) -> list[types.Tool]:
        found: list[types.Tool] = []
        link = await self._connected()
        try:
            async with asyncio.timeout(self.limits.timeout):
                await link.call(lambda client: _listed(client, found))
        except TimeoutError as error:
            if isinstance(error, McpTimeoutError):
                raise
            raise McpTimeoutError(self.name, "no list of tools in time") from None
        names = [tool.name for tool in found]
        if len(set(names)) != len(names):
            raise McpProtocolError(self.name, "two of its tools have the same name")
        return found

    async def call(self, tool: str, arguments: dict[str, Any]) -> Any:
        """Make one exchange: nothing is checked, permitted, retried or written down.

        Raises:
            McpToolError: The tool says that it failed.
            McpError: There is no usable answer.
        """
        link = await self._connected()
        result = await link.call(lambda client: client.call_tool(tool, arguments))
        self._reconnects = 0
        return value_of(self.name, tool, result, self.limits.max_bytes)


async def _listed(client: Client, found: list[types.Tool]) -> None:
    cursor: str | None = None
    for _ in range(MAX_PAGES):
        page = await client.list_tools(cursor=cursor)
        found.extend(page.tools)
        cursor = page.next_cursor
        if cursor is None:
            return
    raise RuntimeError("the list of tools does not end")


@asynccontextmanager
async def _over_http(
    server: str, url: str, headers: dict[str, str], limits: Limits
) -> AsyncIterator[Any]:
    http = http_client(
        server=server,
        headers=headers,
        max_bytes=limits.max_bytes,
        max_reconnects=limits.max_reconnects,
    )
    async with (
        http,
        streamable_http_client(
            url, http_client=http, max_sse_event_size=limits.max_bytes
        ) as streams,
    ):
        yield streams


def _host_of(url: str, allow_http: bool) -> str:
    target = URL(url)
    refused = refusal(target, None, allow_http=allow_http)
    if refused:
        raise ValueError(f"{target.host}: {refused}")
    return str(target.host)


def _final(error: McpConnectionError) -> McpConnectionError:
    return mark_permanent(mark_not_started(error))
