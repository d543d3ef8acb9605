"""Allowances: what of the real world a simulated run may touch, and from which modules.

It holds what was allowed; who asks, and what is refused otherwise, others say.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from dataclasses import dataclass
from math import inf
from typing import Literal, get_args

from robotape.errors import RobotapeError

__all__ = [
    "Allowance",
    "AllowanceError",
    "Kind",
    "allow_real",
    "allowances",
    "carry",
    "grace",
    "is_given",
]

Kind = Literal["clock", "entropy", "executor", "sockets", "subprocesses", "threads"]
KINDS: tuple[str, ...] = get_args(Kind)
OF_THE_RUN = frozenset({"executor", "threads"})  # these concern the loop, not who calls


class AllowanceError(RobotapeError, ValueError):
    """What is to be allowed is nothing that can be.

    Attributes:
        problem: What is wrong, and the way out.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Allowance:
    """Something of the real world that a run may touch.

    Attributes:
        what: The kinds.
        modules: To whom, with the modules below them; empty for everybody.
        grace: Real seconds for which the loop waits for another thread before time jumps.
    """

    what: frozenset[str]
    modules: tuple[str, ...]
    grace: float

    def covers(self, kind: str, module: str) -> bool:
        """Whether code of a module may touch this kind of thing."""
        if kind not in self.what:
            return False
        return not self.modules or any(f"{module}.".startswith(f"{m}.") for m in self.modules)


_allowances: ContextVar[tuple[Allowance, ...]] = ContextVar("robotape_allowances", default=())
allowances = _allowances.get
"""Those in force for the calling code, the newest last."""


@contextmanager
def allow_real(*what: Kind, modules: Iterable[str] = (), grace: float = 0.1) -> Iterator[None]:
    """Let simulated runs touch the real world, in this block and in tasks begun in it.

    What is real does not replay: a run that uses it is only as repeatable as that is.

    Args:
        what: `clock` and `entropy`: the real ones. `executor`: functions given to an executor
            run in real threads, for which the virtual clock stands still. `threads`: other
            threads may be started, and may wake the loop. `subprocesses`, `sockets`: blocking
            ones; asyncio's own need a loop that does I/O.
        modules: Names of modules whose code alone may, with the modules below them: the
            innermost code outside the standard library counts. Not for `executor`, `threads`.
        grace: Real seconds for which a loop that has nothing left to do waits for another
            thread before time jumps; > 0. For `threads`.

    Raises:
        AllowanceError: There is no such kind, modules are given where they mean nothing, or
            the grace is no positive number of seconds.
    """
    unknown = sorted(set(what) - set(KINDS))
    if unknown or not what:
        named = ", ".join(map(repr, unknown)) or "nothing"
        raise AllowanceError(f"cannot allow {named}: there are {', '.join(KINDS)}")
    names = (modules,) if isinstance(modules, str) else tuple(modules)
    if names and not OF_THE_RUN.isdisjoint(what):
        raise AllowanceError("executor and threads are allowed to a whole run: leave modules out")
    if not 0 < grace < inf:
        raise AllowanceError(f"grace is {grace!r}, and must be a positive number of real seconds")
    token = _allowances.set((*_allowances.get(), Allowance(frozenset(what), names, grace)))
    try:
        yield
    finally:
        _allowances.reset(token)


def carry(context: Context) -> Context:
    """Put what is allowed here into another context, and give that back."""
    if _allowances.get():
        context.run(_allowances.set, _allowances.get())
    return context


def is_given(kind: Kind) -> bool:
    """Whether the calling code's run as a whole may touch this kind of thing."""
    return any(kind in allowance.what for allowance in _allowances.get())


def grace() -> float:
    """Real seconds for which other threads are waited for; 0 where they are not allowed."""
    given = (each.grace for each in _allowances.get() if "threads" in each.what)
    return max(given, default=0.0)
