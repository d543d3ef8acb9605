"""The harness's cost table: steps, timers and whole runs of a simulated loop, runs to a bug."""

import asyncio
import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

import subject
from measure import paired
from table import Row

from robotape_harness import Scenario, World, simulate
from robotape_harness.simulation import Choices, ConflictSearch, SimLoop, portfolio
from tests.laws.races import deadlock, lost_update, runs_to_the_bug, strikes, three_constraints

__all__ = ["rows"]

STEPS = 40_000
READY = (10, 100, 1_000)
TIMERS = 100_000
RUNS = 300
BLOCKS = 20
ROUNDS = 7


def rows() -> Iterator[Row]:
    """Cost of a step beside the stock loop, rates per CPU second, and runs to planted bugs."""
    for number in READY:
        cost = paired(partial(_hop, _seeded, number), partial(_hop, _stock, number), times=1)
        yield Row(f"task step, seeded, {number} ready, to stock asyncio's", cost.ratio, 2.0, "x")
    yield Row("loops made, run and closed", _rate(_trivial, RUNS), 2_000, "/s", at_least=True)
    trivial = Scenario(world=World, agent=lambda _: subject.agent(turns=0), task="weather?")
    yield Row("simulated runs of a 1-call agent", _runs(trivial), 2_000, "/s", at_least=True)
    five = Scenario(world=World, agent=lambda _: subject.agent(turns=2), task="weather?")
    yield Row("simulated runs of a 5-call agent", _runs(five), 1_000, "/s", at_least=True)
    equal, distinct = (_rate(partial(_fire, gap), 1) * TIMERS for gap in (0.0, 0.001))
    yield Row("timers at one instant", equal, 120_000, "/s", at_least=True)
    yield Row("timers at instants of their own", distinct, 70_000, "/s", at_least=True)
    yield from _searches()


def _searches() -> Iterator[Row]:
    """Median over disjoint blocks of seeds of the runs until a planted bug strikes."""
    for program, target in ((lost_update, 10), (deadlock, 6)):
        struck, baseline = strikes(program)
        assert not struck
        runs = [
            runs_to_the_bug(program, portfolio(baseline.steps, block).schedule, block)
            for block in range(BLOCKS)
        ]
        yield Row(f"runs to the bug, portfolio: {program.__name__}", median(runs), target, "")
    for program, target in ((lost_update, 5), (deadlock, 5), (three_constraints, 20)):
        search = ConflictSearch()
        next(each for each in search if strikes(program, Choices.seeded(0), each)[0])
        yield Row(f"runs to the bug, conflicts: {program.__name__}", search.runs, target, "")


def _seeded() -> SimLoop:
    return SimLoop(Choices.seeded(1))


_stock = asyncio.new_event_loop


def _hop(make_loop: Callable[[], asyncio.AbstractEventLoop], number: int) -> None:
    """Let so many tasks be ready all the time."""
    loop = make_loop()

    async def hop() -> None:
        for _ in range(STEPS // number):
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(*(hop() for _ in range(number)))

    loop.run_until_complete(main())
    loop.close()


def _trivial() -> None:
    loop = SimLoop(Choices.seeded(1))
    loop.run_until_complete(asyncio.sleep(1))
    loop.close()


def _fire(gap: float) -> None:
    loop = SimLoop(idle_step_limit=2 * TIMERS)
    fired: list[None] = []
    for number in range(TIMERS):
        loop.call_at(5.0 + gap * number, fired.append, None)
    loop.call_at(5.0 + gap * TIMERS, loop.stop)
    loop.run_forever()
    loop.close()
    assert len(fired) == TIMERS


def _runs(scenario: Scenario) -> float:
    trial = simulate(scenario, seed=1)
    assert trial.ending == "answered"
    assert len(trial.tape.query(status=None, type=None)) >= 1
    return _rate(lambda: simulate(scenario, seed=1), RUNS // 3)


def _rate(work: Callable[[], object], times: int) -> float:
    """How often per CPU second: median over rounds."""
    rates = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(times):
            work()
        rates.append(times / (time.process_time() - start))
    return median(rates)
