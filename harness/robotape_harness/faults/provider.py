"""A provider that a fleet shares: it answers so many requests a second, and has an outage.

It stands where the faults stand, before the effect; what a fleet makes of it, oracles judge.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

from robotape.calls import Call, CallNext, Kind
from robotape.errors import OverloadedError
from robotape_harness.faults.fault import Fault, Site
from robotape_harness.faults.inject import Struck

__all__ = ["Outage", "Provider", "SharedProvider"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A time in which a provider does nothing.

    Attributes:
        at: Virtual second at which it begins; >= 0.
        seconds: How long it lasts; > 0.
        manner: `refuse`: what is asked fails at once. `stall`: what is asked waits in the
            provider's queue, whoever still waits for the answer.
    """

    at: float = 20.0
    seconds: float = 10.0
    manner: Literal["refuse", "stall"] = "refuse"

    def __post_init__(self) -> None:
        if self.at < 0 or self.seconds <= 0:
            raise ValueError(f"want at >= 0 s and seconds > 0 s, got {self.at}, {self.seconds}")

    @property
    def until(self) -> float:
        """The second at which it is over."""
        return self.at + self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """What a provider can do.

    Attributes:
        kind: Which calls go to it.
        target: Name of the tool, or of the model; empty for all of that kind.
        capacity: Requests a second that it works through, one after the other; > 0. A request
            that nobody waits for any more is worked through all the same.
    """

    kind: Kind = "tool"
    target: str = ""
    capacity: float = 100.0

    def __post_init__(self) -> None:
        if self.capacity <= 0:
            raise ValueError(f"capacity must be > 0 requests/s, got {self.capacity}")

    def takes(self, call: Call) -> bool:
        """Whether a call goes to it."""
        return call.kind == self.kind and self.target in ("", call.target)


class SharedProvider:
    """A provider at work in one simulated run; a middleware, to be made anew for each run.

    Attributes:
        provider: What it can do.
        outage: When it does not; None for a run without.
    """

    def __init__(self, provider: Provider, outage: Outage | None = None) -> None:
        """Open for business."""
        self.provider = provider
        self.outage = outage
        self._free_at = 0.0
        self._blows: list[tuple[str, int]] = []

    async def __call__(self, call: Call, call_next: CallNext) -> Any:
        """Let a request wait for its turn.

        Raises:
            OverloadedError: For a model, during an outage that refuses.
            ConnectionRefusedError: For a tool, the same.
        """
        if not self.provider.takes(call):
            return await call_next(call)
        now = asyncio.get_running_loop().time()
        outage = self.outage
        if outage is not None and outage.at <= now < outage.until:
            self._blows.append((call.call_id, call.attempt))
            if outage.manner == "refuse":
                raise _refusal(call)
            self._free_at = max(self._free_at, outage.until)
        self._free_at = max(self._free_at, now) + 1 / self.provider.capacity
        await asyncio.sleep(self._free_at - now)
        return await call_next(call)

    @property
    def struck(self) -> tuple[Struck, ...]:
        """The outage as a fault, and what it met so far; empty without one."""
        if self.outage is None:
            return ()
        provider, outage = self.provider, self.outage
        alias = f"{provider.kind}:{provider.target}" if provider.target else provider.kind
        fault = Fault(
            f"outage_{outage.manner}",
            Site("llm" if provider.kind == "llm" else "tool", alias, f"provider of {alias}"),
            "before_commit",
            "once",
            {"at": outage.at, "until": outage.until},
        )
        return (Struck(fault, tuple(self._blows), transient=True),)


def _refusal(call: Call) -> Exception:
    error: Exception
    if call.kind == "llm":
        error = OverloadedError("529: overloaded", status=529)
    else:
        error = ConnectionRefusedError("connection refused: the provider is down")
    error.add_note("robotape: injected by an outage of the provider")
    return error
