"""The vocabulary of the corridor: a call, what passes it on, and how a middleware gets in.

Nothing here makes a call.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from robotape.models.value import quick
from robotape.runtime import Scope, ambient, current_scope, entered

__all__ = ["Call", "CallNext", "Kind", "Middleware", "intercept", "interceptors_of", "through"]

Kind = Literal["llm", "tool", "http", "mcp"]


@quick
@dataclass(frozen=True, slots=True)
class Call:
    """One crossing of the corridor; a frozen value, one per attempt.

    Attributes:
        kind: Which sort of thing is called.
        target: Name of the tool, or of the model.
        arguments: By name, frozen: the very object that policy judged and the body receives.
        agent: Path of the agent that calls.
        call_id: Stable name of the call within its run; the same for all its attempts.
        attempt: 1-based.
        principal: On whose behalf, or None.
        deadline: Instant of the run's clock after which nobody waits; None for no limit.
        key: Idempotency key; the same for all attempts, and for all calls of one effect key.
    """

    kind: Kind
    target: str
    arguments: Mapping[str, Any]
    agent: str = ""
    call_id: str = ""
    attempt: int = 1
    principal: str | None = None
    deadline: float | None = None
    key: str = ""

    def again(self) -> "Call":
        """The same call, one attempt later."""
        return replace(self, attempt=self.attempt + 1)


CallNext = Callable[[Call], Awaitable[Any]]


class Middleware(Protocol):
    """One station of the corridor."""

    async def __call__(self, call: Call, call_next: CallNext) -> Any:
        """Pass the call on, answer it, or refuse it.

        Args:
            call: What comes in.
            call_next: The stations nearer to the effect; may be awaited never, once or
                more often.

        Returns:
            What the call gives.
        """


@contextmanager
def intercept(middleware: Middleware) -> Iterator[None]:
    """Let a middleware see every attempt of every call made within the block.

    It stands next to the effect: behind policy, validation and retries. A later one
    stands nearer still. It holds for the code in the block and the tasks begun there,
    and nothing is left behind.

    Example:
        >>> async def shout(call, call_next):
        ...     print(call.target, call.attempt)
        ...     return await call_next(call)
        >>> with intercept(shout):
        ...     pass
    """
    scope = current_scope() or ambient()
    with entered(scope.within(middleware)):
        yield


def interceptors_of(scope: Scope) -> tuple[Middleware, ...]:
    """The middleware in force here, outermost first: the loop's own, then the scope's.

    A simulated loop has its own so that tasks made before a block began are seen too.
    """
    loop = asyncio.get_running_loop()
    ambient_ones: tuple[Middleware, ...] = getattr(loop, "robotape_interceptors", ())
    return ambient_ones + scope.interceptors if ambient_ones else scope.interceptors


def through(middleware: tuple[Middleware, ...], effect: CallNext) -> CallNext:
    """Chain middleware, outermost first, before an effect."""
    for station in reversed(middleware):
        effect = _passing(station, effect)
    return effect


def _passing(station: Middleware, call_next: CallNext) -> CallNext:
    def passing(call: Call) -> Awaitable[Any]:
        return station(call, call_next)

    return passing
