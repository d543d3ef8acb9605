"""The injector: carries one fault out on the calls of one run.

Deciding is pure (`is_meant`, and `When`); what is done to a call, `behaviours` knows.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from robotape.calls import Call, CallNext
from robotape.errors import mark_permanent
from robotape.runtime import current_scope
from robotape.stream import Stream
from robotape_harness.faults.behaviours import ACTS, Act, Strike
from robotape_harness.faults.catalogue import kind_of
from robotape_harness.faults.fault import Fault
from robotape_harness.faults.spoiled import REWRITES

__all__ = ["FaultInjector", "Struck", "is_meant"]

LATE = 1.0  # virtual seconds by which an effect misses the caller; the first retry is sooner


class SimulatedRun(Protocol):
    """A run as far as an injector needs it."""

    def cancel(self) -> bool:
        """Cancel the run; False if it has ended already."""

    def choose(self, label: str, n: int) -> int:
        """Decide one thing; 0 is the benign answer."""

    def aside(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do something outside the run, which is none of its tasks."""


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault, and what it met in one run.

    Attributes:
        fault: What was planned.
        attempts: (call id, attempt) of each blow, in order; empty if it never happened. Of a cut
            the attempts that were under way, or ("", 0) where none was.
        transient: Whether its error may pass; None where it raises none.
    """

    fault: Fault
    attempts: tuple[tuple[str, int], ...] = ()
    transient: bool | None = None


def is_meant(fault: Fault, call: Call, first: Call | None = None) -> bool:
    """Whether an attempt is one of those that a fault may strike.

    Args:
        fault: With a mode `forever` it also means a call that repeats the struck one under
            another id, as an agent's own loop does: what fails for ever does not pass because
            somebody else than the corridor tries again.
        call: The attempt.
        first: The first that was struck; None as long as there was none.
    """
    if fault.site.meets(call):
        return fault.when.fits(call.arguments)
    return (
        fault.mode == "forever"
        and first is not None
        and (call.agent, call.kind, call.target) == (first.agent, first.kind, first.target)
        and call.arguments == first.arguments
    )


class FaultInjector:
    """One fault in one run; a middleware, to be made anew for each run.

    Guarantee: before_commit never enters the effect; after_commit enters it, and strikes
    only if it returns. duplicate_delivery enters it twice, the second time once the first is
    over, whatever that gave; the caller sees the first alone. late_reply enters it once, when
    the time of its kind is over, whoever still waits. What is delivered second or late is a
    task of the harness: no leftover of the run, and waited for when the run has ended. A call
    that is not meant passes untouched.

    Of several injectors the outermost strikes first: what it fails, none further in meets,
    and so one of them that strikes once strikes a later attempt.

    Attributes:
        fault: What it carries out.
        cancelled_at: Instant of the run's clock at which it cancelled the run, or None.
    """

    def __init__(self, fault: Fault) -> None:
        """Load.

        Raises:
            ValueError: The catalogue has no such kind, or says that the pair cannot happen.
        """
        self.fault = fault
        self._blows: list[tuple[str, int]] = []
        self.cancelled_at: float | None = None
        self._kind = kind_of(fault)
        self._strike = Strike(fault, self._kind, self._cancel)
        self._run: SimulatedRun | None = None
        self._first: Call | None = None
        self._fitted = 0

    @property
    def fired(self) -> int:
        """At how many attempts it has struck."""
        return len(self._blows)

    @property
    def struck(self) -> Struck:
        """What it met so far."""
        return Struck(self.fault, tuple(self._blows), self._kind.transient)

    def bind(self, run: SimulatedRun) -> None:
        """Learn which run this is; `simulate` tells."""
        self._run = run

    async def __call__(self, call: Call, call_next: CallNext) -> Any:
        """Strike, or let the call pass.

        Raises:
            Exception: The fault's error, of the class the real seam raises.
        """
        if not self._is_due(call):
            return await call_next(call)
        self._first = self._first or call
        try:
            return await self._carry_out(call, call_next)
        finally:
            if not self._blows:  # there was nothing to strike, so the next attempt is the first
                self._first = None

    async def _carry_out(self, call: Call, call_next: CallNext) -> Any:
        act = ACTS.get(self._kind.does)
        if act is None:
            return await self._rewrite(call, call_next)
        if self.fault.phase == "before_commit":
            await self._do(act, call)
            return await call_next(call)
        if self.fault.phase == "duplicate_delivery":
            return await self._deliver_twice(act, call, call_next)
        if self.fault.phase == "late_reply":
            return await self._deliver_late(act, call, call_next)
        return await self._lose(act, call, call_next)

    def _is_due(self, call: Call) -> bool:
        """Count an attempt that is meant, and say whether it is to be struck."""
        is_over = self.fault.mode == "once" and self._first is not None  # also for nested calls
        if is_over or not is_meant(self.fault, call, self._first):
            return False
        self._fitted += 1
        when = self.fault.when
        return when.has_come(self._fitted) and when.is_drawn(self._choose)

    async def _do(self, act: Act, call: Call) -> None:
        self._blows.append((call.call_id, call.attempt))
        await act(self._strike)

    async def _lose(self, act: Act, call: Call, call_next: CallNext) -> Any:
        value = await call_next(call)
        try:
            await self._do(act, call)
        except BaseException:
            await _discard(value)
            raise
        return value

    async def _deliver_twice(self, act: Act, call: Call, call_next: CallNext) -> Any:
        self._blows.append((call.call_id, call.attempt))

        async def again() -> None:
            await act(self._strike)
            await _discard(await call_next(call))

        try:
            value = await call_next(call)
        except Exception:
            self._bound.aside(again)
            raise
        self._bound.aside(again)
        return value

    async def _deliver_late(self, act: Act, call: Call, call_next: CallNext) -> Any:
        self._blows.append((call.call_id, call.attempt))
        fails = self._kind.error is not None
        seconds = self._kind.seconds(self.fault) + (LATE if fails else 0.0)

        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        async def late() -> None:
            await asyncio.sleep(seconds)
            try:
                reply.set_result(await call_next(call))
            except Exception as error:
                reply.set_exception(error)
                reply.exception()  # retrieved: mostly nobody waits for it any more

        self._bound.aside(late)
        if fails:
            await act(self._strike)
        return await asyncio.shield(reply)

    async def _rewrite(self, call: Call, call_next: CallNext) -> Any:
        answer = await call_next(call)
        if isinstance(answer, Stream):
            async for _ in answer:  # what is to be spoiled is the whole
                pass
            answer = answer.whole
        spoiled = REWRITES[self._kind.does](answer)
        if spoiled is not answer:
            self._blows.append((call.call_id, call.attempt))
        return spoiled

    @property
    def _bound(self) -> SimulatedRun:
        if self._run is None:
            unbound = RuntimeError(f"{self.fault} must know its run: simulate it, or call `bind`")
            raise mark_permanent(unbound)
        return self._run

    def _choose(self, n: int) -> int:
        return self._bound.choose(f"fault:{self.fault.site.alias}/{self.fault.kind}", n)

    def _cancel(self) -> None:
        run = self._bound
        scope = current_scope()
        now = 0.0 if scope is None else scope.run.now()
        if run.cancel():
            self.cancelled_at = now
        else:
            self._blows.pop()  # the run had ended: a task it left behind made this call


async def _discard(reply: Any) -> None:
    """Nobody gets this reply; one that comes in pieces must be closed."""
    if isinstance(reply, Stream):
        await reply.aclose()
