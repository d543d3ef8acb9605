"""Behaviours: what the faults do before and after an effect, one small function each, by name.

When a behaviour strikes, and in which phase, is the injector's business; what an answer is
spoiled to, `spoiled` knows.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from robotape_harness.faults.catalogue import Kind
from robotape_harness.faults.fault import Fault

__all__ = ["ACTS", "Act", "Strike"]

SETTLE = 1e-6  # virtual seconds, so that everything that is ready now has its turn before


@dataclass(frozen=True, slots=True)
class Strike:
    """One blow to one attempt.

    Attributes:
        fault: What is carried out.
        kind: What the catalogue says of it.
        cancel: Cancels the run.
    """

    fault: Fault
    kind: Kind
    cancel: Callable[[], object]


Act = Callable[[Strike], Awaitable[None]]
"""Stands before or behind an effect: raises in its place, or lets time pass."""


async def _fail(strike: Strike) -> None:
    raise strike.kind.raised(strike.fault)


async def _delay(strike: Strike) -> None:
    await asyncio.sleep(strike.kind.seconds(strike.fault))


async def _time_out(strike: Strike) -> None:
    """Say nothing for a while, then fail; a shorter timeout of the call's own comes first."""
    await _delay(strike)
    await _fail(strike)


async def _cancel(strike: Strike) -> None:
    """Cancel the run, and wait here until the cancellation arrives.

    It may have to go through task groups first, one step each. Where the agent shields
    the call it never arrives, and the call goes on as it would.
    """
    strike.cancel()
    await asyncio.sleep(SETTLE)


ACTS: dict[str, Act] = {
    "cancel": _cancel,
    "delay": _delay,
    "fail": _fail,
    "repeat": _delay,  # what comes between the two deliveries; the second is the phase's doing
    "time_out": _time_out,
}
