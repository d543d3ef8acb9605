"""Who holds what is cached: one run, or one loop; nothing is seen from another."""

import asyncio
import gc
import weakref

import pytest

from robotape.cache import Cache, Caching, cache_at
from robotape.runtime import Run, Scope
from tests.laws.scripts import simulated


async def here(scope: Scope | None = None) -> Cache:
    return cache_at(scope)


def test_a_run_has_one_and_a_loop_has_one() -> None:
    async def main() -> None:
        one, other = Scope(Run(1)), Scope(Run(1))
        assert await here(one) is await here(one.inner("inside")) is await here(one)
        assert await here() is await here()
        assert len({id(await here(scope)) for scope in (one, other, None)}) == 3

    asyncio.run(main())


def test_two_loops_have_two_also_for_a_run_that_spans_them() -> None:
    scope = Scope(Run(1))
    kept = [
        asyncio.run(here(scope)),
        asyncio.run(here(scope)),
        asyncio.run(here()),
        simulated(here()),
    ]
    assert len(set(map(id, kept))) == 4


def test_without_a_loop_there_is_none() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        cache_at(None)


class Thing:
    pass


def test_it_ends_with_its_loop_even_if_an_answer_refers_to_that() -> None:
    async def main() -> "weakref.ref[Thing]":
        loop, thing = asyncio.get_running_loop(), Thing()
        vars(thing)["loop"] = loop
        await cache_at(None).shelf(RULE).fetch("k", lambda: asyncio.sleep(0, thing))
        return weakref.ref(thing)

    thing = asyncio.run(main())
    gc.collect()
    assert thing() is None


RULE = Caching()


def test_a_shelf_goes_with_its_rule() -> None:
    async def main() -> int:
        cache, rule = cache_at(None), Caching()
        assert cache.shelf(rule) is cache.shelf(rule)
        assert cache.shelf(RULE) is not cache.shelf(rule)
        del rule
        gc.collect()
        return len(cache.shelves)

    assert asyncio.run(main()) == 1
