"""The sets: order of arrival, all that a set can do, and no hold on a weak one's members."""

import copy
import operator
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape_harness.simulation import SimLoop
from robotape_harness.simulation.ordered import ArrivalSet, OrderedWeakSet, creation_order

MEMBERS = st.lists(st.integers(0, 9) | st.sampled_from("abc"), max_size=8)
MEMBER_CALLS = ("add", "discard", "remove")
CALLS = (
    "update",
    "intersection_update",
    "difference_update",
    "symmetric_difference_update",
    "union",
    "intersection",
    "difference",
    "symmetric_difference",
    "issubset",
    "issuperset",
    "isdisjoint",
)
OPERATORS: tuple[Callable[[Any, Any], Any], ...] = (
    operator.or_,
    operator.and_,
    operator.sub,
    operator.xor,
    operator.ior,
    operator.iand,
    operator.isub,
    operator.ixor,
    operator.eq,
    operator.le,
    operator.lt,
)


def raised_by(function: Callable[..., Any], *args: Any) -> tuple[Any, type | None]:
    """What a call returns, and the type of what it raises."""
    try:
        return function(*args), None
    except (KeyError, TypeError) as error:
        return None, type(error)


@given(MEMBERS, st.lists(st.tuples(st.sampled_from((*MEMBER_CALLS, *CALLS)), MEMBERS)))
def test_every_method_does_what_that_of_a_set_does(
    members: list[object], calls: list[tuple[str, list[object]]]
) -> None:
    ours, plain = ArrivalSet(members), set(members)
    for name, others in calls:
        args = others[:1] or [0] if name in MEMBER_CALLS else [others]
        assert raised_by(getattr(ours, name), *args) == raised_by(getattr(plain, name), *args)
        assert [*ours] == [*dict.fromkeys(ours)]
        assert set(ours) == plain == ours
        assert len(ours) == len(plain)
        assert all(member in ours for member in plain)


@given(MEMBERS, MEMBERS, st.sampled_from(OPERATORS))
def test_every_operator_does_what_that_of_a_set_does(
    members: list[object], others: list[object], operate: Callable[[Any, Any], Any]
) -> None:
    for other in (set(others), frozenset(others), ArrivalSet(others), others):
        expected = raised_by(operate, set(members), other)
        result = raised_by(operate, ArrivalSet(members), other)
        assert result == expected
        if isinstance(expected[0], set):
            assert isinstance(result[0], ArrivalSet)
    assert raised_by(operate, set(others), ArrivalSet(members)) == raised_by(
        operate, set(others), set(members)
    )


@given(MEMBERS, MEMBERS)
def test_members_stay_in_order_of_arrival(members: list[object], more: list[object]) -> None:
    both = [*dict.fromkeys([*members, *more])]
    assert [*ArrivalSet(members)] == [*dict.fromkeys(members)]
    assert [*(ArrivalSet(members) | set(more))][: len(set(members))] == [*dict.fromkeys(members)]
    assert [*ArrivalSet(members).union(more)] == both
    kept = [member for member in dict.fromkeys(members) if member in more]
    assert [*(ArrivalSet(members) & set(more))] == kept
    left = [member for member in dict.fromkeys(members) if member not in more]
    assert [*(ArrivalSet(members) - set(more))] == left


def test_the_first_to_come_is_the_first_to_be_popped() -> None:
    ours = ArrivalSet([3, 1, 2])
    ours.remove(3)
    ours.add(3)
    assert [ours.pop(), ours.pop(), ours.pop()] == [1, 2, 3]
    with pytest.raises(KeyError, match="empty"):
        ours.pop()


def test_copies_keep_the_order_and_are_apart() -> None:
    ours = ArrivalSet("bca")
    for again in (
        ours.copy(),
        copy.copy(ours),
        copy.deepcopy(ours),
        pickle.loads(pickle.dumps(ours)),
    ):
        assert [*again] == ["b", "c", "a"]
        again.clear()
    assert repr(ours) == "{'b', 'c', 'a'}"
    assert (repr(ArrivalSet()), isinstance(ours, set)) == ("set()", True)


class Member:
    """Something that can be referred to weakly."""


def test_what_knows_no_order_of_creation_comes_first() -> None:
    loop = SimLoop()
    futures = [loop.create_future(), loop.create_future()]
    assert [creation_order(each) for each in (*futures, object(), None)] == [0, 1, 0, 0]
    loop.close()


def test_members_come_in_order_of_arrival() -> None:
    members = [Member() for _ in range(50)]
    ordered = OrderedWeakSet()
    for member in [*members, members[0]]:
        ordered.add(member)
    assert list(ordered) == members


def test_members_leave_when_told_or_when_nobody_else_holds_them() -> None:
    kept, gone = Member(), Member()
    ordered = OrderedWeakSet()
    ordered.add(kept)
    ordered.add(gone)
    ordered.discard(gone)
    ordered.discard(gone)
    assert len(ordered) == 1
    del kept
    assert len(ordered) == 0


def test_clear_lets_all_go() -> None:
    member = Member()
    ordered = OrderedWeakSet()
    ordered.add(member)
    ordered.clear()
    assert list(ordered) == []
