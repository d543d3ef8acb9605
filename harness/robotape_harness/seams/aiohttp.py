"""Where the seam stands in aiohttp: at the connection that its connector hands out.

Above it everything is the client's own: redirects, cookies, middlewares, tracing, timeouts,
the writing of requests, the parsing and decompression of answers. While a handler is in force,
`BaseConnector.connect` gives a connection without a socket: what aiohttp writes to it is read
back as a request, and what the handler answers is fed to aiohttp's own parser, each piece
when the reader asks for it. WebSockets are no exchange: they go to the network, or the guard.
"""

import inspect
from collections.abc import Callable, Coroutine, Iterator
from types import ModuleType
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.streams import StreamReader

from robotape_harness.seams.aiohttp_line import Line, Pulled
from robotape_harness.seams.patches import Patch
from robotape_harness.seams.standing import Standing, here

__all__ = ["lacking", "patches"]

CONNECT = ("self", "req", "traces", "timeout")
CONNECTION = ("self", "connector", "key", "protocol", "loop")
PARAMETERS = ("timer", "skip_payload", "read_until_eof", "auto_decompress", "read_timeout")


def lacking(module: ModuleType) -> str:
    """What this version lacks of what the seam builds on; empty if nothing."""
    if _parameters(module.BaseConnector.connect) != CONNECT:
        return f"BaseConnector.connect does not take {', '.join(CONNECT[1:])}"
    if _parameters(Connection.__init__) != CONNECTION:
        return f"a Connection is not made of {', '.join(CONNECTION[1:])}"
    taken = _parameters(ResponseHandler.set_response_params)
    absent = [name for name in PARAMETERS if name not in taken]
    if absent:
        return f"set_response_params does not take {', '.join(absent)}"
    for name in ("start_timeout", "data_received", "connection_lost", "read_timeout"):
        if not hasattr(ResponseHandler, name):
            return f"a ResponseHandler has no {name}"
    if not inspect.iscoroutinefunction(ResponseHandler.read):
        return "a ResponseHandler is not read by awaiting"
    return _lacking_of_reader()


def _lacking_of_reader() -> str:
    if _parameters(StreamReader._wait) != ("self", "func_name"):
        return "a StreamReader does not wait by _wait(func_name)"
    reader = StreamReader.__new__(StreamReader)
    try:
        reader.__class__ = Pulled
    except TypeError as error:
        return f"a StreamReader cannot be made one that asks for what it reads: {error}"
    return ""


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


def patches(module: ModuleType) -> Iterator[Patch]:
    """What must be replaced so that every exchange is seen."""
    owner = module.BaseConnector
    yield Patch(owner, "connect", _connecting(owner.connect))


Connect = Callable[..., Coroutine[Any, Any, Connection]]


def _connecting(original: Connect) -> Connect:
    def connect(
        self: aiohttp.BaseConnector, req: aiohttp.ClientRequest, *args: Any, **options: Any
    ) -> Coroutine[Any, Any, Connection]:
        now = here()
        if (
            not now.handlers
            or now.passing == (req.method, req.url.host)
            or "Upgrade" in req.headers
        ):
            return original(self, req, *args, **options)

        def real(request: aiohttp.ClientRequest) -> Coroutine[Any, Any, Connection]:
            return original(self, request, *args, **options)

        return _connected(self, req, now, real)

    return connect


async def _connected(
    connector: aiohttp.BaseConnector,
    request: aiohttp.ClientRequest,
    now: Standing,
    real: Callable[[aiohttp.ClientRequest], Coroutine[Any, Any, Connection]],
) -> Connection:
    loop = request.loop
    line = Line(loop, request, now, real)
    holder: Any = _Holder(connector)
    return Connection(holder, request.connection_key, line, loop)


class _Holder:
    """Stands in for the connector of a connection that is never pooled."""

    __slots__ = ("_connector",)

    def __init__(self, connector: aiohttp.BaseConnector) -> None:
        self._connector = connector

    @property
    def force_close(self) -> bool:
        """As the connector's: aiohttp writes a header by it."""
        return self._connector.force_close

    def _release(self, key: object, protocol: Line, *, should_close: bool = False) -> None:
        protocol.let_go()
