"""Death: what a dead process has queued is dropped, and nothing of it reaches the world."""

import asyncio
import gc
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any

import pytest

from robotape.models.steps import StepStatus, StepType
from robotape_harness.ledger import EffectLedger
from robotape_harness.simulation.death import LIFE, MortalLoop, Process, ProcessDied
from robotape_harness.simulation.loop import SimLoop


def in_life(life: int | None) -> Context:
    context = copy_context()
    context.run(LIFE.set, life)
    return context


def run_for(loop: SimLoop, seconds: float) -> None:
    loop.call_later(seconds, loop.stop)
    loop.run_forever()


@pytest.mark.parametrize("life", [1, 2, None])
def test_what_a_life_has_queued_or_set_is_dropped_and_nothing_else(life: int | None) -> None:
    done: list[str] = []
    loop = MortalLoop()
    context = in_life(life)
    loop.call_soon(done.append, "soon", context=context)
    loop.call_later(1.0, done.append, "later", context=context)
    loop.call_later(1.0, done.append, "later", context=context)  # an equal one
    loop.bury(1)
    loop.call_soon(done.append, "after", context=context)
    run_for(loop, 5.0)
    loop.close()
    assert sorted(done) == ([] if life == 1 else ["after", "later", "later", "soon"])


def test_a_task_of_the_dead_takes_no_step_though_what_it_waits_for_comes() -> None:
    steps: list[str] = []
    loop = MortalLoop()
    arrival = loop.create_future()

    async def wait() -> None:
        steps.append("begun")
        try:
            await arrival
        finally:
            steps.append("woken")

    task = loop.create_task(wait(), context=in_life(1))
    run_for(loop, 1.0)
    loop.bury(1)
    arrival.set_result(None)
    task.cancel()
    run_for(loop, 1.0)
    assert (steps, task.done()) == (["begun"], False)
    loop.close()


def test_control_the_same_task_goes_on_where_nobody_died() -> None:
    loop = MortalLoop()
    arrival = loop.create_future()

    async def wait() -> str:
        return str(await arrival)

    task = loop.create_task(wait(), context=in_life(1))
    run_for(loop, 1.0)
    arrival.set_result("here")
    run_for(loop, 1.0)
    assert task.result() == "here"
    loop.close()


def test_a_function_given_to_an_executor_dies_with_who_gave_it() -> None:
    done: list[str] = []
    loop = MortalLoop()

    async def give() -> None:
        given.append(loop.run_in_executor(None, done.append, "ran"))
        loop.bury(1)

    given: list[Any] = [loop.create_task(give(), context=in_life(1))]
    run_for(loop, 1.0)
    loop.close()
    assert (done, len(given)) == ([], 2)


def test_handles_that_have_run_are_not_kept() -> None:
    loop = MortalLoop()
    for _ in range(500):
        loop.call_soon(int, context=in_life(1))
    run_for(loop, 1.0)
    gc.collect()
    assert len(loop._handles) < 10
    loop.close()


def record(tape: Any, name: str) -> None:
    tape.record(StepType.OBSERVATION, StepStatus.COMPLETED, agent="a", node=name, content=name)


class Life:
    """One life that does things step by step on a loop of its own."""

    def __init__(self) -> None:
        self.loop = MortalLoop()
        self.process = Process(self.loop)
        self.tape = self.process.tape()
        self.tape.is_begun = True
        self.ledger = EffectLedger()
        self.ledger.watch(self.process)
        self.told: list[int] = []

    def plan(self, event: Any, number: int) -> None:
        self.process.plan(event, number, lambda: self.told.append(len(self.tape)))

    def do(self, *deeds: Callable[[], Any]) -> list[Any]:
        """Do all in one step, then have another one; what was raised."""
        raised: list[Any] = []

        async def act() -> None:
            for deed in deeds:
                try:
                    deed()
                except BaseException as error:
                    raised.append(type(error))
            await asyncio.sleep(0)
            raised.append("another step")

        task = self.loop.create_task(act(), context=in_life(1))
        task.add_done_callback(lambda _: self.loop.stop(), context=in_life(1))
        try:
            self.loop.run_forever()
        except ProcessDied as error:
            raised.append(type(error))
        self.process.die()
        self.loop.close()
        return raised

    @property
    def left(self) -> list[str]:
        return [step.node for step in self.process.tape()]

    def write(self, name: str) -> Callable[[], None]:
        return lambda: record(self.tape, name)

    def commit(self, name: str) -> Callable[[], Any]:
        return lambda: self.ledger.commit(name)


def test_a_death_at_a_write_keeps_what_was_written_and_nothing_after() -> None:
    life = Life()
    life.plan("write", 2)
    raised = life.do(*map(life.write, "abc"), life.commit("x"))
    assert raised == [ProcessDied, ProcessDied]  # the commit's, and the end of the run
    assert (life.left, len(life.ledger), life.told) == (["a", "b"], 0, [2])


def test_a_death_at_a_commit_lets_the_service_finish_and_nobody_write_of_it() -> None:
    life = Life()
    life.plan("commit", 1)
    raised = life.do(
        life.write("a"), life.commit("x"), life.commit("y"), life.write("b"), life.commit("z")
    )
    assert raised == [ProcessDied, ProcessDied]
    assert life.left == ["a"]
    assert [entry.effect for entry in life.ledger.commits] == ["x", "y"]


def test_a_death_at_a_commit_comes_with_the_end_of_its_step() -> None:
    life = Life()
    life.plan("commit", 1)
    assert life.do(life.write("a"), life.commit("x")) == [ProcessDied]
    assert (life.left, life.told) == (["a"], [1])


def test_control_without_a_plan_nobody_dies() -> None:
    life = Life()
    assert life.do(life.write("a"), life.commit("x")) == ["another step"]
    assert life.told == []


def test_the_world_and_the_harness_outlive_every_process() -> None:
    life = Life()
    life.plan("write", 1)
    life.do(life.write("a"))
    assert not life.process.is_dead_here
    life.ledger.commit("from outside")
    in_life(2).run(life.ledger.commit, "next life")
    with pytest.raises(ProcessDied):
        in_life(1).run(life.ledger.commit, "dead")
    assert [entry.effect for entry in life.ledger.commits] == ["from outside", "next life"]


def test_nothing_written_leaves_a_new_tape() -> None:
    loop = MortalLoop()
    process = Process(loop)
    first = process.tape()
    process.die()
    process.rise()
    assert (process.life, process.left) == (2, b"")
    assert (len(first), process.tape().is_begun) == (0, False)
    loop.close()


def test_counts_go_on_in_the_next_life() -> None:
    life = Life()
    life.plan("write", 1)
    life.plan("write", 3)
    life.do(life.write("a"), life.write("lost"))
    life.process.rise()
    tape = life.process.tape()
    in_life(2).run(record, tape, "b")
    assert not in_life(2).run(lambda: life.process.is_dead_here)
    in_life(2).run(record, tape, "c")
    assert in_life(2).run(lambda: life.process.is_dead_here)
    assert len(life.told) == 2
    assert life.left == ["a", "b", "c"]


def test_after_the_run_nobody_dies_any_more() -> None:
    life = Life()
    life.plan("write", 1)
    life.process.spare()
    assert life.do(life.write("a")) == ["another step"]
