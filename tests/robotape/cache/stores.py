"""The laws that every store keeps, whatever is below it."""

import asyncio

import pytest

from robotape.cache import CacheStore

__all__ = ["keeps_the_laws"]


async def keeps_the_laws(store: CacheStore) -> None:
    """Put a store through what the protocol promises."""
    await store.clear()
    assert await store.get("a") is None
    await store.set("a", b"1", None)
    await store.set("b", b"\x00\xff", 100.0)
    assert (await store.get("a"), await store.get("b")) == (b"1", b"\x00\xff")
    await store.set("a", b"2", None)
    assert await store.get("a") == b"2"
    await store.delete("a")
    await store.delete("never there")
    assert (await store.get("a"), await store.get("b")) == (None, b"\x00\xff")
    await asyncio.gather(*[store.set(str(n), str(n).encode(), 50.0) for n in range(20)])
    got = await asyncio.gather(*[store.get(str(n)) for n in range(20)])
    assert got == [str(n).encode() for n in range(20)]
    await store.clear()
    assert await store.get("b") is None
    with pytest.raises(AssertionError):  # control: the laws bite
        assert await store.get("b") == b"\x00\xff"
