"""The rule of a cache refuses what makes no sense where it is written, not at the first call."""

from typing import Any

import pytest

from robotape.cache import Caching, MemoryStore


@pytest.mark.parametrize("maxsize", [0, -1, True, 1.5, None, "10"])
def test_a_cache_is_bounded(maxsize: Any) -> None:
    with pytest.raises(ValueError, match="maxsize must be a whole number >= 1"):
        Caching(maxsize=maxsize)


@pytest.mark.parametrize("ttl", [0, -1, float("inf"), float("nan")])
def test_a_time_to_live_is_positive_and_finite(ttl: float) -> None:
    with pytest.raises(ValueError, match="ttl must be > 0 s"):
        Caching(ttl=ttl)


def test_what_is_no_store_is_refused() -> None:
    store: Any = {}
    with pytest.raises(TypeError, match="no store: it has no set, delete"):
        Caching(store=store)


def test_control_every_store_will_do_and_two_rules_are_never_one() -> None:
    store = MemoryStore()
    one, other = Caching(1, 0.5, store), Caching(1, 0.5, store)
    assert one != other
    assert one.token != other.token
