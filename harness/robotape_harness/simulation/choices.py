"""Choices: every decision of a simulated run, drawn from a seed or taken from a recording.

A decision is `choose(label, n)`; 0 is always the benign answer (first in, no fault), so
shrinking a run is zeroing its choices. What a choice means is its caller's business.
"""

import json
import random
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from robotape.errors import RobotapeError

__all__ = [
    "Choice",
    "ChoiceDivergenceError",
    "Choices",
    "Chooser",
    "dump_choices",
    "load_choices",
]

Chooser = Callable[[int], int]
"""Decides among n, answers in [0, n); n is at least 1, and 1 is no decision."""


class Choice(NamedTuple):
    """One decision that was made.

    Attributes:
        label: What was decided on: a family, or `family:site`.
        n: How many answers there were; >= 2.
        chosen: The answer, in [0, n).
    """

    label: str
    n: int
    chosen: int


class ChoiceDivergenceError(RobotapeError):
    """A replayed run asks for another decision than the recorded run did.

    Attributes:
        index: 0-based position of the first difference.
        expected: What was recorded there, or None where the recording had ended.
        label: What the run asked for instead.
        n: Among how many.
    """

    def __init__(self, index: int, expected: Choice | None, label: str, n: int) -> None:
        super().__init__(index, expected, label, n)
        self.index = index
        self.expected = expected
        self.label = label
        self.n = n

    def __str__(self) -> str:
        recorded = (
            "the recording had ended"
            if self.expected is None
            else f"the recording has {self.expected.label!r} among {self.expected.n}"
        )
        return (
            f"replay diverged at choice {self.index}: the run asks for {self.label!r} among"
            f" {self.n}, {recorded}. The code changed since, or something outside the choices"
            " decides (hash seed, real time, entropy); replay leniently to go on with 0."
        )


class Choices:
    """The one choice sequence of a run.

    Built by `seeded`, `replay` or `benign`. A choice among one is no decision: it
    answers 0, draws nothing and is not recorded.
    """

    def __init__(self, source: "_Source") -> None:
        self._source = source
        self._flat: list[Any] = []  # label, n, chosen; label, n, chosen; …
        self._choosers: dict[str, Chooser] = {}
        self._flags: set[str] = set()

    @classmethod
    def seeded(cls, seed: int) -> "Choices":
        """Draw every choice from a seed.

        Each family of labels (the text before the first ':') has a stream of its own, so
        one more or one fewer decision on the schedule shifts no fault.

        Args:
            seed: Same seed and same questions, same answers, on every platform.

        Source:
            `Random.random` of a seeded generator is the one sequence CPython promises
            to keep (library reference, random, notes on reproducibility).
        """
        return cls(_Seeded(seed))

    @classmethod
    def replay(cls, recorded: Iterable[Choice], *, lenient: bool = False) -> "Choices":
        """Answer from a recording.

        Args:
            recorded: In the order in which the decisions were made.
            lenient: Match label by label instead of one by one, and answer 0 where the
                recording has nothing (left) that fits: for recordings cut by shrinking.
        """
        return cls(_Lenient(recorded) if lenient else _Strict(recorded))

    @classmethod
    def benign(cls) -> "Choices":
        """Answer 0 to everything and record nothing: the baseline, at next to no cost."""
        return cls(_Benign())

    @property
    def seed(self) -> int | None:
        """What the choices are drawn from; None unless seeded."""
        return self._source.seed

    @property
    def is_benign(self) -> bool:
        """Whether every answer is 0, so that nobody needs to ask."""
        return isinstance(self._source, _Benign)

    @property
    def divergence(self) -> ChoiceDivergenceError | None:
        """The first difference that a strict replay met.

        Every later choice raises it again, so that code which swallows it does not hide it.
        """
        return self._source.divergence

    @property
    def unused(self) -> int:
        """How many recorded choices nobody has asked for yet; 0 unless replayed."""
        return self._source.unused

    @property
    def recorded(self) -> tuple[Choice, ...]:
        """What was decided so far, in order; replaying it gives the same run."""
        idle = self._idle_flags()
        flat = iter(self._flat)
        entries = zip(flat, flat, flat, strict=True)
        return tuple(Choice(*entry) for entry in entries if entry[0] not in idle)

    def __len__(self) -> int:
        return len(self._flat) // 3 - len(self._idle_flags())

    def _idle_flags(self) -> set[str]:
        """Flags after which nothing of their family was decided: they changed nothing."""
        asked = set(self._flat[::3]) - self._flags
        families = {label.partition(":")[0] for label in asked}
        return {flag for flag in self._flags if flag.partition(":")[0] not in families}

    def deviations(self, label: str) -> int:
        """How often the answer to a label was not 0 so far."""
        return sum(
            chosen != 0
            for asked, chosen in zip(self._flat[::3], self._flat[2::3], strict=True)
            if asked == label
        )

    def choose(self, label: str, n: int) -> int:
        """Decide one thing.

        Args:
            label: What is decided on: a family, or `family:site`.
            n: How many answers there are; >= 1.

        Returns:
            An answer in [0, n); 0 is the benign one.

        Raises:
            ValueError: There is no answer to choose from.
            ChoiceDivergenceError: A strict replay has another question here.
        """
        return (self._choosers.get(label) or self.chooser(label))(n)

    def chooser(self, label: str, policy: Chooser | None = None) -> Chooser:
        """Bind `choose` to one label, for callers that decide often.

        Args:
            label: As for `choose`.
            policy: Decides in place of the seed; a replay goes by its recording and does
                not ask it.
        """
        if policy is not None:
            return self._bind(label, policy)
        if label not in self._choosers:
            self._choosers[label] = self._bind(label, None)
        return self._choosers[label]

    def flag(self, label: str, answer: bool) -> bool:
        """Decide, once, a thing that is False unless a recording says otherwise.

        What is False is not recorded, nor what is True where no decision of its family
        follows.

        Args:
            label: As for `choose`.
            answer: What a seeded run decides.

        Returns:
            The answer; in a replay what was recorded here, in a benign run False.
        """
        decided = self._source.flag(label, answer)
        if decided:
            self._flags.add(label)
            self._flat += (label, 2, 1)
        return decided

    def stream(self, family: str) -> random.Random:
        """What a policy of a family draws from; nothing of it is recorded."""
        return self._source.stream(family)

    def _bind(self, label: str, policy: Chooser | None) -> Chooser:
        draw = self._source.bind(label, policy)
        if self.is_benign:
            return draw
        extend = self._flat.extend

        def choose(n: int) -> int:
            if n < 2:
                return _only_answer(label, n)
            chosen = draw(n)
            extend((label, n, chosen))
            return chosen

        return choose


