"""The run and where code stands in it: identity from the seed, ids by place, never by arrival."""

import asyncio
import subprocess
import sys
import weakref
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape.runtime import (
    Run,
    Scope,
    ambient,
    current_scope,
    derive,
    enter,
    entered,
    leave,
    new_uuid,
)
from tests.laws.scripts import simulated

Body = Callable[[Scope], Awaitable[list[str]]]


def in_scope(body: Body, seed: int | None = None) -> list[str]:
    async def main() -> list[str]:
        scope = Scope(Run(1), prefix="desk")
        with entered(scope):
            return await body(scope)

    return simulated(main(), seed)


# -- identity --------------------------------------------------------------------------------------


@given(st.lists(st.text(max_size=3), min_size=1), st.lists(st.text(max_size=3), min_size=1))
def test_different_parts_different_digits(left: list[str], right: list[str]) -> None:
    plain = "\x1f" not in "".join(left + right)
    assert (derive(*left) == derive(*right)) == (left == right) or not plain


def test_same_seed_same_run() -> None:
    first, second = Run(7), Run(7)
    assert first.run_id == second.run_id
    assert [first.random() for _ in range(5)] == [second.random() for _ in range(5)]


def test_control_other_seed_other_run() -> None:
    assert Run(7).run_id != Run(8).run_id
    assert Run().run_id != Run().run_id
    assert Run(7).random() != Run(8).random()


def test_identity_does_not_move_with_the_process() -> None:
    program = "from robotape.runtime import Run; print(Run(7).run_id, Run(7).random())"
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert told == {f"{Run(7).run_id} {Run(7).random()}\n".encode()}


def test_a_run_begins_at_zero_whatever_the_clock() -> None:
    async def main() -> tuple[float, float]:
        await asyncio.sleep(5000)
        run = Run(1)
        before = run.now()
        await run.sleep(2.5)
        return before, run.now()

    assert simulated(main()) == (0.0, 2.5)


def test_uuids_are_version_4_and_derive_from_the_seed() -> None:
    def two() -> list[str]:
        with entered(Scope(Run(3))):
            return [str(new_uuid()), str(new_uuid())]

    first, second = two()
    assert two() == [first, second]
    assert first != second
    assert first[14] == "4"
    assert str(new_uuid()) not in two()


# -- scopes ----------------------------------------------------------------------------------------


def test_a_scope_is_left_also_by_an_error() -> None:
    assert current_scope() is None
    with pytest.raises(ZeroDivisionError), entered(ambient()):
        assert current_scope() is not None
        raise ZeroDivisionError
    token = enter(ambient())
    leave(token)
    assert current_scope() is None


def test_what_is_further_in_inherits_everything_but_its_name() -> None:
    outer = Scope(Run(1), agent="desk", prefix="desk/1", principal="eve", policies=("p",))
    outer.deadline = 9.0
    inner = outer.inner("desk/1/tool:a[0]", call_id="c", retries_owned=True)
    assert (inner.principal, inner.deadline, inner.policies) == ("eve", 9.0, ("p",))
    assert (inner.agent, inner.call_id, inner.retries_owned) == ("desk", "c", True)
    deeper = inner.inner("x", agent="desk/planner")
    assert (deeper.retries_owned, deeper.call_id, deeper.agent) == (True, "c", "desk/planner")


@pytest.mark.parametrize(
    ("total", "deadline", "until"),
    [(None, None, None), (5.0, None, 5.0), (None, 3.0, 3.0), (5.0, 3.0, 3.0), (2.0, 3.0, 2.0)],
)
def test_the_nearer_limit_counts(
    total: float | None, deadline: float | None, until: float | None
) -> None:
    async def main() -> float | None:
        scope = Scope(Run(1))
        scope.deadline = deadline
        return scope.until(total)

    assert simulated(main()) == until


# -- names of calls --------------------------------------------------------------------------------


async def three_in_a_row(scope: Scope) -> list[str]:
    return [scope.next_id("tool:a"), scope.next_id("tool:b"), scope.next_id("tool:a")]


