"""The store in memory: bounded, timed by the calendar, shared on purpose."""

import asyncio

import pytest

from robotape.cache import CacheStore, MemoryStore
from robotape_harness.simulation import SimLoop
from tests.robotape.cache.stores import broken_laws


def test_it_keeps_the_laws() -> None:
    assert asyncio.run(broken_laws(MemoryStore())) == []


def test_control_the_laws_see_a_store_that_breaks_them() -> None:
    class Hoarding(MemoryStore):
        async def delete(self, key: str) -> None: ...

        async def clear(self) -> None: ...

    class Stubborn(MemoryStore):
        async def set(self, key: str, value: bytes, ttl: float | None) -> None:
            if await self.get(key) is None:
                await super().set(key, value, ttl)

    assert asyncio.run(broken_laws(Hoarding())) == [
        "what was deleted is gone",
        "what was cleared is gone",
    ]
    assert asyncio.run(broken_laws(Stubborn())) == ["the last value set holds"]


def test_two_loops_share_it() -> None:
    store: CacheStore = MemoryStore()
    asyncio.run(store.set("a", b"1", None))
    assert asyncio.run(store.get("a")) == b"1"


def test_the_least_recently_used_goes_first() -> None:
    async def main() -> list[bytes | None]:
        store = MemoryStore(maxsize=2)
        await store.set("a", b"a", None)
        await store.set("b", b"b", None)
        await store.get("a")
        await store.set("c", b"c", None)
        assert len(store) == 2
        return [await store.get(key) for key in "abc"]

    assert asyncio.run(main()) == [b"a", None, b"c"]


def test_no_room_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="maxsize must be >= 1"):
        MemoryStore(maxsize=0)


class Calendar(SimLoop):
    """A simulated loop whose calendar goes with its clock."""

    def robotape_wall_clock(self) -> float:
        return 1_700_000_000.0 + self.time()


@pytest.mark.parametrize(("wait", "is_there"), [(9.999, True), (10.0, False)])
def test_a_value_is_gone_at_its_time(wait: float, is_there: bool) -> None:
    async def main() -> bool:
        store = MemoryStore()
        await store.set("a", b"1", 10.0)
        await asyncio.sleep(wait)
        return await store.get("a") is not None

    with asyncio.Runner(loop_factory=Calendar) as runner:
        assert runner.run(main()) == is_there