def dump_choices(recorded: Iterable[Choice]) -> str:
    """Write choices down as one line of JSON: the labels once, then three integers a choice."""
    numbers: dict[str, int] = {}
    flat: list[int] = []
    for label, n, chosen in recorded:
        flat += (numbers.setdefault(label, len(numbers)), n, chosen)
    return json.dumps({"labels": list(numbers), "choices": flat}, separators=(",", ":"))


def load_choices(text: str) -> tuple[Choice, ...]:
    """Read what `dump_choices` wrote.

    Raises:
        ValueError: The text is not that.
    """
    try:
        document = json.loads(text)
        labels, flat = document["labels"], document["choices"]
        entries = [
            Choice(str(labels[flat[i]]), int(flat[i + 1]), int(flat[i + 2]))
            for i in range(0, len(flat), 3)
        ]
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a recording of choices: {error!r}") from error
    if not all(0 <= entry.chosen < entry.n for entry in entries):
        raise ValueError("not a recording of choices: an answer lies outside [0, n)")
    return tuple(entries)


class _Source(Protocol):
    """Where answers come from."""

    @property
    def seed(self) -> int | None: ...

    @property
    def divergence(self) -> ChoiceDivergenceError | None: ...

    @property
    def unused(self) -> int: ...

    def bind(self, label: str, policy: Chooser | None) -> Chooser: ...

    def flag(self, label: str, answer: bool) -> bool: ...

    def stream(self, family: str) -> random.Random: ...


class _Benign:
    seed: int | None = None
    divergence: ChoiceDivergenceError | None = None
    unused = 0

    def bind(self, label: str, policy: Chooser | None) -> Chooser:
        return _zero

    def flag(self, label: str, answer: bool) -> bool:
        return False

    def stream(self, family: str) -> random.Random:
        return random.Random(0)


class _Seeded:
    divergence: ChoiceDivergenceError | None = None
    unused = 0

    def __init__(self, seed: int) -> None:
        self.seed: int | None = seed
        self._streams: dict[str, random.Random] = {}

    def bind(self, label: str, policy: Chooser | None) -> Chooser:
        if policy is not None:
            return policy
        uniform = self.stream(label.partition(":")[0]).random
        return lambda n: int(uniform() * n)

    def flag(self, label: str, answer: bool) -> bool:
        return answer

    def stream(self, family: str) -> random.Random:
        if family not in self._streams:
            self._streams[family] = random.Random(f"robotape/{self.seed}/{family}")
        return self._streams[family]


class _Strict:
    seed: int | None = None

    def __init__(self, recorded: Iterable[Choice]) -> None:
        self.divergence: ChoiceDivergenceError | None = None
        self._recorded = tuple(Choice(*entry) for entry in recorded)
        self._index = 0

    @property
    def unused(self) -> int:
        return len(self._recorded) - self._index

    def bind(self, label: str, policy: Chooser | None) -> Chooser:
        return lambda n: self._next(label, n)

    def flag(self, label: str, answer: bool) -> bool:
        is_next = bool(self.unused) and self._recorded[self._index].label == label
        return is_next and self._next(label, 2) == 1

    def stream(self, family: str) -> random.Random:
        return random.Random(0)

    def _next(self, label: str, n: int) -> int:
        if self.divergence is not None:
            raise self.divergence
        entry = self._recorded[self._index] if self.unused else None
        if entry is None or (entry.label, entry.n) != (label, n):
            self.divergence = ChoiceDivergenceError(self._index, entry, label, n)
            raise self.divergence
        self._index += 1
        return entry.chosen


class _Lenient:
    seed: int | None = None
    divergence: ChoiceDivergenceError | None = None

    def __init__(self, recorded: Iterable[Choice]) -> None:
        self._left: dict[str, list[int]] = {}
        for label, _, chosen in recorded:
            self._left.setdefault(label, []).append(chosen)
        for answers in self._left.values():
            answers.reverse()

    @property
    def unused(self) -> int:
        return sum(map(len, self._left.values()))

    def flag(self, label: str, answer: bool) -> bool:
        return self.bind(label, None)(2) == 1

    def stream(self, family: str) -> random.Random:
        return random.Random(0)

    def bind(self, label: str, policy: Chooser | None) -> Chooser:
        answers = self._left.setdefault(label, [])

        def answer(n: int) -> int:
            chosen = answers.pop() if answers else 0
            return chosen if chosen < n else 0

        return answer


def _zero(n: int) -> int:
    return 0 if n > 1 else _only_answer("this", n)


def _only_answer(label: str, n: int) -> int:
    if n < 1:
        raise ValueError(f"nothing to choose from for {label!r}: n is {n}, and must be >= 1")
    return 0
