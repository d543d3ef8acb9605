"""Shelves: one call for many callers, a bounded number of answers, each for its time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic import TypeAdapter

from robotape.cache import CacheStoreError, MemoryStore
from robotape.cache.shelf import CacheInfo, Codec, Shelf
from robotape.cache.store import CacheStore
from robotape.secrets import keep_secret
from tests.laws.scripts import simulated

ANY: TypeAdapter[Any] = TypeAdapter(Any)
CODEC = Codec(ANY.dump_json, ANY.validate_json)


def shelf(maxsize: int = 3, ttl: float | None = None, store: CacheStore | None = None) -> Shelf:
    return Shelf(maxsize, ttl, store, set())


class Source:
    """Counts how often it is asked."""

    def __init__(self, delay: float = 0.0) -> None:
        self.asked = 0
        self.delay = delay

    def __call__(self, answer: Any = None) -> Callable[[], Awaitable[Any]]:
        async def make() -> Any:
            self.asked += 1
            number = self.asked
            if self.delay:
                await asyncio.sleep(self.delay)
            if isinstance(answer, Exception):
                raise answer
            return number if answer is None else answer

        return make


@pytest.mark.parametrize("store", [None, MemoryStore()], ids=["memory", "store"])
def test_a_thousand_callers_on_a_cold_key_make_one_call(store: CacheStore | None) -> None:
    source, kept = Source(0.1), shelf(store=store)

    async def main() -> set[int]:
        asked = [kept.fetch("k", source(), CODEC) for _ in range(1000)]
        return set(await asyncio.gather(*asked))

    assert simulated(main()) == {1}
    assert source.asked == 1
    assert kept.info()[:2] == (999, 1)


def test_control_other_keys_make_other_calls() -> None:
    source, kept = Source(0.1), shelf()

    async def main() -> set[int]:
        return set(await asyncio.gather(*[kept.fetch(str(n), source()) for n in range(5)]))

    assert simulated(main()) == {1, 2, 3, 4, 5}


@pytest.mark.parametrize(("wait", "is_fresh"), [(0, False), (9.999, False), (10, True), (11, True)])
def test_an_answer_lives_until_its_time_and_not_at_that_instant(
    wait: float, is_fresh: bool
) -> None:
    source, kept = Source(5), shelf(ttl=10)

    async def main() -> int:
        await kept.fetch("k", source())  # its time begins when it has come
        await asyncio.sleep(wait)
        answer: int = await kept.fetch("k", source())
        return answer

    assert simulated(main()) == (2 if is_fresh else 1)


def test_the_least_recently_used_goes_first_and_the_number_is_bounded() -> None:
    source, kept = Source(), shelf(maxsize=2)

    async def main() -> list[int]:
        for key in ("a", "b", "a", "c"):
            await kept.fetch(key, source())
        assert kept.info().currsize == 2
        return [await kept.fetch(key, source()) for key in ("a", "c", "b")]

    assert simulated(main()) == [1, 3, 4]


def test_failures_are_not_kept_and_go_to_all_who_waited() -> None:
    source, kept = Source(1), shelf()

    async def main() -> tuple[list[Any], int]:
        failing = [kept.fetch("k", source(ValueError("bad"))) for _ in range(3)]
        failed = await asyncio.gather(*failing, return_exceptions=True)
        return failed, await kept.fetch("k", source())

    failed, again = simulated(main())
    assert [str(error) for error in failed] == ["bad"] * 3
    assert again == 2
    assert kept.info() == CacheInfo(2, 2, 3, 1)


def test_after_the_last_was_cancelled_the_next_begins_anew() -> None:
    source, kept = Source(10), shelf()

    async def main() -> int:
        first = asyncio.create_task(kept.fetch("k", source()))
        await asyncio.sleep(1)
        first.cancel()
        await asyncio.sleep(0)
        answer: int = await kept.fetch("k", source())
        return answer

    assert simulated(main()) == 2
    assert kept.info().currsize == 1


def test_cleared_answers_are_gone_also_those_on_their_way() -> None:
    source, kept = Source(10), shelf()

    async def main() -> list[int]:
        first = asyncio.create_task(kept.fetch("k", source()))
        await asyncio.sleep(1)
        kept.clear()
        second = asyncio.create_task(kept.fetch("k", source()))
        return [await first, await second, await kept.fetch("k", source())]

    assert simulated(main()) == [1, 2, 2]


def test_who_asks_for_the_answer_being_computed_is_told_instead_of_waiting_for_ever() -> None:
    kept = shelf()

    async def make() -> Any:
        return await asyncio.create_task(kept.fetch("k", make))

    with pytest.raises(RecursionError, match="waits for its own answer"):
        simulated(kept.fetch("k", make))


def test_a_follower_waits_no_longer_than_its_timer() -> None:
    source, kept = Source(10), shelf()

    async def main() -> tuple[Any, Any, float]:
        leader = asyncio.create_task(kept.fetch("k", source()))
        await asyncio.sleep(1)
        with pytest.raises(TimeoutError):
            await kept.fetch("k", source(), timer=asyncio.timeout(2))
        at = asyncio.get_running_loop().time()
        return await leader, source.asked, at

    assert simulated(main()) == (1, 1, 3)


def test_an_alias_finds_its_answer_and_aliases_are_bounded() -> None:
    kept = shelf(maxsize=2)

    async def main() -> Any:
        await kept.fetch("k", Source()("x"))
        for number in range(100):
            kept.know_as((number, number), "k")
        assert len(kept._aliases) <= 8
        answer = kept.recall_as((99, 99))
        assert answer is not None
        assert kept.recall_as((0, 0)) is None
        return answer.give()

    assert simulated(main()) == "x"


def test_an_offered_answer_is_as_old_as_it_is() -> None:
    source, kept = Source(), shelf(ttl=10)

    async def main() -> list[Any]:
        await asyncio.sleep(8)
        kept.offer("k", "taped", came_at=0.0)
        early = await kept.fetch("k", source())
        await asyncio.sleep(2)
        return [early, await kept.fetch("k", source())]

    assert simulated(main()) == ["taped", 1]


# -- stores ----------------------------------------------------------------------------------------


class Broken:
    """A store of which nothing works while it is down."""

    def __init__(self) -> None:
        self.inner, self.is_down = MemoryStore(), True

    def __repr__(self) -> str:
        return "Broken()"

    def _check(self) -> None:
        if self.is_down:
            raise CacheStoreError("broken", "no")

    async def get(self, key: str) -> bytes | None:
        self._check()
        return await self.inner.get(key)

    async def set(self, key: str, value: bytes, ttl: float | None) -> None:
        self._check()
        await self.inner.set(key, value, ttl)

    async def delete(self, key: str) -> None:
        self._check()

    async def clear(self) -> None:
        self._check()


def test_a_store_outlives_its_shelf() -> None:
    store, source = MemoryStore(), Source()

    async def main() -> list[Any]:
        return [await shelf(store=store).fetch("k", source([1, {"a": 2}]), CODEC) for _ in "ab"]

    assert simulated(main()) == [[1, {"a": 2}]] * 2
    assert source.asked == 1


def test_a_store_that_fails_fails_no_call_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, source = Broken(), Source()
    kept = shelf(store=store)

    async def main() -> list[int]:
        seen = [await kept.fetch("k", source(), CODEC) for _ in range(3)]
        store.is_down = False
        seen += [await kept.fetch("k", source(), CODEC) for _ in range(2)]
        store.is_down = True
        return [*seen, await kept.fetch("k", source(), CODEC)]

    with caplog.at_level(logging.WARNING, "robotape.cache"):
        assert simulated(main()) == [1, 2, 3, 4, 4, 5]
    told = [record.getMessage() for record in caplog.records]
    once = ["cannot read Broken()", "cannot write Broken()"]
    assert [any(part in line for line in told) for part in once] == [True, True]
    assert len(told) == 4  # down twice, two operations each


@pytest.mark.parametrize("answer", [(1, 2), {1: "a"}, object(), {1, 2}, b"\xff"])
def test_what_json_does_not_give_back_is_not_stored(answer: Any) -> None:
    store, source = MemoryStore(), Source()
    kept = shelf(store=store)

    async def main() -> list[Any]:
        return [await kept.fetch("k", source(answer), CODEC) for _ in "ab"]

    assert simulated(main()) == [answer, answer]
    assert source.asked == 2
    assert len(store) == 0


def test_a_secret_never_gets_into_a_store(caplog: pytest.LogCaptureFixture) -> None:
    keep_secret("CANARY", "canary-in-an-answer")
    store, source = MemoryStore(), Source()
    kept = shelf(store=store)
    with caplog.at_level(logging.WARNING, "robotape.cache"):
        answer = simulated(kept.fetch("k", source({"key": "canary-in-an-answer"}), CODEC))
    assert answer == {"key": "canary-in-an-answer"}
    assert len(store) == 0
    assert "canary-in-an-answer" not in caplog.text
    assert "holds a secret" in caplog.text


def test_bytes_that_are_no_answer_are_dropped_and_the_call_is_made() -> None:
    store, source = MemoryStore(), Source()

    async def main() -> list[Any]:
        await store.set("k", b"{damaged", None)
        return [await shelf(store=store).fetch("k", source(), CODEC) for _ in "ab"]

    assert simulated(main()) == [1, 1]
