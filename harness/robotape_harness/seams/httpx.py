"""Where the seam stands in httpx and httpx2: at the transport, the last thing that is public.

Above it everything is the client's own: redirects, cookies, authentication, event hooks,
decoding, `raise_for_status`, and transports that wrap others, such as those that retry. Below
it is the connection pool. Both libraries are served by the same code: it is given the module.

A client's transport is one of five the library has; those are seen themselves, wherever they
are wrapped. Another one is seen in their stead when the client reaches for it, unless it
passes its exchanges to one that is seen, or to aiohttp.
"""

import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from robotape_harness.seams.exchange import drive
from robotape_harness.seams.httpx_exchange import Dialect, Exchange
from robotape_harness.seams.patches import Patch
from robotape_harness.seams.standing import Standing, here

__all__ = ["lacking", "patches"]

# Those that open connections, and those that answer in memory: what an application mounted in
# memory asks of others is no part of the exchange.
NETWORK = ("HTTPTransport", "AsyncHTTPTransport")
IN_MEMORY = ("MockTransport", "ASGITransport", "WSGITransport")
METHODS = {"handle_request": True, "handle_async_request": False}  # whether synchronous
CLIENTS = {"Client": True, "AsyncClient": False}
CHOICE = "_transport_for_url"
NEEDED = (
    *NETWORK,
    *IN_MEMORY,
    *CLIENTS,
    "BaseTransport",
    "AsyncBaseTransport",
    "AsyncByteStream",
    "SyncByteStream",
    "Request",
    "Response",
)
DEPTH = 3  # a retrying transport around a caching one around the library's own


def lacking(module: ModuleType) -> str:
    """What this version lacks of what the seam builds on; empty if nothing."""
    absent = [name for name in NEEDED if not hasattr(module, name)]
    if absent:
        return f"it has no {', '.join(absent)}"
    for name in CLIENTS:
        if not callable(getattr(getattr(module, name), CHOICE, None)):
            return f"{name} does not choose its transport by {CHOICE}"
    request = module.Request("POST", "http://localhost/", content=b"x")
    if not hasattr(request, "stream") or not hasattr(request, "extensions"):
        return "a Request has no stream or no extensions"
    return ""


def patches(module: ModuleType) -> Iterator[Patch]:
    """What must be replaced so that every exchange is seen."""
    dialect = Dialect(module)
    for name in (*NETWORK, *IN_MEMORY):
        owner = getattr(module, name)
        for method, is_sync in METHODS.items():
            if method in vars(owner):
                original = getattr(owner, method)
                is_network = name in NETWORK
                yield Patch(owner, method, _handling(dialect, original, is_network, is_sync))
    leaves = tuple(getattr(module, name) for name in (*NETWORK, *IN_MEMORY))
    for name, is_sync in CLIENTS.items():
        owner = getattr(module, name)
        yield Patch(owner, CHOICE, _choosing(dialect, getattr(owner, CHOICE), leaves, is_sync))


def _handling(
    dialect: Dialect, original: Callable[..., Any], is_network: bool, is_sync: bool
) -> Callable[..., Any]:
    """One of the library's own transports, seen."""

    def handle(self: Any, request: Any) -> Any:
        now = here()
        if not now.handlers or now.passing == (request.method, request.url.host):
            return original(self, request)
        send = _Bound(original, self)
        exchange = Exchange(dialect, now, send, request, is_sync=is_sync, is_network=is_network)
        steps = exchange.run()
        return drive(steps) if is_sync else steps

    return handle


class _Bound:
    """A transport's own method; a bound one of the class would be the replacement."""

    __slots__ = ("_method", "_transport")

    def __init__(self, method: Callable[..., Any], transport: Any) -> None:
        self._method = method
        self._transport = transport

    def __call__(self, request: Any) -> Any:
        return self._method(self._transport, request)


def _choosing(
    dialect: Dialect, original: Callable[..., Any], leaves: tuple[type, ...], is_sync: bool
) -> Callable[..., Any]:
    """A client's choice of its transport; one that would not be seen is given a disguise."""

    def choose(self: Any, url: Any) -> Any:
        transport = original(self, url)
        now = here()
        if not now.handlers or isinstance(transport, leaves) or _passes_on(transport, DEPTH):
            return transport
        return _Disguise(dialect, transport, now, is_sync)

    return choose


class _Disguise:
    """A transport of somebody else's, seen; stands in for it for one exchange."""

    __slots__ = ("_dialect", "_is_sync", "_now", "_transport")

    def __init__(self, dialect: Dialect, transport: Any, now: Standing, is_sync: bool) -> None:
        self._dialect = dialect
        self._transport = transport
        self._now = now
        self._is_sync = is_sync

    def _exchange(self, request: Any, send: Callable[..., Any]) -> Any:
        exchange = Exchange(
            self._dialect,
            self._now,
            send,
            request,
            is_sync=self._is_sync,
            passing=(request.method, request.url.host),
        )
        return exchange.run()

    def handle_request(self, request: Any) -> Any:
        return drive(self._exchange(request, self._transport.handle_request))

    def handle_async_request(self, request: Any) -> Any:
        return self._exchange(request, self._transport.handle_async_request)


def _passes_on(transport: Any, depth: int) -> bool:
    """Whether what a transport does is seen further down.

    Told by what it holds, or by its module: one that imports aiohttp speaks through it.
    """
    kinds = type(transport).__mro__
    if any("aiohttp" in vars(sys.modules.get(kind.__module__, sys)) for kind in kinds):
        return True
    return depth > 0 and any(_is_seen(held, depth - 1) for held in _held(transport))


def _is_seen(thing: Any, depth: int) -> bool:
    """Whether a thing is a transport, or a client, whose exchanges are seen."""
    for library in ("httpx", "httpx2"):
        module = sys.modules.get(library)
        if module is None:
            continue
        if isinstance(thing, module.Client | module.AsyncClient):
            return True
        if isinstance(thing, module.BaseTransport | module.AsyncBaseTransport):
            leaves = tuple(getattr(module, name) for name in (*NETWORK, *IN_MEMORY))
            return isinstance(thing, leaves) or _passes_on(thing, depth)
    return False


def _held(thing: Any) -> Iterator[Any]:
    """What an object has in its attributes, and in the lists and dictionaries there."""
    slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    values = [*getattr(thing, "__dict__", {}).values()]
    values += [getattr(thing, name, None) for name in slots if isinstance(name, str)]
    for value in values:
        if isinstance(value, dict):
            yield from value.values()
        elif isinstance(value, list | tuple):
            yield from value
        else:
            yield value
