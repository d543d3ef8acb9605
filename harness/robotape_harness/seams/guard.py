"""The guard: while it stands, nothing reaches the network but what a handler forwards.

It watches Python's own sockets and name look-ups (see `sockets`), in the context that it was
entered in, its tasks and its threads. It cannot see code that opens sockets in C (libpq,
libcurl, uvloop's transports), nor subprocesses. Unix sockets are not the network.
"""

import asyncio
import ipaddress
import sys
import sysconfig
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from robotape.errors import RobotapeError, mark_permanent
from robotape_harness.seams.clients import attached
from robotape_harness.seams.ending import settled
from robotape_harness.seams.standing import put

__all__ = ["Guard", "NetworkEscapeError", "guard"]

LOOPBACK = "loopback"
LOCAL_NAMES = ("localhost", "ip6-localhost")


class NetworkEscapeError(RobotapeError):
    """Code reaches for the network past the handlers.

    Attributes:
        host: Name or address.
        destination: The same, with the port if it is known.
        deed: What was about to happen, such as "connect to".
        where: File and line of the code nearest to it that belongs to no library; of the
            library if there is none on the stack.
    """

    def __init__(self, host: str, port: int | None, deed: str, where: str) -> None:
        super().__init__(host, port, deed, where)
        self.host = host
        self.destination = host if port is None else f"{host}:{port}"
        self.deed = deed
        self.where = where

    def __str__(self) -> str:
        return (
            f"{self.where} is about to {self.deed} {self.destination}, past the handlers of"
            " the HTTP seam. Let a handler see it (`use`; the clients are aiohttp, httpx and"
            f" httpx2), or let it through: allow=({self.host!r},), or"
            " ('loopback',) for this machine."
        )


class Guard:
    """One guard on duty.

    Attributes:
        escapes: What it refused, in order; code that swallows the error does not hide it.
        lets_forward: Whether what a handler forwards may pass it.
    """

    def __init__(
        self,
        allow: Collection[str] = (),
        *,
        lets_forward: bool = False,
        errors: list[Exception] | None = None,
    ) -> None:
        """Take up the duty.

        Args:
            allow: Hosts, or `host:port`, that may be reached; "loopback" for this machine.
            lets_forward: As the attribute.
            errors: Where else to note what was refused.
        """
        if isinstance(allow, str):
            raise TypeError(f"allow is a collection of hosts, not one: write ({allow!r},)")
        self.lets_forward = lets_forward
        self.escapes: list[NetworkEscapeError] = []
        self.errors: list[Exception] = [] if errors is None else errors
        self.is_over = False
        self._allowed = {host.lower() for host in allow}

    def allows(self, host: str, port: int | None) -> bool:
        """Whether a destination may be reached."""
        name = host.lower()
        if name in self._allowed or f"{name}:{port}" in self._allowed:
            return True
        return LOOPBACK in self._allowed and _is_this_machine(name)

    def check(self, host: str, port: int | None, deed: str) -> None:
        """Let a destination pass, or refuse it.

        Args:
            host: Name or address.
            port: If it is known.
            deed: What is about to happen to it.

        Raises:
            NetworkEscapeError: It is not allowed.
        """
        if self.is_over or self.allows(host, port):
            return
        error = NetworkEscapeError(host, port, deed, _caller(sys._getframe(1)))
        self.escapes.append(error)
        self.errors.append(error)
        raise mark_permanent(error)

    def learn(self, host: str, addresses: frozenset[str]) -> None:
        """Take note that an allowed name has these addresses."""
        if host.lower() in self._allowed:
            self._allowed |= addresses


def _is_this_machine(host: str) -> bool:
    if host in LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


@contextmanager
def guard(
    *, allow: Collection[str] = (), loop: asyncio.AbstractEventLoop | None = None
) -> Iterator[Guard]:
    """Let nothing reach the network within the block, not even what a handler forwards.

    It holds for the code in the block, the tasks begun there and their threads. The error
    is raised where the network is reached for, and again at the end of the block if
    somebody swallowed it.

    Args:
        allow: Hosts, or `host:port`, that may be reached; "loopback" for this machine.
        loop: Everything that runs on it is guarded, whatever its context.

    Yields:
        The guard, with what it refused so far.

    Raises:
        NetworkEscapeError: At the end of the block, the first that was swallowed.

    Example:
        >>> import socket
        >>> try:
        ...     with guard():
        ...         socket.create_connection(("192.0.2.1", 80))
        ... except NetworkEscapeError as error:
        ...     print(error.deed, error.destination)
        connect to 192.0.2.1:80
    """
    on_duty = Guard(allow)
    with attached(), settled(on_duty.errors), put((), (on_duty,), loop):
        try:
            yield on_duty
        finally:
            on_duty.is_over = True


_LIBRARIES = tuple(
    {
        str(Path(sysconfig.get_path(name)).resolve())
        for name in ("stdlib", "platstdlib", "purelib", "platlib")
    }
)
_HERE = str(Path(__file__).resolve().parent)


def _caller(frame: FrameType | None) -> str:
    """File and line of the nearest code that is nobody's library."""
    nearest = ""
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(_HERE):
            place = f"{file}:{frame.f_lineno}"
            nearest = nearest or place
            if not file.startswith(_LIBRARIES) and not file.startswith("<"):
                return place
        frame = frame.f_back
    return nearest
