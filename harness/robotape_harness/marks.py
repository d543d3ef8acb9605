"""Marks of one simulated run: which were met, and when `robotape.sometimes` answers True.

Who sets a `Marks` on a loop, and what never having met one means, is for the rooms above.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

__all__ = ["Chance", "Mark", "Marks"]

ONE_IN = 4
"""A mark is awake in one run of four, and there answers True one time in four.

Source: FoundationDB's two-phase BUGGIFY; its clients take 25 % and 25 %.
"""

Chance = Callable[[str, int], int]
"""Decides under a label among n, answers in [0, n); 0 is the benign answer."""


@dataclass(slots=True)
class Mark:
    """What one run knows of a mark.

    Attributes:
        name: As the code has it.
        kind: What asked.
        met: How often the code came by.
        true: How often it was answered True; of `reachable`, how often it was met.
    """

    name: str
    kind: Literal["sometimes", "reachable"]
    met: int = 0
    true: int = 0


class Marks:
    """The marks of one run; the loop's listener.

    Guarantee: with benign choices no mark is ever True, and the same choices give the same
    answers.
    """

    def __init__(self, choose: Chance) -> None:
        """Begin with none met.

        Args:
            choose: The run's choices; asked under `mark:<name>`.
        """
        self._choose = choose
        self._awake: dict[str, bool] = {}
        self._forced: dict[str, Callable[[int], bool]] = {}
        self._met: dict[str, Mark] = {}

    @property
    def met(self) -> tuple[Mark, ...]:
        """What was met so far, in the order of first meeting."""
        return tuple(self._met.values())

    def force(self, name: str, is_true: Callable[[int], bool]) -> None:
        """Let somebody else decide about a mark: a fault that names it.

        Args:
            name: Of the mark.
            is_true: Told the how manyth time it is asked, 1-based.
        """
        self._forced[name] = is_true

    def sometimes(self, name: str) -> bool:
        """Hear that the code asks, and answer."""
        mark = self._note(name, "sometimes")
        forced = self._forced.get(name)
        answer = self._drawn(name) if forced is None else forced(mark.met)
        mark.true += answer
        return answer

    def reachable(self, name: str) -> None:
        """Hear that the code came by."""
        self._note(name, "reachable").true += 1

    def _note(self, name: str, kind: Literal["sometimes", "reachable"]) -> Mark:
        mark = self._met.get(name)
        if mark is None:
            mark = self._met[name] = Mark(name, kind)
        mark.met += 1
        return mark

    def _drawn(self, name: str) -> bool:
        label = f"mark:{name}"
        if name not in self._awake:
            self._awake[name] = self._choose(label, ONE_IN) == ONE_IN - 1
        return self._awake[name] and self._choose(label, ONE_IN) == ONE_IN - 1
