"""Schedules: first in, first out unless the choices say otherwise; races come to light."""

import asyncio
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robotape_harness.simulation import (
    Choice,
    Choices,
    DeadlockError,
    Fifo,
    Pct,
    PreemptionBounded,
    Schedule,
    SimLoop,
    Sticky,
    Uniform,
    portfolio,
)
from robotape_harness.simulation.line import PATIENCE
from robotape_harness.simulation.schedules import NEXT, ON, ORDER

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


def run_order(loop: SimLoop, number: int = 6) -> list[int]:
    order: list[int] = []

    async def worker(name: int) -> None:
        for _ in range(3):
            order.append(name)
            await asyncio.sleep(0)

    async def main() -> None:
        for task in [loop.create_task(worker(name)) for name in range(number)]:
            await task  # and no `gather`, whose callbacks would be barriers

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


def test_zeroed_choices_let_each_task_run_until_it_waits() -> None:
    loop = SimLoop(Choices.replay([Choice(ORDER, 2, 1)], lenient=True))
    assert run_order(loop) == [name for name in range(6) for _ in range(3)]
    assert loop.preemptions == 0


def test_one_recorded_preemption_is_one_preemption() -> None:
    recorded = [Choice(ORDER, 2, 1), Choice(ON, 6, 0), Choice(ON, 6, 5)]
    loop = SimLoop(Choices.replay(recorded, lenient=True))
    assert run_order(loop)[:6] == [0, 0, 5, 5, 5, 2]
    assert loop.preemptions == 1


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


def hidden(loop: SimLoop) -> bool:
    """Two tasks take two locks in opposite order; the second one starts four hops later."""
    first, second = asyncio.Lock(), asyncio.Lock()

    async def take(one: asyncio.Lock, other: asyncio.Lock, hops: int) -> None:
        for _ in range(hops):
            await asyncio.sleep(0)
        async with one:
            await asyncio.sleep(0)
            async with other:
                await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(take(first, second, 0), take(second, first, 4))

    try:
        loop.run_until_complete(main())
    except DeadlockError:
        return True
    finally:
        loop.close()
    return False


def test_the_portfolio_finds_a_deadlock_within_a_few_runs() -> None:
    baseline = SimLoop()
    assert not hidden(baseline)
    runs = []
    for block in range(20):
        chosen = portfolio(baseline.steps, block)
        found = (
            index
            for index, (_, schedule) in enumerate(chosen)
            if hidden(SimLoop(Choices.seeded(1_000 * block + index), schedule=schedule))
        )
        runs.append(1 + next(found))
    assert median(runs) <= 6


def test_the_portfolio_begins_with_fifo_and_has_every_member_in_each_round() -> None:
    chosen = portfolio(100, seed=4)
    size = len(chosen.members)
    assert chosen[0][1] == Fifo()
    rounds = [[chosen[1 + size * n + i] for i in range(size)] for n in range(3)]
    assert all(sorted(map(str, each)) == sorted(map(str, chosen.members)) for each in rounds)
    assert rounds[0] != rounds[1]
    names = [name for name, _ in chosen.members]
    assert len(set(names)) == size


def test_the_portfolio_follows_from_its_seed() -> None:
    def names(seed: int) -> list[str]:
        return [portfolio(100, seed)[index][0] for index in range(30)]

    assert names(1) == names(1)
    assert names(1) != names(2)


def test_a_portfolio_needs_a_horizon_and_has_no_end() -> None:
    with pytest.raises(ValueError, match="horizon is 0"):
        portfolio(0)
    with pytest.raises(IndexError, match="no end"):
        portfolio(1)[-1]


def test_picks_are_asked_only_where_there_is_something_to_pick() -> None:
    loop = SimLoop(Choices.seeded(1))
    run_order(loop)
    assert loop.choices.recorded[0] == Choice(ORDER, 2, 1)
    assert {choice.label for choice in loop.choices.recorded[1:]} == {ON, NEXT}
    assert all(choice.n >= 2 for choice in loop.choices.recorded)
