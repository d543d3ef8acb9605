"""A handler in force: for a block of code, the tasks and threads begun there, or a whole loop."""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager

from robotape.errors import RobotapeError
from robotape_harness.seams.body import ExchangeError
from robotape_harness.seams.clients import attached, attached_clients
from robotape_harness.seams.ending import settled
from robotape_harness.seams.exchange import Forward, Handler, Request, Response, SuspendedError
from robotape_harness.seams.guard import Guard
from robotape_harness.seams.standing import put

__all__ = ["NothingInterceptedError", "Scope", "use"]


class NothingInterceptedError(RobotapeError):
    """Fewer exchanges than expected passed a handler.

    Attributes:
        expected: At least so many.
        seen: So many did.
        clients: Those that the seam was attached to.
    """

    def __init__(self, expected: int, seen: int, clients: tuple[str, ...]) -> None:
        super().__init__(expected, seen, clients)
        self.expected = expected
        self.seen = seen
        self.clients = clients

    def __str__(self) -> str:
        names = ", ".join(self.clients) or "no client, for none was imported"
        return (
            f"{self.seen} exchanges passed the handler, at least {self.expected} were expected;"
            f" the seam was attached to {names}. Is the code under test called, in this task"
            " or one begun within the block?"
        )


class Scope:
    """One handler in force.

    Attributes:
        handler: As given.
        exchanges: How many have reached it.
        errors: Its own failures and refused escapes, in order.
        is_over: Whether its block has ended: what still runs passes it unseen.
    """

    __slots__ = ("errors", "exchanges", "handler", "is_over")

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.exchanges = 0
        self.errors: list[Exception] = []
        self.is_over = False

    async def __call__(self, request: Request, forward: Forward) -> Response:
        """Hand a request to the handler, and note what it raises of its own."""
        if self.is_over:
            return await forward(request)
        self.exchanges += 1
        try:
            return await self.handler(request, forward)
        except ExchangeError:
            raise
        except GeneratorExit:
            if request.is_sync:  # `drive` could not go on
                self.errors.append(SuspendedError())
            raise
        except Exception as error:
            self.errors.append(error)
            raise


@contextmanager
def use(
    handler: Handler,
    *,
    allow: Collection[str] = (),
    expect: int = 0,
    guarded: bool = True,
    loop: asyncio.AbstractEventLoop | None = None,
) -> Iterator[Scope]:
    """Let a handler see every HTTP exchange made within the block.

    It holds for the code in the block, and the tasks and threads begun there; two tasks may
    each have their own. As with `robotape.intercept`, a later one stands nearer to the
    network. What reaches for the network on another way is refused, see `guard`. When the
    last block ends, the clients are as they were.

    Args:
        handler: Must be usable by as many tasks at once as make exchanges.
        allow: Hosts, or `host:port`, that may be reached past it; "loopback" for this machine.
        expect: How many exchanges must have reached it by the end of the block, at least.
        guarded: False lets the network be reached past it.
        loop: Everything that runs on it, tasks begun before included; None for the block.

    Yields:
        The scope: what passed so far, and what failed.

    Raises:
        UnsupportedClientError: A client is of a version that the seam does not know.
        NothingInterceptedError: Fewer exchanges than expected, and no other error.
        Exception: At the end of the block, the first failure of the handler's own, or
            `NetworkEscapeError`, that somebody swallowed.

    Example:
        >>> import httpx2
        >>> from robotape_harness.seams import Response, use
        >>> async def greet(request, forward):
        ...     return Response.of(200, f"hello {request.url}")
        >>> with use(greet):
        ...     print(httpx2.get("https://api.example.com/").text)
        hello https://api.example.com/
    """
    scope = Scope(handler)
    guards = (Guard(allow, lets_forward=True, errors=scope.errors),) if guarded else ()
    with ExitStack() as stack:
        stack.enter_context(attached())
        stack.enter_context(settled(scope.errors))
        stack.enter_context(put((scope,), guards, loop))
        try:
            yield scope
        finally:
            scope.is_over = True
            for guard in guards:
                guard.is_over = True
        if scope.exchanges < expect and not scope.errors:
            raise NothingInterceptedError(expect, scope.exchanges, attached_clients())
