"""Accesses: which step of a run read and wrote what the tasks share, and what let it run.

Nothing is noted unless a recorder was given to the loop. Two steps of which neither must
come before the other, and of which one writes what the other touches, are a race.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from robotape_harness.simulation.asyncio_internals import callback_of

__all__ = ["Access", "Race", "Recorder", "Step", "observe", "races", "reversing", "trace_of"]

Mode = Literal["read", "write"]

PLAIN = (bool, bytes, complex, float, frozenset, int, str, tuple, type(None))
"""What cannot change in place: reading an attribute that holds anything else may be a write."""

PRIMITIVES: tuple[tuple[type, tuple[str, ...]], ...] = (
    (asyncio.Lock, ("acquire", "release")),
    (asyncio.Semaphore, ("acquire", "release")),
    (asyncio.Event, ("clear", "is_set", "set", "wait")),
    (asyncio.Queue, ("get", "get_nowait", "put", "put_nowait")),
)
"""What tasks meet at; whoever calls it changes it."""


class Access(NamedTuple):
    """One thing that a step touched.

    Attributes:
        thing: Number of the object in order of its first access, and the attribute.
        mode: Whether it may have changed it.
    """

    thing: tuple[int, str]
    mode: Mode


@dataclass(slots=True)
class Step:
    """One step of the loop.

    Attributes:
        task: The lineage of the task that stepped; None for a callback.
        accesses: What it touched.
        enabled_by: Index of the step that made it ready; -1 for whatever came before the
            run; None for all steps so far, as for a timer: time waits for everybody.
    """

    task: tuple[int, ...] | None
    accesses: set[Access] = field(default_factory=set)
    enabled_by: int | None = -1


class Race(NamedTuple):
    """Two steps that touch one thing, and could as well have come in the other order.

    Attributes:
        first: Index of the one that came first.
        second: Index of the other.
    """

    first: int
    second: int


class Recorder:
    """Notes the steps of one run; a loop that has one calls `begin` and `end` around each."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.on_step: Callable[[Step], None] | None = None
        self._numbers: dict[int, int] = {}
        self._kept: list[object] = []  # or an address would come twice
        self._enablers: dict[int, int | None] = {}
        self._is_in_step = False

    def touch(self, thing: object, mode: Mode, part: str = "") -> None:
        """Hear that the present step touches something; outside a step nobody cares."""
        if self._is_in_step:
            self.steps[-1].accesses.add(Access((self._number(thing), part), mode))

    def _number(self, thing: object) -> int:
        number = self._numbers.get(id(thing))
        if number is None:
            number = self._numbers[id(thing)] = len(self._kept)
            self._kept.append(thing)
        return number

    def begin(self, handle: asyncio.Handle, task: "asyncio.Task[Any] | None") -> None:
        """Hear that a step begins."""
        lineage: tuple[int, ...] | None = getattr(task, "robotape_lineage", None)
        if task is not None and lineage is None:
            lineage = (-1, self._number(task))  # a foreign factory made it
        self.steps.append(Step(lineage, enabled_by=self._enablers.pop(id(handle), None)))
        self._is_in_step = True
        if task is None:
            callback = callback_of(handle)
            # What counts the ends of several tasks is called once for each.
            self.touch(getattr(callback, "__self__", callback), "write")

    def end(self, made_ready: Iterable[object]) -> None:
        """Hear that it is over, and which handles it made ready."""
        self._is_in_step = False
        for handle in made_ready:
            self._enablers[id(handle)] = len(self.steps) - 1
        if self.on_step is not None:
            self.on_step(self.steps[-1])

    def watch(self, shared: Any) -> None:
        """Note every access to the attributes of an object from now on.

        The object stays itself, and becomes one of a subclass that is called like its class.
        Of one whose class allows no subclass in its place (slots, C code) nothing is noted.
        """
        kind: Any = type(shared)
        touch = self.touch

        def read(self: Any, name: str) -> Any:
            value = kind.__getattribute__(self, name)
            if not name.startswith("__") and not callable(value):
                touch(self, "read" if isinstance(value, PLAIN) else "write", name)
            return value

        def write(self: Any, name: str, value: Any) -> None:
            touch(self, "write", name)
            kind.__setattr__(self, name, value)

        names: dict[str, Any] = {"__getattribute__": read, "__setattr__": write, "__slots__": ()}
        names["__module__"], names["__qualname__"] = kind.__module__, kind.__qualname__
        with suppress(TypeError):
            shared.__class__ = type(kind.__name__, (kind,), names)

    @contextmanager
    def primitives(self) -> Iterator[None]:
        """Note who uses the locks, semaphores, events and queues of asyncio."""
        originals = [(kind, name, vars(kind)[name]) for kind, names in PRIMITIVES for name in names]
        for kind, name, original in originals:
            setattr(kind, name, self._noting(original))
        try:
            yield
        finally:
            for kind, name, original in originals:
                setattr(kind, name, original)

    def _noting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        touch = self.touch

        def noting(self: object, *args: Any, **options: Any) -> Any:
            touch(self, "write")
            return original(self, *args, **options)

        return noting


