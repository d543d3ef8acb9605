"""Marks: places in user code that a simulation may switch or watch; outside one they do nothing.

They know no campaign: whoever simulates puts a listener on its event loop.
"""

import asyncio
from typing import Any

__all__ = ["reachable", "sometimes"]

LISTENER = "robotape_marks"
"""Attribute of the event loop that hears of marks; it has `sometimes` and `reachable`."""


def sometimes(name: str) -> bool:
    """Whether a fault of the caller's own shall happen here, now.

    Guarantee: False outside a simulation, at the cost of one attribute lookup, so that it may
    stay in code that is deployed. In a simulation some runs answer True at some of the times it is
    asked, from the run's choices, so that they replay; a campaign tells which marks were never
    True.

    Args:
        name: Of the fault, such as `cache_miss`; a constant, unique in the program.

    Example:
        >>> from robotape.marks import sometimes
        >>> cache = {"42": "paid"}
        >>> None if sometimes("cache_miss") else cache.get("42")
        'paid'

    Source:
        FoundationDB's BUGGIFY, which is false outside its simulation.
    """
    listener = _listener()
    return False if listener is None else bool(listener.sometimes(name))


def reachable(name: str) -> None:
    """Mark a place that a campaign should come by; one that never does says so.

    Args:
        name: Of the place, such as `gave_up_on_refund`; a constant, unique in the program.

    Source:
        Antithesis: an assertion that is never reached fails as one that is false does.
    """
    listener = _listener()
    if listener is not None:
        listener.reachable(name)


def _listener() -> Any:
    try:
        return getattr(asyncio.get_running_loop(), LISTENER, None)
    except RuntimeError:
        return None
