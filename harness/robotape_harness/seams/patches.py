"""Attributes of other people's classes and modules, replaced for a while and put back.

Who replaces what, and why, the module of each client says.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = ["Patch", "Patched"]

ABSENT = object()


@dataclass(frozen=True, slots=True)
class Patch:
    """One attribute, and what stands in its place.

    Attributes:
        owner: A class or a module.
        name: Of the attribute; inherited ones may be replaced, too.
        value: The replacement.
    """

    owner: Any
    name: str
    value: Any


class Patched:
    """Patches in place, to be taken back together.

    Guarantee: afterwards each attribute is the object it was before, or absent as before;
    one that somebody else has replaced in between is theirs, and left alone.
    """

    def __init__(self) -> None:
        self._before: list[tuple[Patch, object]] = []

    def add(self, patches: Iterable[Patch]) -> None:
        """Put patches in place."""
        for patch in patches:
            self._before.append((patch, vars(patch.owner).get(patch.name, ABSENT)))
            setattr(patch.owner, patch.name, patch.value)

    def restore(self) -> None:
        """Take all of them back, the last one first."""
        while self._before:
            patch, before = self._before.pop()
            if vars(patch.owner).get(patch.name) is not patch.value:
                continue
            if before is ABSENT:
                delattr(patch.owner, patch.name)
            else:
                setattr(patch.owner, patch.name, before)
