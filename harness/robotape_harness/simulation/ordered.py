"""Order that does not come from the heap: of arrival in a weak set, of creation among tasks.

The set has no more methods than asyncio calls.
"""

from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

__all__ = ["OrderedWeakSet", "creation_order"]


def creation_order(task: object) -> int:
    """Where a task stands in the order of creation on its loop; 0 for what does not know."""
    order: int = getattr(task, "order", 0)
    return order


class OrderedWeakSet:
    """Stands in for the WeakSet of a loop's async generators, whose order is the heap's."""

    def __init__(self) -> None:
        self._members: WeakKeyDictionary[Any, None] = WeakKeyDictionary()

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._members))

    def add(self, member: Any) -> None:
        """Take a member in, last; one that is in stays where it is."""
        self._members[member] = None

    def discard(self, member: Any) -> None:
        """Let a member go, if it is in."""
        self._members.pop(member, None)

    def clear(self) -> None:
        """Let all go."""
        self._members.clear()
