"""The line: what is asked, when, and what each answer means."""

from robotape_harness.simulation import Choice, Choices, SimLoop
from robotape_harness.simulation.schedules import NEXT, ON, ORDER
from tests.harness.simulation.orders import run_order


def test_zeroed_choices_let_each_task_run_until_it_waits() -> None:
    loop = SimLoop(Choices.replay([Choice(ORDER, 2, 1)], lenient=True))
    assert run_order(loop) == [name for name in range(6) for _ in range(3)]
    assert loop.preemptions == 0


def test_one_recorded_preemption_is_one_preemption() -> None:
    recorded = [Choice(ORDER, 2, 1), Choice(ON, 6, 0), Choice(ON, 6, 5)]
    loop = SimLoop(Choices.replay(recorded, lenient=True))
    assert run_order(loop)[:6] == [0, 0, 5, 5, 5, 2]
    assert loop.preemptions == 1


def test_picks_are_asked_only_where_there_is_something_to_pick() -> None:
    loop = SimLoop(Choices.seeded(1))
    run_order(loop)
    assert loop.choices.recorded[0] == Choice(ORDER, 2, 1)
    assert {choice.label for choice in loop.choices.recorded[1:]} == {ON, NEXT}
    assert all(choice.n >= 2 for choice in loop.choices.recorded)


def test_a_preemption_is_told_by_who_where_and_for_whom() -> None:
    recorded = [Choice(ORDER, 2, 1), Choice(ON, 6, 0), Choice(ON, 6, 5)]
    loop = SimLoop(Choices.replay(recorded, lenient=True))
    told = loop.list_preemptions()
    run_order(loop)
    (preemption,) = told
    assert (preemption.task, preemption.instead) == ("task-0.0", "task-0.5")
    assert preemption.where.rpartition(":")[0].endswith("orders.py")
    assert str(preemption).startswith("step 3: task-0.0 was set aside at ")


def test_as_many_preemptions_are_told_as_are_counted() -> None:
    for seed in range(20):
        loop = SimLoop(Choices.seeded(seed))
        told = loop.list_preemptions()
        run_order(loop)
        assert len(told) == loop.preemptions > 0


def test_where_nobody_is_asked_no_preemption_is_told() -> None:
    loop = SimLoop()
    assert loop.list_preemptions() == []
    run_order(loop)
