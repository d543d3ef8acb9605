"""Accesses: what is a race, what is none, and how it is reversed."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape_harness.simulation.accesses import (
    PRIMITIVES,
    Access,
    Race,
    Recorder,
    Step,
    races,
    reversing,
    trace_of,
)

A, B, MAIN = (0, 0), (0, 1), (0,)
READ = {Access((0, "x"), "read")}
WRITE = {Access((0, "x"), "write")}
OTHER = {Access((0, "y"), "write")}


def test_a_write_races_with_what_another_task_does_to_the_same_thing() -> None:
    assert races([Step(A, WRITE), Step(B, READ)]) == [Race(0, 1)]
    assert races([Step(A, READ), Step(B, WRITE)]) == [Race(0, 1)]
    assert races([Step(A, WRITE), Step(B, WRITE)]) == [Race(0, 1)]


def test_reads_and_other_things_and_ones_own_steps_do_not_race() -> None:
    assert races([Step(A, READ), Step(B, READ)]) == []
    assert races([Step(A, WRITE), Step(B, OTHER)]) == []
    assert races([Step(A, WRITE), Step(A, WRITE)]) == []


def test_what_has_to_come_first_does_not_race() -> None:
    assert races([Step(A, WRITE), Step(B, WRITE, enabled_by=0)]) == []
    assert races([Step(A, WRITE), Step(A), Step(B, WRITE, enabled_by=1)]) == []
    assert races([Step(A, WRITE), Step(B, WRITE, enabled_by=None)]) == []


def test_only_neighbours_race() -> None:
    """The first write is ordered before the read by the second one, of the same task."""
    assert races([Step(A, WRITE), Step(A, WRITE), Step(B, READ)]) == [Race(1, 2)]


def test_callbacks_order_but_do_not_race() -> None:
    steps = [Step(A, WRITE), Step(None, OTHER, 0), Step(None, OTHER, -1), Step(B, WRITE, 2)]
    assert races(steps) == []


def test_a_reversal_takes_what_the_second_needs_and_nothing_that_follows_the_first() -> None:
    steps = [
        Step(MAIN),
        Step(A, WRITE),
        Step(B),
        Step(A),
        Step((0, 2)),
        Step(B, READ),
    ]
    assert reversing(steps, Race(1, 5)) == [MAIN, B, B]


PROGRAMS = st.lists(
    st.tuples(
        st.sampled_from([A, B, (0, 2)]),
        st.sets(
            st.builds(
                Access,
                st.tuples(st.integers(0, 1), st.sampled_from("xy")),
                st.sampled_from(["read", "write"]),
            ),
            max_size=2,
        ),
    ),
    max_size=10,
)


@given(PROGRAMS)
def test_a_race_is_of_two_tasks_on_one_thing_that_one_of_them_writes(
    program: list[tuple[tuple[int, ...], set[Access]]],
) -> None:
    steps = [Step(task, accesses) for task, accesses in program]
    for first, second in races(steps):
        one, other = steps[first], steps[second]
        assert first < second
        assert one.task != other.task
        shared = {a.thing for a in one.accesses} & {a.thing for a in other.accesses}
        written = {a.thing for a in one.accesses | other.accesses if a.mode == "write"}
        assert shared & written
        order = reversing(steps, Race(first, second))
        of_first = [task for task in order if task == one.task]
        assert len(of_first) < sum(each.task == one.task for each in steps[: second + 1])
        assert order[:first] == [each.task for each in steps[:first]]
        assert order[-1] == other.task


@given(PROGRAMS)
def test_runs_without_a_race_between_them_are_the_same_in_any_order(
    program: list[tuple[tuple[int, ...], set[Access]]],
) -> None:
    """Neighbours of two tasks that touch nothing in common may change places."""
    steps = [Step(task, accesses) for task, accesses in program]
    for at in range(len(steps) - 1):
        one, other = steps[at], steps[at + 1]
        things = {access.thing for access in one.accesses}
        if one.task != other.task and not any(a.thing in things for a in other.accesses):
            swapped = [*steps[:at], other, one, *steps[at + 2 :]]
            assert trace_of(swapped) == trace_of(steps)


def test_the_order_of_two_writes_tells_runs_apart() -> None:
    one, other = Step(A, WRITE), Step(B, WRITE)
    assert trace_of([one, other]) != trace_of([other, one])
    first, second = Step(A, READ), Step(B, READ)
    assert trace_of([first, second]) == trace_of([second, first])


class Slotted:
    """Its class cannot be exchanged."""

    __slots__ = ("x",)

    def __init__(self) -> None:
        self.x = 1


class Shared:
    """Has a number, a list and a method."""

    def __init__(self) -> None:
        self.number = 1
        self.items: list[int] = []

    def double(self) -> int:
        """Use the number."""
        return 2 * self.number


def noted(*names: str) -> set[Access]:
    """What is noted of a step that reads some attributes."""
    loop = asyncio.new_event_loop()
    recorder, shared = Recorder(), Shared()
    recorder.watch(shared)
    recorder.begin(asyncio.Handle(print, (), loop), None)
    before = set(recorder.steps[0].accesses)
    for name in names:
        value = getattr(shared, name)
        if callable(value):
            value()
    recorder.end([])
    shared.number = 7  # between steps: nobody's
    loop.close()
    return recorder.steps[0].accesses - before


def test_what_may_change_in_place_counts_as_written_when_it_is_read() -> None:
    assert {(a.thing[1], a.mode) for a in noted("number")} == {("number", "read")}
    assert {(a.thing[1], a.mode) for a in noted("items")} == {("items", "write")}


def test_a_method_is_seen_through_what_it_touches() -> None:
    assert {(a.thing[1], a.mode) for a in noted("double")} == {("number", "read")}


def test_an_object_that_cannot_be_watched_stays_as_it_is() -> None:
    slotted = Slotted()
    Recorder().watch(slotted)
    assert slotted.x == 1


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, names in PRIMITIVES for name in names]
)
def test_primitives_are_put_back(kind: type, name: str) -> None:
    before = getattr(kind, name)
    with Recorder().primitives():
        assert getattr(kind, name) is not before
    assert getattr(kind, name) is before
