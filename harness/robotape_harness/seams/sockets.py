"""Python's own sockets and name look-ups, each of which asks the guards before it does anything.

Every client written in Python ends in them: urllib3, http.client, asyncio's connections,
aiohappyeyeballs. gRPC and c-ares open sockets in C; their entrances from Python ask instead.
"""

import ipaddress
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

from robotape_harness.seams.patches import Patch
from robotape_harness.seams.standing import here

__all__ = ["is_address", "patches"]

INTERNET = (socket.AF_INET, socket.AF_INET6)
LOOKUPS = ("gethostbyname", "gethostbyname_ex", "gethostbyaddr")
BLIND = {
    "grpc": ("insecure_channel", "secure_channel"),
    "grpc.aio": ("insecure_channel", "secure_channel"),
}
"""Libraries with sockets of their own, and where one enters them with a target."""


def is_address(host: str) -> bool:
    """Whether a host is a number, which nobody has to look up."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _ask(host: str, port: object, deed: str) -> None:
    for guard in here().guards:
        guard.check(host, port if isinstance(port, int) else None, deed)


def _text(host: object) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else str(host)


def _ask_address(sock: socket.socket, address: object, deed: str) -> None:
    if sock.family in INTERNET and isinstance(address, tuple) and address:
        _ask(_text(address[0]), address[1] if len(address) > 1 else None, deed)


def _connecting(original: Callable[..., Any]) -> Callable[..., Any]:
    def connect(self: socket.socket, address: Any, /) -> Any:
        try:
            _ask_address(self, address, "connect to")
        except Exception:
            self.close()  # the standard library closes it for an OSError only
            raise
        return original(self, address)

    return connect


def _sending(original: Callable[..., Any], place: int) -> Callable[..., Any]:
    """`place`: at least so many arguments come before the address."""

    def send(self: socket.socket, *args: Any) -> Any:
        if len(args) > place:
            _ask_address(self, args[-1], "send to")
        return original(self, *args)

    return send


def _looking_up(original: Callable[..., Any]) -> Callable[..., Any]:
    def look_up(host: Any, *args: Any, **options: Any) -> Any:
        name = _text(host)
        if host and not is_address(name):
            _ask(name, None, "look up")
        return original(host, *args, **options)

    return look_up


def _resolving(original: Callable[..., Any]) -> Callable[..., Any]:
    def getaddrinfo(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        name = _text(host)
        if not host or is_address(name):
            return original(host, port, *args, **options)
        guards = here().guards
        for guard in guards:
            guard.check(name, port if isinstance(port, int) else None, "look up")
        found = original(host, port, *args, **options)
        addresses = frozenset(str(entry[4][0]) for entry in found)
        for guard in guards:
            guard.learn(name, addresses)
        return found

    return getaddrinfo


def _opening(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    def opening(target: str, *args: Any, **options: Any) -> Any:
        host, _, port = target.rpartition("/")[2].rpartition(":")
        _ask(host or target, int(port) if port.isdecimal() else None, f"open {name} to")
        return original(target, *args, **options)

    return opening


def patches() -> Iterator[Patch]:
    """What must be replaced for it, with what is imported now."""
    for name in ("connect", "connect_ex"):
        yield Patch(socket.socket, name, _connecting(getattr(socket.socket, name)))
    yield Patch(socket.socket, "sendto", _sending(socket.socket.sendto, 1))
    if hasattr(socket.socket, "sendmsg"):  # not on Windows
        yield Patch(socket.socket, "sendmsg", _sending(socket.socket.sendmsg, 3))
    yield Patch(socket, "getaddrinfo", _resolving(socket.getaddrinfo))
    for name in LOOKUPS:
        yield Patch(socket, name, _looking_up(getattr(socket, name)))
    for library, names in BLIND.items():
        module = sys.modules.get(library)
        for name in names if module is not None else ():
            entrance = getattr(module, name)
            yield Patch(module, name, _opening(entrance, f"{library}.{name}"))
