"""The weak set: order of arrival, and no hold on its members."""

from robotape_harness.simulation import SimLoop
from robotape_harness.simulation.ordered import OrderedWeakSet, creation_order


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
