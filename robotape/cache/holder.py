"""Who holds what is cached: the run, and outside any run the event loop; nobody else."""

import asyncio
from weakref import ref

from robotape.cache.keys import Identities
from robotape.cache.rule import Caching
from robotape.cache.shelf import Shelf
from robotape.runtime import Scope

__all__ = ["Cache", "cache_at"]

_IN_RUN = "cache"
# An attribute, not a weak dictionary: an answer that refers to its loop would keep that
# loop, and so itself, in there for ever.
_ON_LOOP = "robotape_cache"


class Cache:
    """All that is cached in one run, or outside any run on one event loop.

    Guarantee: nothing in it is seen from another run or loop, and it ends with its own.

    Attributes:
        identities: Numbers of objects that are part of keys.
        shelves: By the token of their rule.
    """

    __slots__ = ("_loop", "_rules", "identities", "shelves")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin empty."""
        self._loop = ref(loop)
        self._rules: dict[int, ref[Caching]] = {}
        self.shelves: dict[int, Shelf] = {}
        self.identities = Identities()

    def is_of(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether it was begun on that loop."""
        return self._loop() is loop

    def shelf(self, rule: Caching) -> Shelf:
        """The shelf of a rule; it goes when the rule does."""
        shelf = self.shelves.get(rule.token)
        if shelf is None:
            shelf = Shelf(rule.maxsize, rule.ttl, rule.store, rule.reported)
            self.shelves[rule.token] = shelf
            self._rules[rule.token] = ref(rule, _Forgetting(self, rule.token))
        return shelf


def cache_at(scope: Scope | None) -> Cache:
    """The cache of the run one stands in, or of the running loop; made at first use.

    Raises:
        RuntimeError: No event loop is running.
    """
    loop = asyncio.get_running_loop()
    cache: Cache | None
    if scope is None:
        cache = getattr(loop, _ON_LOOP, None)
        if cache is None:
            cache = Cache(loop)
            setattr(loop, _ON_LOOP, cache)
        return cache
    state = scope.run.state
    cache = state.get(_IN_RUN)
    # A run that was begun outside any loop may see several.
    if cache is None or not cache.is_of(loop):
        cache = state[_IN_RUN] = Cache(loop)
    return cache


class _Forgetting:
    """Takes a shelf away when its rule has gone; does not keep the cache alive."""

    __slots__ = ("_rules", "_shelves", "_token")

    def __init__(self, cache: Cache, token: int) -> None:
        self._shelves, self._rules, self._token = cache.shelves, cache._rules, token

    def __call__(self, _: object) -> None:
        self._shelves.pop(self._token, None)
        self._rules.pop(self._token, None)
