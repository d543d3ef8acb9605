"""Order that does not come from the heap: of arrival in a set, of creation among tasks.

The weak set has no more methods than asyncio calls; the other one is a whole `set`.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

__all__ = ["ArrivalSet", "OrderedWeakSet", "creation_order"]

T = TypeVar("T")


def creation_order(task: object) -> int:
    """Where a task stands in the order of creation on its loop; 0 for what does not know."""
    order: int = getattr(task, "order", 0)
    return order


def _is_set(other: object) -> bool:
    return isinstance(other, AbstractSet)


class ArrivalSet(set[T]):
    """A set that iterates in order of arrival, whatever its members hash by.

    Whoever copies it with `set(...)` gets a set as usual; its own methods and operators
    give an ArrivalSet where a set would give a set.
    """

    __slots__ = ("_order",)

    def __init__(self, members: Iterable[T] = ()) -> None:
        self._order = dict.fromkeys(members)
        super().__init__(self._order)

    def __iter__(self) -> Iterator[T]:
        return iter(self._order)

    def __repr__(self) -> str:
        return f"{{{', '.join(map(repr, self))}}}" if self else "set()"

    def __reduce__(self) -> tuple[type, tuple[list[T]]]:
        return ArrivalSet, ([*self],)

    def add(self, member: T) -> None:
        """Take a member in, last; one that is in stays where it is."""
        self._order.setdefault(member)
        super().add(member)

    def discard(self, member: object) -> None:
        """Let a member go, if it is in."""
        self._order.pop(cast(T, member), None)
        super().discard(member)

    def remove(self, member: T) -> None:
        """Let a member go.

        Raises:
            KeyError: It is not in.
        """
        del self._order[member]
        super().remove(member)

    def pop(self) -> T:
        """Let the first member go.

        Raises:
            KeyError: There is none.
        """
        if not self._order:
            raise KeyError("pop from an empty set")
        member = next(iter(self._order))
        self.remove(member)
        return member

    def clear(self) -> None:
        """Let all go."""
        self._order.clear()
        super().clear()

    def copy(self) -> "ArrivalSet[T]":
        """Another one with the same members in the same order."""
        return ArrivalSet(self)

    def _become(self, members: AbstractSet[Any], *newcomers: Iterable[Any]) -> None:
        """Hold exactly these; those who were in keep their order."""
        candidates: dict[Any, None] = dict.fromkeys(chain(self._order, *newcomers))
        self.clear()
        for member in candidates:
            if member in members:
                self.add(member)

    def update(self, *others: Iterable[Any]) -> None:
        """Take in whoever is in one of the others."""
        for member in chain(*others):
            self.add(member)

    def intersection_update(self, *others: Iterable[Any]) -> None:
        """Let go whoever is not in all of the others."""
        self._become(set(self._order).intersection(*others))

    def difference_update(self, *others: Iterable[Any]) -> None:
        """Let go whoever is in one of the others."""
        for member in [*chain(*others)]:
            self.discard(member)

    def symmetric_difference_update(self, other: Iterable[T]) -> None:
        """Hold who is in one of the two alone."""
        newcomers = [*other]
        self._become(set(self._order).symmetric_difference(newcomers), newcomers)

    def union(self, *others: Iterable[Any]) -> "ArrivalSet[Any]":
        """Who is in any of them."""
        return ArrivalSet(chain(self, *others))

    def intersection(self, *others: Iterable[Any]) -> "ArrivalSet[T]":
        """Who is in all of them."""
        result = self.copy()
        result.intersection_update(*others)
        return result

    def difference(self, *others: Iterable[Any]) -> "ArrivalSet[T]":
        """Who is in none of the others."""
        result = self.copy()
        result.difference_update(*others)
        return result

    def symmetric_difference(self, other: Iterable[Any]) -> "ArrivalSet[Any]":
        """Who is in one of the two alone."""
        result: ArrivalSet[Any] = self.copy()
        result.symmetric_difference_update(other)
        return result

    def __or__(self, other: AbstractSet[Any]) -> "ArrivalSet[Any]":
        return self.union(other) if _is_set(other) else NotImplemented

    def __and__(self, other: AbstractSet[Any]) -> "ArrivalSet[T]":
        return self.intersection(other) if _is_set(other) else NotImplemented

    def __sub__(self, other: AbstractSet[Any]) -> "ArrivalSet[T]":
        return self.difference(other) if _is_set(other) else NotImplemented

    def __xor__(self, other: AbstractSet[Any]) -> "ArrivalSet[Any]":
        return self.symmetric_difference(other) if _is_set(other) else NotImplemented

    def __ior__(self, other: AbstractSet[Any]) -> "ArrivalSet[Any]":
        if not _is_set(other):
            return NotImplemented
        self.update(other)
        return self

    def __iand__(self, other: AbstractSet[Any]) -> "ArrivalSet[T]":
        if not _is_set(other):
            return NotImplemented
        self.intersection_update(other)
        return self

    def __isub__(self, other: AbstractSet[Any]) -> "ArrivalSet[T]":
        if not _is_set(other):
            return NotImplemented
        self.difference_update(other)
        return self

    def __ixor__(self, other: AbstractSet[Any]) -> "ArrivalSet[Any]":
        if not _is_set(other):
            return NotImplemented
        self.symmetric_difference_update(other)
        return self


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
