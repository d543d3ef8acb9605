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
