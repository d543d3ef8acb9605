"""Schedules: first in, first out unless the choices say otherwise; races come to light."""

import asyncio

from robotape_harness.simulation import Choices, Fifo, SimLoop, Uniform
from robotape_harness.simulation.schedules import schedule_for

SEEDS = range(40)


def run_order(loop: SimLoop, number: int = 6) -> list[int]:
    order: list[int] = []

    async def worker(name: int) -> None:
        for _ in range(3):
            order.append(name)
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(*map(worker, range(number)))

    loop.run_until_complete(main())
    loop.close()
    return order


def lost_update(loop: SimLoop) -> int:
    """Two deposits, each read, paused and written; the second one starts a hop later."""
    balance = 0

    async def deposit(hops: int) -> None:
        nonlocal balance
        for _ in range(hops):
            await asyncio.sleep(0)
        before = balance
        await asyncio.sleep(0)
        balance = before + 1

    async def main() -> None:
        await asyncio.gather(deposit(0), deposit(2))

    loop.run_until_complete(main())
    loop.close()
    return balance


def test_same_seed_same_order() -> None:
    for seed in SEEDS:
        assert run_order(SimLoop(Choices.seeded(seed))) == run_order(SimLoop(Choices.seeded(seed)))


def test_control_other_seed_other_order() -> None:
    orders = {tuple(run_order(SimLoop(Choices.seeded(seed)))) for seed in SEEDS}
    assert len(orders) == len(SEEDS)


def test_benign_choices_keep_first_in_first_out() -> None:
    assert run_order(SimLoop()) == [*range(6)] * 3


def test_all_choices_zero_is_first_in_first_out() -> None:
    zeros = Choices.replay((), lenient=True)
    assert run_order(SimLoop(zeros)) == run_order(SimLoop())
    assert len(zeros) > 0


def test_fifo_asks_nothing_of_a_seed() -> None:
    choices = Choices.seeded(1)
    assert run_order(SimLoop(choices, schedule=Fifo())) == run_order(SimLoop())
    assert len(choices) == 0


def test_uniform_picks_each_waiting_task_first_about_as_often() -> None:
    firsts = [run_order(SimLoop(Choices.seeded(seed)), 4)[0] for seed in range(400)]
    assert all(70 < firsts.count(task) < 130 for task in range(4))


def test_a_lost_update_is_found_by_some_seed() -> None:
    balances = [lost_update(SimLoop(Choices.seeded(seed))) for seed in SEEDS]
    assert 1 in balances
    assert 2 in balances


def test_control_the_lost_update_is_hidden_from_first_in_first_out() -> None:
    assert lost_update(SimLoop()) == 2


def test_replayed_choices_give_the_same_order() -> None:
    for seed in SEEDS:
        first = SimLoop(Choices.seeded(seed))
        order = run_order(first)
        again = SimLoop(Choices.replay(first.choices.recorded))
        assert run_order(again) == order
        assert again.choices.unused == 0


def test_deviations_are_counted_and_fifo_has_none() -> None:
    benign, seeded = SimLoop(), SimLoop(Choices.seeded(3))
    run_order(benign)
    run_order(seeded)
    assert benign.deviations == 0
    assert 0 < seeded.deviations <= len(seeded.choices) <= seeded.steps


def test_the_schedule_follows_from_the_choices() -> None:
    assert schedule_for(Choices.benign()) == Fifo()
    assert schedule_for(Choices.seeded(1)) == schedule_for(Choices.replay(())) == Uniform()
