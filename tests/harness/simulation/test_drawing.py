"""Drawing: what keeps its own state keeps it for the run, and what is seeded stays seeded."""

import sys
import uuid
from collections.abc import Callable
from random import Random
from typing import Any

from robotape_harness import SimLoop

random: Any = sys.modules["random"]
make: Any = sys.modules["uuid"]


def run(function: Callable[[], Any], seed: int = 0) -> Any:
    loop = SimLoop(seed=seed)

    async def main() -> Any:
        return function()

    try:
        return loop.run_until_complete(main())
    finally:
        loop.close()


def test_a_seed_that_code_gives_is_obeyed() -> None:
    def draw() -> tuple[float, float]:
        random.seed(42)
        return random.random(), Random(42).random()

    assert run(draw) == run(draw, 1) == (Random(42).random(), Random(42).random())


def test_the_state_can_be_taken_and_set() -> None:
    def draw() -> bool:
        state = random.getstate()
        first = random.random()
        random.setstate(state)
        return bool(random.random() == first)

    assert run(draw)


def test_reseeding_from_the_system_is_seeded_too() -> None:
    def draw() -> list[float]:
        random.seed()
        mine = Random(1)
        mine.seed(None)
        return [random.random(), mine.random()]

    assert run(draw) == run(draw) != run(draw, 1)


def test_generators_without_a_seed_differ_from_each_other() -> None:
    one, other = run(lambda: (Random().random(), Random().random()))
    assert one != other


def test_uuids_are_valid_distinct_and_in_order() -> None:
    found: list[uuid.UUID] = run(lambda: [make.uuid1() for _ in range(100)])
    assert len(set(found)) == 100
    assert [each.time for each in found] == sorted(each.time for each in found)
    assert {(each.version, each.variant) for each in found} == {(1, uuid.RFC_4122)}
    # The node is drawn, no hardware address: RFC 9562 sets its multicast bit.
    assert all(each.node >> 40 & 1 for each in found)
    # 100 ns since 1582, at virtual instant 0.
    assert found[0].time == (1_577_836_800 * 10**9) // 100 + 0x01B21DD213814000


def test_one_run_remembers_no_uuid_of_another() -> None:
    def draw() -> uuid.UUID:
        found: uuid.UUID = make.uuid1()
        return found

    before = make._last_timestamp
    assert run(draw) == run(draw)
    assert make._last_timestamp == before


def test_what_is_given_is_used() -> None:
    found = run(lambda: make.uuid1(node=5, clock_seq=7))
    assert (found.node, found.clock_seq) == (5, 7)
    assert run(lambda: make.uuid1(5, 7)) == found
