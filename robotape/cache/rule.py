"""How something is cached: how much, how long, where; it caches nothing itself."""

import math
from dataclasses import dataclass, field
from itertools import count

from robotape.cache.store import CacheStore

__all__ = ["Caching"]

_tokens = count()


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Caching:
    """How the answers of a function, a tool or a model are kept.

    Without a store they are kept in memory, and no longer than the run they were given in;
    outside any run, no longer than the event loop.

    Attributes:
        maxsize: Answers kept in memory, the least recently used going first; >= 1. A store
            has its own.
        ttl: Seconds for which an answer is given again, > 0; None for no limit. In memory
            by the run's clock, in a store by the calendar.
        store: Where answers outlive the run; None keeps them in memory.
        token: Tells it from all others in this process.
        reported: What of the store is known not to work, so that it is logged once.

    Raises:
        ValueError: A number is out of its range.
        TypeError: `store` is no store.

    Example:
        >>> Caching(ttl=60).maxsize
        100
    """

    maxsize: int = 100
    ttl: float | None = None
    store: CacheStore | None = None
    token: int = field(init=False, repr=False, default_factory=lambda: next(_tokens))
    reported: set[str] = field(init=False, repr=False, default_factory=set)

    def __post_init__(self) -> None:
        if type(self.maxsize) is not int or self.maxsize < 1:
            raise ValueError(f"maxsize must be a whole number >= 1, got {self.maxsize!r}")
        if self.ttl is not None and not 0 < self.ttl < math.inf:
            raise ValueError(f"ttl must be > 0 s and finite, or None for no limit, got {self.ttl}")
        missing = [name for name in ("get", "set", "delete", "clear") if self._lacks(name)]
        if missing:
            raise TypeError(f"{self.store!r} is no store: it has no {', '.join(missing)}")

    def _lacks(self, name: str) -> bool:
        return self.store is not None and not hasattr(self.store, name)
