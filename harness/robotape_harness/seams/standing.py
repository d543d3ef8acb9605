"""What stands here: the handlers and guards in force for a context, and for a loop.

Told to a context, so that two tasks of one loop need not see each other's; and to a loop, for
tasks that began before. `carriers` takes it into threads; nothing here attaches to a client.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol

from robotape_harness.seams.exchange import Handler

__all__ = ["NOTHING", "Sentry", "Standing", "below", "here", "put", "standing"]


class Sentry(Protocol):
    """A guard as far as contexts know it.

    Attributes:
        lets_forward: Whether what a handler forwards may pass it.
    """

    lets_forward: bool

    def check(self, host: str, port: int | None, deed: str) -> None:
        """Let a destination pass, or raise."""
        ...

    def learn(self, host: str, addresses: frozenset[str]) -> None:
        """Take note of the addresses of a name that may be reached."""
        ...


class Standing(NamedTuple):
    """What is in force.

    Attributes:
        handlers: Outermost first.
        guards: Outermost first; each must let a destination pass.
        passing: Method and host of the exchange that is being forwarded through a
            transport which the seam does not know: below it, it is not seen again.
        is_whole: Whether what the loop has is counted in.
    """

    handlers: tuple[Handler, ...] = ()
    guards: tuple[Sentry, ...] = ()
    passing: tuple[str, str] | None = None
    is_whole: bool = False


NOTHING = Standing()
standing: ContextVar[Standing] = ContextVar("robotape_http", default=NOTHING)
ATTRIBUTE = "robotape_http"  # of a loop
_loops: list[object] = []  # those that were told something; as long as none was, none is asked


def here() -> Standing:
    """What is in force for the caller: what its loop has, then what its context has."""
    own = standing.get()
    if own.is_whole or not _loops:
        return own
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return own
    ambient: Standing | None = getattr(loop, ATTRIBUTE, None)
    if ambient is None:
        return own
    if own is NOTHING:
        return ambient
    return Standing(ambient.handlers + own.handlers, ambient.guards + own.guards)


def below(now: Standing, passing: tuple[str, str] | None = None) -> Standing:
    """What is in force for an exchange that a handler forwards.

    Args:
        now: What is in force around it.
        passing: As the attribute.
    """
    guards = tuple(guard for guard in now.guards if not guard.lets_forward)
    return Standing(now.handlers, guards, passing, is_whole=True)


@contextmanager
def put(
    handlers: tuple[Handler, ...],
    guards: tuple[Sentry, ...],
    loop: asyncio.AbstractEventLoop | None = None,
) -> Iterator[None]:
    """Add to what is in force, for the length of a block.

    Args:
        handlers: Nearer to the network than those in force.
        guards: Checked behind those in force.
        loop: Everything that runs on it; None for the block and the tasks begun there.
    """
    if loop is not None:
        with _put_on(loop, handlers, guards):
            yield
        return
    own = standing.get()
    added = Standing(own.handlers + handlers, own.guards + guards, own.passing, own.is_whole)
    token = standing.set(added)
    try:
        yield
    finally:
        # A fixture may be torn down in another context than it was set up in; the handlers
        # and guards of a block that has ended do nothing, wherever they are left.
        with suppress(ValueError):
            standing.reset(token)


@contextmanager
def _put_on(loop: Any, handlers: tuple[Handler, ...], guards: tuple[Sentry, ...]) -> Iterator[None]:
    before: Standing = getattr(loop, ATTRIBUTE, NOTHING)
    setattr(loop, ATTRIBUTE, Standing(before.handlers + handlers, before.guards + guards))
    _loops.append(loop)
    try:
        yield
    finally:
        _loops.remove(loop)
        # Blocks of different tasks need not end in the order in which they began.
        now: Standing = getattr(loop, ATTRIBUTE)
        left = Standing(
            tuple(handler for handler in now.handlers if handler not in handlers),
            tuple(guard for guard in now.guards if guard not in guards),
        )
        delattr(loop, ATTRIBUTE) if left == NOTHING else setattr(loop, ATTRIBUTE, left)
