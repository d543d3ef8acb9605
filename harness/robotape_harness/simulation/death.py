"""Death: the simulated process of a run dies at a write, and what was dead does nothing more.

A run is lived in one process after the other, in the same world and time. The dead are kept
from the world without an exception, for agents catch those and have `finally` blocks, which
a process that dies has not. How the next life goes on, `trial` says.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context, ContextVar
from io import BytesIO
from itertools import count
from typing import Any, Literal, TypeVarTuple
from weakref import WeakValueDictionary

from robotape.calls import Call, CallNext
from robotape.models.record import Record
from robotape.tape import Tape
from robotape_harness.simulation.loop import SimLoop

__all__ = ["LIFE", "Moment", "MortalLoop", "MortalTape", "Process", "ProcessDied"]

Ts = TypeVarTuple("Ts")

Moment = Literal["write", "commit"]
"""What lasts: a record on the tape, an effect in the ledger."""

LIFE: ContextVar[int | None] = ContextVar("robotape_life", default=None)
"""The life of its run that the code belongs to, 1-based; None for the world and the harness."""


class ProcessDied(BaseException):
    """The simulated process is dead; it ends a run, and comes out of what the dead must not do."""


class MortalLoop(SimLoop):
    """A loop whose processes can die: it knows the life of each callback, and drops the dead's.

    A callback belongs to the life in whose context it runs; one with an empty context, as
    functions given to an executor have, to the life that asked for it.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self.buried = 0
        # By life and number, for timers are equal that are due at one instant and do the same.
        self._handles: WeakValueDictionary[tuple[int, int], asyncio.Handle] = WeakValueDictionary()
        self._numbers = count()
        super().__init__(*args, **options)

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Do as any loop, unless the dead ask."""
        return self._kept(super().call_soon(callback, *args, context=context), context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Do as any loop, unless the dead ask."""
        timer = super().call_at(when, callback, *args, context=context)
        self._kept(timer, context)
        return timer

    def _kept(self, handle: asyncio.Handle, context: Context | None) -> asyncio.Handle:
        life = context.get(LIFE) if context else LIFE.get()
        if life is not None:
            if life <= self.buried:
                handle.cancel()
            else:
                self._handles[life, next(self._numbers)] = handle
        return handle

    def bury(self, life: int) -> None:
        """Drop whatever a life has queued or set, now and later."""
        self.buried = life
        for (whose, _), handle in list(self._handles.items()):
            if whose <= life:
                handle.cancel()


class Process:
    """The simulated process of a run: when it dies, and what keeps the dead from the world.

    A death at a write is sudden: the record is the last that is on the tape. One at a commit
    comes with the end of the step in which it was made, or before the next record, whatever is
    first: the service that makes it is another process, and finishes what it does.

    Attributes:
        life: The one that is lived now, 1-based.
        left: What the tape's file holds that the last life left; empty before any did.
    """

    def __init__(self, loop: MortalLoop) -> None:
        """Begin the first life."""
        self.life = 1
        self.left = b""
        self._loop = loop
        self._tape: Tape | None = None
        self._counts: dict[Moment, int] = {"write": 0, "commit": 0}
        self._planned: dict[tuple[Moment, int], Callable[[], None]] = {}
        self._doom: Callable[[], None] | None = None

    def tape(self) -> Tape:
        """What this life writes on: a new tape, or what the life before it left in the file."""
        tape = MortalTape.from_jsonl(BytesIO(self.left)) if self.left else MortalTape()
        tape.process = self
        self._tape = tape
        return tape

    def plan(self, event: Moment, number: int, told: Callable[[], None]) -> None:
        """Have the process die right after something that lasts.

        Args:
            event: After what.
            number: After the how manyth of the whole run, 1-based.
            told: Called at that instant, before anything is dropped.
        """
        self._planned[event, number] = told

    @property
    def is_dead_here(self) -> bool:
        """Whether the code that asks belongs to a life that is over."""
        life = LIFE.get()
        return life is not None and life <= self._loop.buried

    def die(self) -> None:
        """End this life, if it has not ended yet; the present step goes on, and reaches nothing."""
        if self._loop.buried == self.life:
            return
        doom, self._doom = self._doom, None
        if doom is not None:
            doom()
        if self._tape is not None and self._tape.is_begun:
            self.left = self._tape.to_bytes()
        self._loop.bury(self.life)
        if self._loop.is_running():
            self._loop.fail(ProcessDied())

    def rise(self) -> None:
        """Begin the next life."""
        self.life += 1

    def spare(self) -> None:
        """Let nobody die any more: the run is over."""
        self._planned.clear()
        self._doom = None

    async def __call__(self, call: Call, call_next: CallNext) -> Any:
        """Let a call pass, unless the dead make it: they wait for ever."""
        if self.is_dead_here:
            await asyncio.get_running_loop().create_future()
        return await call_next(call)

    # -- what lasts

    def writing(self) -> None:
        """Hear that a record comes next."""
        if self._doom is not None:
            self.die()

    def written(self) -> None:
        """Hear that one was written."""
        if not self.is_dead_here:
            self._doom = self._due("write")
            self.writing()

    def committing(self) -> None:
        """Hear that an effect comes next.

        Raises:
            ProcessDied: The dead want it.
        """
        if self.is_dead_here:
            raise ProcessDied

    def committed(self) -> None:
        """Hear that one happened."""
        self._doom = self._doom or self._due("commit")
        if self._doom is not None:
            self._loop.fail(ProcessDied())

    def _due(self, event: Moment) -> Callable[[], None] | None:
        self._counts[event] += 1
        return self._planned.pop((event, self._counts[event]), None)


class MortalTape(Tape):
    """A tape whose writer may die of each record.

    Attributes:
        process: Who writes; None as long as nobody does.
    """

    process: Process | None = None

    def write(self, entry: Record) -> Record:
        """Write a step down; see `Tape.write`."""
        if self.process is None:
            return super().write(entry)
        self.process.writing()
        written = super().write(entry)
        self.process.written()
        return written
