"""The injector: carries one fault out on the calls of one run.

Deciding is pure (`is_due`); what is done to a call, `behaviours` knows.
"""

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

__all__ = ["FaultInjector", "Struck", "is_due"]


class Cancellable(Protocol):
    """A run as far as an injector needs it."""

    def cancel(self) -> bool:
        """Cancel the run; False if it has ended already."""
        ...


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault, and what it met in one run.

    Attributes:
        fault: What was planned.
        attempts: (call id, attempt) of each blow, in order; empty if it never happened.
        transient: Whether its error may pass; None where it raises none.
    """

    fault: Fault
    attempts: tuple[tuple[str, int], ...] = ()
    transient: bool | None = None


def is_due(fault: Fault, call: Call, struck_id: str | None) -> bool:
    """Whether a fault is to strike an attempt.

    Args:
        fault: Once means the first attempt of the first call at its site; for ever means
            every attempt of every call there, the re-asks of a turn included.
        call: The attempt.
        struck_id: Id of the first call at the site; None as long as there was none.
    """
    if call.kind != fault.site.boundary or not fault.site.covers(call.call_id):
        return False
    if fault.mode == "forever":
        return True
    return call.attempt == 1 and struck_id in (None, call.call_id)


class FaultInjector:
    """One fault in one run; a middleware, to be made anew for each run.

    Guarantee: before_commit never enters the effect; after_commit enters it, and strikes
    only if it returns. A call that is not meant passes untouched.

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
        self._run: Cancellable | None = None
        self._first_id: str | None = None
        self._first: Call | None = None

    @property
    def fired(self) -> int:
        """At how many attempts it has struck."""
        return len(self._blows)

    @property
    def struck(self) -> Struck:
        """What it met so far."""
        return Struck(self.fault, tuple(self._blows), self._kind.transient)

    def bind(self, run: Cancellable) -> None:
        """Learn which run to cancel; `simulate` tells."""
        self._run = run

    async def __call__(self, call: Call, call_next: CallNext) -> Any:
        """Strike, or let the call pass.

        Raises:
            Exception: The fault's error, of the class the real seam raises.
        """
        is_over = self.fault.mode == "once" and self._first is not None  # also for nested calls
        is_due_here = is_due(self.fault, call, self._first_id) or self._asks_again(call)
        if is_over or not is_due_here:
            return await call_next(call)
        self._first = self._first or call
        self._first_id = self._first.call_id
        act = ACTS.get(self._kind.does)
        if act is None:
            return await self._rewrite(call, call_next)
        if self.fault.phase == "before_commit":
            await self._do(act, call)
            return await call_next(call)
        value = await call_next(call)
        await self._do(act, call)
        return value

    def _asks_again(self, call: Call) -> bool:
        """Whether a call repeats the struck one under another id, as an agent's own loop does.

        What fails for ever does not pass because somebody else than the corridor tries again.
        """
        first = self._first
        return (
            self.fault.mode == "forever"
            and first is not None
            and (call.agent, call.kind, call.target) == (first.agent, first.kind, first.target)
            and call.arguments == first.arguments
        )

    async def _do(self, act: Act, call: Call) -> None:
        self._blows.append((call.call_id, call.attempt))
        await act(self._strike)

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

    def _cancel(self) -> None:
        if self._run is None:
            unbound = RuntimeError("a cancellation must know its run: simulate it, or call `bind`")
            raise mark_permanent(unbound)
        scope = current_scope()
        now = 0.0 if scope is None else scope.run.now()
        if self._run.cancel():
            self.cancelled_at = now
        else:
            self._blows.pop()  # the run had ended: a task it left behind made this call