def test_ids_count_by_label() -> None:
    assert in_scope(three_in_a_row) == ["desk/tool:a[0]", "desk/tool:b[0]", "desk/tool:a[1]"]


async def fan_out(scope: Scope) -> list[str]:
    """Six children in two groups, two calls each; in the order of their creation."""

    async def child() -> list[str]:
        first = scope.next_id("tool:a")
        await asyncio.sleep(0)
        return [first, scope.next_id("tool:a")]

    async def pair() -> list[str]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(child()) for _ in range(2)]
        return [name for task in tasks for name in task.result()]

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(child()) for _ in range(4)]
        tasks.append(group.create_task(pair()))
    return [name for task in tasks for name in task.result()]


def test_ids_do_not_move_with_the_schedule() -> None:
    names = {tuple(in_scope(fan_out, seed)) for seed in range(50)}
    assert len(names) == 1
    [once] = names
    assert len(set(once)) == len(once) == 12
    assert set(once) & {"desk~0/tool:a[0]", "desk~4.1/tool:a[1]"}


async def arrivals(scope: Scope) -> list[str]:
    order: list[str] = []

    async def child() -> None:
        await asyncio.sleep(0)
        order.append(scope.next_id("tool:a"))

    await asyncio.gather(*(child() for _ in range(4)))
    return order


def test_control_the_order_of_arrival_does_move() -> None:
    orders = {tuple(in_scope(arrivals, seed)) for seed in range(50)}
    assert len(orders) > 5
    assert len({tuple(sorted(order)) for order in orders}) == 1


def test_ids_of_a_place_do_not_move_with_tasks_begun_before_it() -> None:
    async def nothing() -> None:
        return

    async def main(before: int) -> list[str]:
        for _ in range(before):
            await asyncio.create_task(nothing())
        scope = Scope(Run(1), prefix="desk")
        return await fan_out(scope)

    assert simulated(main(0)) == simulated(main(3))


def test_children_on_a_plain_loop_have_ids_of_their_own() -> None:
    async def main() -> list[str]:
        return await fan_out(Scope(Run(1), prefix="desk"))

    names = asyncio.run(main())
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("outside_first", [True, False])
def test_an_interceptor_does_not_begin_the_count_again(outside_first: bool) -> None:
    async def body(scope: Scope) -> list[str]:
        async def child() -> list[str]:
            twin = scope.within(object())
            places = [scope, twin] if outside_first else [twin, scope]
            return [place.next_id("tool:a") for place in places]

        return await asyncio.create_task(child())

    names = in_scope(body)
    assert len(set(names)) == 2, "two calls with one id have one idempotency key"


def test_a_task_from_elsewhere_takes_nobodys_name() -> None:
    async def body(scope: Scope) -> list[str]:
        names: list[str] = []
        loop = asyncio.get_running_loop()

        async def ask() -> None:
            names.append(scope.next_id("tool:a"))

        tasks: list[asyncio.Task[None]] = []
        # Born of a timer, so it is no child of ours; its root number meets a child's number.
        loop.call_later(1, lambda: tasks.append(loop.create_task(ask())))
        children = [loop.create_task(ask()) for _ in range(3)]
        await asyncio.sleep(2)
        await asyncio.gather(*children, *tasks)
        return names

    names = in_scope(body)
    assert len(set(names)) == len(names) == 4


def test_a_scope_does_not_keep_its_tasks_alive() -> None:
    async def body(scope: Scope) -> list[str]:
        async def child() -> None:
            scope.next_id("tool:a")

        async def watch() -> "weakref.ref[asyncio.Task[None]]":
            task = asyncio.create_task(child())
            await task
            return weakref.ref(task)

        watched = await watch()
        await asyncio.sleep(0)
        return [str(watched() is None)]

    async def main() -> list[str]:
        return await body(Scope(Run(1)))

    assert asyncio.run(main()) == ["True"]
