"""Timers: a stable order, no memory of the cancelled, and no instant that is none."""

import asyncio
from collections.abc import Iterator
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape_harness.simulation import SimLoop
from robotape_harness.simulation.timers import Timers

LOOP = SimLoop()


@pytest.fixture(scope="module", autouse=True)
def close_loop() -> Iterator[None]:
    yield
    LOOP.close()


def timer(name: int) -> asyncio.TimerHandle:
    return asyncio.TimerHandle(0.0, print, (name,), LOOP)


@given(st.lists(st.integers(0, 5)))
def test_timers_fire_by_instant_and_then_in_the_order_of_setting(instants: list[int]) -> None:
    timers = Timers()
    handles = [timer(number) for number in range(len(instants))]
    for instant, handle in zip(instants, handles, strict=True):
        timers.add(instant, handle)
    stable = sorted(range(len(instants)), key=lambda number: instants[number])
    expected = [handles[number] for number in stable]
    assert [handle for _, handle in timers.pending()] == expected
    fired = list(timers.pop_due(5.0))
    assert len(fired) == len(expected)
    assert all(a is b for a, b in zip(fired, expected, strict=True))
    assert len(timers) == 0


def test_only_what_is_due_is_taken() -> None:
    timers = Timers()
    soon, later = timer(1), timer(2)
    timers.add(1.0, soon)
    timers.add(1.0 + 1e-9, later)
    assert [handle is soon for handle in timers.pop_due(1.0)] == [True]
    assert timers.next_at() == 1.0 + 1e-9


def test_a_cancelled_timer_is_not_next() -> None:
    timers = Timers()
    handle = timer(1)
    timers.add(1.0, handle)
    handle.cancel()
    assert timers.next_at() == inf
    assert list(timers.pop_due(2.0)) == []


def test_many_cancelled_timers_do_not_pile_up() -> None:
    timers = Timers()
    kept = []
    for number in range(10_000):
        handle = timer(number)
        timers.add(number, handle)
        if number % 10:
            handle.cancel()
            timers.note_cancelled()
        else:
            kept.append(handle)
    assert len(timers) < 2_200
    assert all(a is b for a, b in zip(kept, timers.pop_due(inf), strict=True))


def test_an_instant_is_a_number() -> None:
    with pytest.raises(ValueError, match="NaN"):
        Timers().add(float("nan"), timer(1))
