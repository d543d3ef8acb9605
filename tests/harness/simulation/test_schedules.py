"""Schedules: first in, first out unless the choices say otherwise; races come to light."""

import asyncio
from statistics import median

import pytest

from robotape_harness.simulation import (
    Choices,
    Fifo,
    Pct,
    PreemptionBounded,
    Schedule,
    SimLoop,
    Sticky,
    Uniform,
)
from robotape_harness.simulation.line import PATIENCE
from tests.harness.simulation.orders import run_order

SEEDS = range(40)
HORIZON = 60
SCHEDULES: tuple[Schedule, ...] = (
    Fifo(),
    Uniform(),
    Sticky(),
    Pct(1, HORIZON),
    Pct(4, HORIZON),
    PreemptionBounded(0, HORIZON),
    PreemptionBounded(3, HORIZON),
)
schedules = pytest.mark.parametrize("schedule", SCHEDULES, ids=str)


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


@pytest.mark.parametrize("lenient", [True, False])
def test_an_empty_recording_is_first_in_first_out(lenient: bool) -> None:
    zeros = Choices.replay((), lenient=lenient)
    assert run_order(SimLoop(zeros)) == run_order(SimLoop())
    assert len(zeros) == 0


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


def busy_order(loop: SimLoop) -> list[object]:
    """Everything at once: steps, callbacks, locks, a queue, timers, tasks made on the way."""
    told: list[object] = []
    lock = asyncio.Lock()
    queue: asyncio.Queue[int] = asyncio.Queue(2)

    async def worker(name: int) -> None:
        for turn in range(3):
            async with lock:
                told.append((name, turn))
                await asyncio.sleep(0)
            loop.call_soon(told.append, f"called by {name}")
            await queue.put(name)
            await asyncio.sleep(turn)

    async def drain() -> None:
        for _ in range(12):
            told.append(await queue.get())

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for name in range(4):
                group.create_task(worker(name))
            await asyncio.sleep(0)
            group.create_task(drain())

    loop.run_until_complete(main())
    told.append(loop.steps)
    loop.close()
    return told


@schedules
def test_recorded_choices_replay_without_the_schedule(schedule: Schedule) -> None:
    for seed in SEEDS:
        first = SimLoop(Choices.seeded(seed), schedule=schedule)
        told = busy_order(first)
        recorded = first.choices.recorded
        for other in (None, Fifo(), Pct(3, 9)):
            again = SimLoop(Choices.replay(recorded), schedule=other)
            assert busy_order(again) == told
            assert again.choices.recorded == recorded
            assert again.choices.unused == 0


@schedules
def test_every_schedule_runs_every_task_to_its_end(schedule: Schedule) -> None:
    for seed in SEEDS:
        told = busy_order(SimLoop(Choices.seeded(seed), schedule=schedule))
        assert sorted(entry for entry in told if isinstance(entry, tuple)) == [
            (name, turn) for name in range(4) for turn in range(3)
        ]


@schedules
def test_a_task_that_polls_does_not_keep_the_others_from_running(schedule: Schedule) -> None:
    async def main() -> None:
        done = False

        async def poll() -> None:
            while not done:
                await asyncio.sleep(0)

        async def finish() -> None:
            nonlocal done
            for _ in range(5):
                await asyncio.sleep(0)
            done = True

        await asyncio.gather(poll(), poll(), finish(), poll())

    for seed in SEEDS:
        loop = SimLoop(Choices.seeded(seed), schedule=schedule, idle_step_limit=40 * PATIENCE)
        loop.run_until_complete(main())
        loop.close()


@pytest.mark.parametrize("number", range(4))
def test_a_bounded_schedule_makes_so_many_preemptions_and_no_more(number: int) -> None:
    made = []
    for seed in SEEDS:
        loop = SimLoop(Choices.seeded(seed), schedule=PreemptionBounded(number, 10))
        run_order(loop)
        made.append(loop.preemptions)
    assert max(made) == number
    assert median(made) >= number - 1


def test_first_in_first_out_makes_no_preemption_and_uniform_many() -> None:
    fifo, uniform = SimLoop(Choices.seeded(3), schedule=Fifo()), SimLoop(Choices.seeded(3))
    run_order(fifo)
    run_order(uniform)
    assert fifo.preemptions == 0
    assert 3 < uniform.preemptions < len(uniform.choices)
