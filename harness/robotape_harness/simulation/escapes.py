"""Escapes: the ways out of a loop into the real world, each refused by name.

The in-memory network will answer some of them: a class that defines a method itself goes
before `NoRealIO` among the bases. Ways out that pass the loop by are for the fences.
"""

from collections.abc import Callable
from typing import NoReturn

from robotape.errors import RobotapeError
from robotape_harness.simulation.asking import place

__all__ = ["EscapeError", "NoRealIO"]

REFUSED = (
    "add_reader",
    "add_writer",
    "connect_accepted_socket",
    "connect_read_pipe",
    "connect_write_pipe",
    "create_connection",
    "create_datagram_endpoint",
    "create_server",
    "create_unix_connection",
    "create_unix_server",
    "getaddrinfo",
    "getnameinfo",
    "remove_reader",
    "remove_writer",
    "sendfile",
    "sock_accept",
    "sock_connect",
    "sock_recv",
    "sock_recv_into",
    "sock_recvfrom",
    "sock_recvfrom_into",
    "sock_sendall",
    "sock_sendfile",
    "sock_sendto",
    "start_tls",
    "subprocess_exec",
    "subprocess_shell",
)


class EscapeError(RobotapeError):
    """Code in a simulated run reaches for the real world.

    Attributes:
        call: What was called, such as `socket.connect`; of a method of the loop, `loop.…`.
        hint: What to do instead.
        where: file:line of the innermost code of the user's; empty where there is none.
    """

    def __init__(
        self,
        call: str,
        hint: str = "give the agent a scripted tool, LLM or service instead",
        where: str = "",
    ) -> None:
        super().__init__(call, hint, where)
        self.call = call
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        at = f" at {self.where}" if self.where else ""
        return f"{self.call}(){at} would leave the simulation for the real world: {self.hint}."


class NoRealIO:
    """Refuses real I/O at the call itself, before anything is opened.

    Attributes:
        escapes: What was refused so far, in order: code that swallows the error does not
            hide it. Signal handlers stay unimplemented, as asyncio has it on Windows.
    """

    def __init__(self) -> None:
        super().__init__()
        self.escapes: tuple[EscapeError, ...] = ()

    def refuse(self, error: EscapeError) -> NoReturn:
        """Keep the error and raise it.

        Raises:
            EscapeError: Always.
        """
        self.escapes = (*self.escapes, error)
        raise error


def _refusal(name: str) -> Callable[..., NoReturn]:
    def refused(self: NoRealIO, *args: object, **options: object) -> NoReturn:
        self.refuse(EscapeError(f"loop.{name}", where=place()))

    refused.__name__ = name
    refused.__qualname__ = f"NoRealIO.{name}"
    refused.__doc__ = "Refuse."
    return refused


for _name in REFUSED:
    setattr(NoRealIO, _name, _refusal(_name))
