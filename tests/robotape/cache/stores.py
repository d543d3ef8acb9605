"""The laws that every store keeps, whatever is below it."""

import asyncio

from robotape.cache import CacheStore

__all__ = ["broken_laws"]


async def broken_laws(store: CacheStore) -> list[str]:
    """Put a store through what the protocol promises; name the promises that it breaks."""
    broken: list[str] = []

    def law(name: str, *, holds: bool) -> None:
        if not holds:
            broken.append(name)

    await store.clear()
    law("what was never set is not there", holds=await store.get("a") is None)
    await store.set("a", b"1", None)
    await store.set("b", b"\x00\xff", 100.0)
    both = await store.get("a"), await store.get("b")
    law("what was set is given back", holds=both == (b"1", b"\x00\xff"))
    await store.set("a", b"2", None)
    law("the last value set holds", holds=await store.get("a") == b"2")
    await store.delete("a")
    await store.delete("never there")
    law("what was deleted is gone", holds=await store.get("a") is None)
    law("deleting takes nothing else", holds=await store.get("b") == b"\x00\xff")
    await asyncio.gather(*[store.set(str(n), str(n).encode(), 50.0) for n in range(20)])
    got = await asyncio.gather(*[store.get(str(n)) for n in range(20)])
    law("many may use it at once", holds=got == [str(n).encode() for n in range(20)])
    await store.clear()
    law("what was cleared is gone", holds=await store.get("b") is None)
    return broken
