"""Entropy: a stream for each use, so that none shifts another; a function of the seed alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape_harness.simulation.entropy import Entropy


@given(st.integers(min_value=0, max_value=2**64))
def test_the_same_seed_is_the_same_chance(seed: int) -> None:
    first, second = Entropy(seed), Entropy(seed)
    assert first.shared.random() == second.shared.random()
    assert first.bytes(16) == second.bytes(16)
    assert first.seed() == second.seed()


def test_control_another_seed_is_another_chance() -> None:
    assert Entropy(0).bytes(16) != Entropy(1).bytes(16)


def test_one_use_shifts_no_other() -> None:
    plain, busy = Entropy(0), Entropy(0)
    busy.bytes(100)
    busy.seed()
    assert plain.shared.random() == busy.shared.random()


def test_threads_draw_apart_from_each_other_and_from_the_run() -> None:
    run = Entropy(0)
    streams = [run, run.of_thread(0), run.of_thread(1), run.of_thread(0).of_thread(1)]
    assert len({stream.bytes(8) for stream in streams}) == 4
    assert run.of_thread(1).bytes(8) == run.of_thread(1).bytes(8)


def test_a_negative_size_is_refused_as_the_system_does() -> None:
    assert Entropy(0).bytes(0) == b""
    with pytest.raises(ValueError, match="negative argument not allowed"):
        Entropy(0).bytes(-1)
