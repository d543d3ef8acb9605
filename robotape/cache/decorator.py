"""The decorator `cached`: an async function that is entered once for each question.

What a question is, `questions` says; keeping and sharing answers is the shelf's business.
"""

import inspect
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, Protocol, Self, TypeVar, cast, overload

from robotape.cache.holder import cache_at
from robotape.cache.questions import Questions
from robotape.cache.rule import Caching
from robotape.cache.shelf import CacheInfo, Shelf
from robotape.cache.store import CacheStore
from robotape.errors import RobotapeError
from robotape.runtime import current_scope

__all__ = ["CachedFunction", "cached"]

P = ParamSpec("P")
Q = ParamSpec("Q")
R_co = TypeVar("R_co", covariant=True)
S_contra = TypeVar("S_contra", contravariant=True)
T = TypeVar("T")

Function = Callable[P, Coroutine[Any, Any, T]]


class CachedFunction(Protocol[P, R_co]):
    """What `cached` makes of a function: called like it, as a method too."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R_co]:
        """Give the answer kept, or call the function."""

    def cache_info(self) -> CacheInfo:
        """What has happened so far in the run, or on the event loop, that asks."""

    def cache_clear(self) -> None:
        """Forget the answers kept in memory for the run, or the event loop, that asks.

        Raises:
            RobotapeError: They are kept in a store; it has a `clear` of its own.
        """

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(
        self: "CachedFunction[Concatenate[S_contra, Q], R_co]", instance: S_contra, owner: type
    ) -> "CachedFunction[Q, R_co]": ...


@overload
def cached(maxsize: Function[P, T], /) -> CachedFunction[P, T]: ...


@overload
def cached(
    maxsize: int = 100,
    ttl: float | None = None,
    store: CacheStore | None = None,
    key: Callable[..., object] | None = None,
) -> Callable[[Function[P, T]], CachedFunction[P, T]]: ...


def cached(
    maxsize: Any = 100,
    ttl: float | None = None,
    store: CacheStore | None = None,
    key: Callable[..., object] | None = None,
) -> Any:
    """Make an async function answer each question once.

    Guarantee: callers that ask the same at the same time share one call; one that is
    cancelled leaves the others alone; a failure goes to everybody who waited for it, and
    the next caller tries again. Answers are apart for each principal and, in memory, for
    each run, outside any run for each event loop. The function runs in a task of its own.

    A question is its arguments by name, equal in type and value; the instance of a method
    is part of it without being kept alive. A key is a digest: no argument can be read from
    it. Dicts, lists and sets are handed out as copies, objects of classes as they are.

    Args:
        maxsize: As `Caching.maxsize`; so `ttl` and `store`. A function alone, as in
            `@cached`, is cached with the defaults.
        key: Called with the arguments, gives what stands for all of them; also for methods.

    Raises:
        TypeError: The function is not an `async def`. Later, from a call: an argument cannot
            be told from another by its value; the text names the parameter.
        ValueError: A number is out of range; or a store is given for what the next process
            cannot recognise: a lambda, a function inside another, a method without `key`.

    Example:
        >>> import asyncio
        >>> @cached(ttl=60)
        ... async def square(x: int) -> int:
        ...     print("computing")
        ...     return x * x
        >>> async def main():
        ...     return await asyncio.gather(square(3), square(3), square(x=3))
        >>> asyncio.run(main())
        computing
        [9, 9, 9]
    """
    if callable(maxsize):
        return _decorated(maxsize, Caching(), None)
    Caching(maxsize, ttl, store)  # refused here, not where a function comes to it
    return lambda function: _decorated(function, Caching(maxsize, ttl, store), key)


def _decorated(
    function: Function[P, T], rule: Caching, key: Callable[..., object] | None
) -> CachedFunction[P, T]:
    name = getattr(function, "__qualname__", repr(function))
    if not inspect.iscoroutinefunction(function):
        raise TypeError(
            f"{name} is not an `async def`, which is all that cached() takes: for a plain function "
            "there is functools.lru_cache; streams are not cached; and @classmethod goes above"
        )
    questions, token = Questions(function, name, rule, key), rule.token
    alias_of = questions.alias if questions.has_aliases else None

    @wraps(function)
    async def ask(*args: P.args, **named: P.kwargs) -> Any:
        scope = current_scope()
        cache = cache_at(scope)
        shelf = cache.shelves.get(token) or cache.shelf(rule)
        principal = None if scope is None else scope.principal
        alias = alias_of and alias_of(principal, args, named)
        answer = alias and shelf.recall_as(alias)
        if answer:
            return answer.give()
        question = questions.key(principal, args, named)
        if alias and questions.is_told_by_alias(args, named):
            shelf.know_as(alias, question)
        # Not a lambda: it would make cells of the arguments, also for every hit.
        make = partial(function, *args, **named)
        return await shelf.fetch(question, make, questions.codec)

    vars(ask).update(
        cache_info=lambda: _info(rule),
        cache_clear=lambda: _clear(rule, name),
    )
    return cast("CachedFunction[P, T]", ask)


def _shelf(rule: Caching) -> Shelf | None:
    try:
        return cache_at(current_scope()).shelf(rule)
    except RuntimeError:  # outside any loop there is nothing
        return None


def _info(rule: Caching) -> CacheInfo:
    shelf = _shelf(rule)
    return CacheInfo(0, 0, rule.maxsize, 0) if shelf is None else shelf.info()


def _clear(rule: Caching, name: str) -> None:
    if rule.store is not None:
        raise RobotapeError(f"{name} has its answers in {rule.store!r}: await its clear()")
    shelf = _shelf(rule)
    if shelf is not None:
        shelf.clear()
