"""One connection to an MCP server, kept by a task of its own.

The SDK's transports cancel the task they live in when something breaks, and raise groups on
the way out. Here that task is nobody else's: callers wait beside it, and are told.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from types import TracebackType
from typing import Any, Self, TypeVar

from mcp import Client
from mcp.client import Transport
from mcp.shared.exceptions import MCPError

from robotape.errors import mark_not_started
from robotape.mcp.errors import McpConnectionError, McpError, McpRequestError, McpTimeoutError
from robotape.mcp.exchange import Exchange, under_way
from robotape.mcp.failures import failure_of

__all__ = ["Link"]

T = TypeVar("T")
CLOSING = 10.0  # seconds; the SDK gives a server 4 s to go before it kills it
# What the SDK says in place of a server that answered with a bare HTTP status.
_STAND_INS = ("Server returned an error response", "Session terminated", "Not Found")


class Link:
    """A connection from its beginning to its end; it does not begin again.

    Attributes:
        server: Name for errors.
    """

    def __init__(self, server: str, transport: Transport, *, mode: str) -> None:
        """Prepare a connection; `open` makes it.

        Args:
            server: Name for errors.
            transport: The SDK's, not entered yet.
            mode: How the SDK finds the protocol's version.
        """
        self.server = server
        self._transport = transport
        self._mode = mode
        self._task: asyncio.Task[None] | None = None
        self._calls: set[asyncio.Task[Any]] = set()
        self._client: Client | None = None
        self._settled = asyncio.Event()  # connected, or known not to be
        self._over = asyncio.Event()  # to be closed, or closed by the server
        self._failure: McpError | None = None

    @property
    def is_alive(self) -> bool:
        """Whether a call may be tried."""
        return self._client is not None and not self._over.is_set()

    @property
    def is_ended(self) -> bool:
        """Whether nothing of it is left."""
        return not self._calls and (self._task is None or self._task.done())

    async def open(self, timeout: float) -> None:
        """Connect and shake hands.

        Args:
            timeout: Seconds.

        Raises:
            McpError: There is no connection; nothing was asked of any tool.
        """
        # A context of its own: what the opener stands in is not the connection's business.
        self._task = asyncio.get_running_loop().create_task(self._keep(), context=Context())
        try:
            async with asyncio.timeout(timeout):
                await self._settled.wait()
        except TimeoutError:
            self._failure = McpTimeoutError(self.server, f"no handshake within {timeout:g} s")
        finally:
            if self._client is None:
                self.end()
        if self._client is None:
            raise mark_not_started(self._failure or McpConnectionError(self.server, "is gone"))

    async def _keep(self) -> None:
        exchange = Exchange(is_call=False)
        under_way.set(exchange)
        try:
            watched = _Watched(self._transport, self._over)
            async with Client(watched, mode=self._mode) as client:
                self._client = client
                self._settled.set()
                await self._over.wait()
        except Exception as error:
            self._failure = _told(self.server, exchange, error)
        finally:
            self._over.set()
            self._settled.set()

    async def call(self, use: Callable[[Client], Awaitable[T]]) -> T:
        """Ask something over the connection.

        Guarantee: a caller that is cancelled is free at once, whatever the server does.

        Raises:
            McpError: There is no usable answer.
        """
        client = self._client
        if client is None or self._over.is_set():
            raise mark_not_started(McpConnectionError(self.server, "is gone"))
        work = asyncio.create_task(self._use(use, client))
        self._calls.add(work)
        work.add_done_callback(self._forget)
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            work.cancel()
            raise
        if work.cancelled():  # by the SDK, or by `close`: not by our caller
            raise McpConnectionError(self.server, "the connection was closed during the call")
        return work.result()

    def _forget(self, work: asyncio.Task[Any]) -> None:
        self._calls.discard(work)
        if not work.cancelled():
            work.exception()  # seen, though a caller that was cancelled does not look

    async def _use(self, use: Callable[[Client], Awaitable[T]], client: Client) -> T:
        exchange = Exchange()
        under_way.set(exchange)
        try:
            return await use(client)
        except Exception as error:
            failure = _told(self.server, exchange, error)
        if failure.status == 404:
            self.end()  # the session is not known any more: the next call needs another
        # Out here, so that nothing of the SDK's hangs on to it.
        raise failure

    def end(self) -> None:
        """Begin to close; `ended` waits for it."""
        self._over.set()
        if self._task is not None and not self._settled.is_set():
            self._task.cancel()

    async def ended(self) -> None:
        """Wait until no task and no process of the connection is left."""
        for work in self._calls:
            work.cancel()
        works = {*self._calls, *([] if self._task is None else [self._task])}
        # Twice at most: who does not go when told to is told again, and left alone then.
        for _ in range(2):
            if works:
                _, works = await asyncio.wait(works, timeout=CLOSING)
            for work in works:
                work.cancel()


def _told(server: str, exchange: Exchange, error: Exception) -> McpError:
    """What HTTP knows goes first, but for what the server itself said in its answer."""
    failure = exchange.failure
    if failure is None:
        return failure_of(server, error)
    is_said = isinstance(error, MCPError) and error.message not in _STAND_INS
    if is_said and (type(failure) is McpRequestError or failure.status == 404):
        return failure_of(server, error)
    return failure


class _Watched:
    """A transport of which one is told when its other side has gone."""

    def __init__(self, inner: Transport, over: asyncio.Event) -> None:
        self._inner = inner
        self._over = over

    async def __aenter__(self) -> Any:
        read, write = await self._inner.__aenter__()
        return _Heard(read, self._over), write

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        return await self._inner.__aexit__(kind, error, trace)


class _Heard:
    """The SDK's stream of messages; at its end it says so."""

    def __init__(self, inner: Any, over: asyncio.Event) -> None:
        self._inner = inner
        self._over = over

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        try:
            return await self._inner.__anext__()
        except StopAsyncIteration:
            self._over.set()
            raise

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *exit_info: Any) -> Any:
        return await self._inner.__aexit__(*exit_info)