def observe(shared: object) -> None:
    """Watch what the tasks of this run share, if its loop has a recorder."""
    recorder = getattr(asyncio.get_running_loop(), "recorder", None)
    if recorder is not None:
        recorder.watch(shared)


def _befores(steps: list[Step]) -> Iterator[tuple[int, set[int], set[int]]]:
    """For every step: who had to come before it by program order, and by what it touches."""
    last: dict[tuple[int, ...], int] = {}
    writer: dict[tuple[int, str], int] = {}
    readers: dict[tuple[int, str], list[int]] = {}
    for index, step in enumerate(steps):
        bound: set[int] = set(range(index)) if step.enabled_by is None else {step.enabled_by}
        if step.task is not None:
            bound.add(last.get(step.task, -1))
            last[step.task] = index
        touched: set[int] = set()
        writes = {thing for thing, mode in step.accesses if mode == "write"}
        for thing in {thing for thing, _ in step.accesses}:
            touched.add(writer.get(thing, -1))
            if thing in writes:
                touched.update(readers.pop(thing, ()))
                writer[thing] = index
            else:
                readers.setdefault(thing, []).append(index)
        yield index, bound - {-1}, touched - {-1, index}


def _pasts(steps: list[Step]) -> Iterator[tuple[int, int, list[int]]]:
    """For every step all that must come before it, as bits, and whom it races with."""
    pasts: list[int] = []
    for index, bound, touched in _befores(steps):
        past = 0
        for each in bound:
            past |= pasts[each] | 1 << each
        rivals = []
        for each in sorted(touched, reverse=True):
            if not past >> each & 1 and steps[each].task and steps[index].task:
                rivals.append(each)
            past |= pasts[each] | 1 << each
        pasts.append(past)
        yield index, past, rivals


def races(steps: list[Step]) -> list[Race]:
    """The races of a run, in the order of their second steps.

    Source:
        Flanagan and Godefroid, Dynamic partial-order reduction, POPL 2005: it is enough to
        reverse steps that touch one thing with nothing ordered in between.
    """
    return [Race(each, index) for index, _, rivals in _pasts(steps) for each in rivals]


def reversing(steps: list[Step], race: Race) -> list[tuple[int, ...]]:
    """Whose steps to take, in order, so that the second step of a race comes before the first.

    All that came before the first one stays; then comes what the second one needs, and
    nothing else, for any other task that ends has callbacks which let nobody pass.
    """
    needed = 0
    after_first = {race.first}
    for index, bound, touched in _befores(steps[: race.second]):
        if (bound | touched) & after_first:
            after_first.add(index)
    for index, bound, touched in reversed([*_befores(steps[: race.second + 1])]):
        if index == race.second or needed >> index & 1:
            for each in bound | touched:
                needed |= 1 << each
    between = range(race.first + 1, race.second)
    kept = [i for i in between if needed >> i & 1 and i not in after_first]
    order = [steps[i].task for i in (*range(race.first), *kept, race.second)]
    return [task for task in order if task is not None]


def trace_of(steps: list[Step]) -> tuple[Any, ...]:
    """What sets a run apart: the order of accesses to each thing, where that matters."""
    counts: dict[tuple[int, ...] | None, int] = {}
    told: dict[tuple[int, str], list[Any]] = {}
    for step in steps:
        counts[step.task] = counts.get(step.task, -1) + 1
        me = (step.task, counts[step.task])
        writes = {thing for thing, mode in step.accesses if mode == "write"}
        for thing in {thing for thing, _ in step.accesses}:
            order = told.setdefault(thing, [])
            if thing in writes:
                order.append(me)
            elif order and isinstance(order[-1], frozenset):
                order[-1] |= {me}
            else:
                order.append(frozenset({me}))
    return tuple(sorted((thing, *order) for thing, order in told.items()))
