"""Priorities: the highest one steps, until it falls."""

from hypothesis import given, settings
from hypothesis import strategies as st

from robotape_harness.simulation import Choices, Pct, SimLoop
from tests.harness.simulation.orders import run_order

SEEDS = range(40)
HORIZON = 60


def test_priorities_keep_a_task_running_until_it_falls() -> None:
    """With one priority each and no fall, every task runs through once it is its turn."""
    for seed in SEEDS:
        order = run_order(SimLoop(Choices.seeded(seed), schedule=Pct(1, HORIZON)))
        assert order == [name for name in order[::3] for _ in range(3)]
    falls = [run_order(SimLoop(Choices.seeded(seed), schedule=Pct(2, 20))) for seed in SEEDS]
    assert any(order != [name for name in order[::3] for _ in range(3)] for order in falls)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40), st.integers(1, 5))
def test_the_task_of_highest_priority_steps(seed: int, number: int, depth: int) -> None:
    """Without falls, whoever steps outranks all who are ready: the order never goes back."""
    order = run_order(SimLoop(Choices.seeded(seed), schedule=Pct(1, depth)), number)
    assert order[::3] == list(dict.fromkeys(order))
    assert sorted(order) == sorted([*range(number)] * 3)
