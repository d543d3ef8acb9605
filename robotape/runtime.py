"""The run: its clock, entropy and identity, and where in it the code now stands.

The only file of the framework that touches real time and real entropy. It knows
nothing of tapes, policies or tools: the rooms above keep what is theirs in the
run's `state`.
"""

import asyncio
import hashlib
import os
import random
import re
import time
from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

__all__ = [
    "Run",
    "Scope",
    "ambient",
    "attempt_id",
    "current_scope",
    "derive",
    "enter",
    "entered",
    "leave",
    "logical_id",
    "new_uuid",
    "wall_clock",
]


_ATTEMPT = re.compile(r"\*\d+(?=/)")
# Seeded once by the operating system, which costs more than the rest of a run's beginning;
# an instance of our own, so that `random.seed` in user code cannot make ids repeat.
_entropy = random.Random()
os.register_at_fork(after_in_child=_entropy.seed)


def derive(*parts: object) -> str:
    """Hash parts into 32 hexadecimal digits; same parts, same digits, in every process.

    Guarantee: ("ab", "c") and ("a", "bc") differ.
    """
    text = "\x1f".join(map(str, parts))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def attempt_id(call_id: str, attempt: int) -> str:
    """What the ids of calls made inside an attempt begin with: each attempt has its own."""
    return call_id if attempt == 1 else f"{call_id}*{attempt}"


def logical_id(call_id: str) -> str:
    """The id without the attempts of the calls around it.

    A call made again because the call around it was tried again asks for the same thing.
    """
    return _ATTEMPT.sub("", call_id) if "*" in call_id else call_id


class Run:
    """One execution of an agent, from input to result.

    Everything in it that looks like chance flows from `seed`; its instants count
    from 0. The clock is the running loop's, so a simulated loop needs no help to
    make time virtual.

    Attributes:
        seed: The int from which ids and jitter derive.
        run_id: 32 hexadecimal digits, a function of the seed alone.
        time: The loop's clock.
        started_at: The loop's time at the start; `now()` counts from it.
        calls: Calls made in the run so far.
        state: What the rooms above keep for the length of the run, each under its own key.
    """

    __slots__ = ("_random", "calls", "run_id", "seed", "started_at", "state", "time")

    def __init__(self, seed: int | None = None) -> None:
        """Begin a run.

        Args:
            seed: None draws one from the operating system.
        """
        self.seed = _entropy.getrandbits(64) if seed is None else seed
        self.run_id = derive("run", self.seed)
        self.state: dict[str, Any] = {}
        self._random: random.Random | None = None
        self.calls = 0
        self.time = _clock()
        self.started_at = self.time()

    def now(self) -> float:
        """Seconds since the run began, by the loop's clock."""
        return self.time() - self.started_at

    async def sleep(self, delay: float) -> None:
        """Let `delay` seconds of the run's clock pass; >= 0."""
        await asyncio.sleep(delay)

    def random(self) -> float:
        """Draw from [0, 1), from the run's own stream."""
        if self._random is None:
            self._random = random.Random(self.seed)
        return self._random.random()


def _clock() -> Callable[[], float]:
    """The running loop's clock, or the real one where no loop runs."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return time.monotonic
    # The stock loop's clock is this function and a call around it; the tape reads it often.
    is_stock = getattr(type(loop), "time", None) is asyncio.BaseEventLoop.time
    return time.monotonic if is_stock else loop.time


class Scope:
    """Where in a run the code stands: agent, turn, principal, and the ids given out there.

    Attributes:
        run: The run this is part of.
        agent: Path of the agent, such as `team/planner`; empty outside any.
        turn: 1-based turn of the agent's loop; 0 outside it.
        call_id: The call whose body is running; empty outside any.
        principal: On whose behalf calls are made, or None.
        retries_owned: Whether a call further out retries, so that calls in here must not.
        interceptors: Middleware next to the effect, outermost first.
        policies: Every policy in force, the outermost agent's first; all must allow.
        budgets: Every account in force, the outermost agent's first; all are charged.
        deadline: Instant of the run's clock after which nobody waits, or None.
    """

    __slots__ = (
        "_born",
        "_branches",
        "_counts",
        "_task",
        "agent",
        "budgets",
        "call_id",
        "deadline",
        "interceptors",
        "policies",
        "prefix",
        "principal",
        "retries_owned",
        "run",
        "turn",
    )

    def __init__(
        self,
        run: Run,
        *,
        agent: str = "",
        prefix: str = "",
        principal: str | None = None,
        interceptors: tuple[Any, ...] = (),
        policies: tuple[Any, ...] = (),
    ) -> None:
        """Stand at the beginning of a run.

        Args:
            run: The run.
            agent: Path of the agent; empty outside any.
            prefix: What the ids given out here begin with.
            principal: On whose behalf.
            interceptors: Those in force.
            policies: Those in force.
        """
        self.run = run
        self.agent = agent
        self.prefix = prefix
        self.turn = 0
        self.call_id = ""
        self.principal = principal
        self.retries_owned = False
        self.interceptors = interceptors
        self.policies = policies
        self.budgets: tuple[Any, ...] = ()
        self.deadline: float | None = None
        self._counts: dict[str, int] = {}
        self._branches: WeakKeyDictionary[asyncio.Task[Any], _Branch] | None = None
        self._task = _task()
        self._born: int = getattr(self._task, "children", 0)

    def next_id(self, label: str) -> str:
        """Name the next call with this label made from here.

        Guarantee: the name depends on the order of creation within the task that
        asks, never on the order in which concurrent tasks arrive, as far as the
        loop keeps task lineage; on a plain loop tasks count by first arrival.

        Args:
            label: `kind:target` of a call, or `llm`.

        Returns:
            `prefix/label[ordinal]`, ordinal 0-based; in a child task, `prefix~n/label[ordinal]`.
        """
        task = _task()
        if task is self._task or task is None:
            ordinal = self._counts.get(label, 0)
            self._counts[label] = ordinal + 1
            return f"{self.prefix}/{label}[{ordinal}]"
        branch = self._branch(task)
        return f"{self.prefix}~{branch.name}/{label}[{_count(branch.counts, label)}]"

    def _branch(self, task: "asyncio.Task[Any]") -> "_Branch":
        if self._branches is None:
            self._branches = WeakKeyDictionary()
        branch = self._branches.get(task)
        if branch is None:
            name = _lineage_name(self._task, self._born, task)
            branch = _Branch(name or str(_count(self._counts, "~")))
            self._branches[task] = branch
        return branch

    def inner(
        self,
        prefix: str,
        *,
        turn: int = 0,
        call_id: str = "",
        agent: str | None = None,
        retries_owned: bool = False,
        is_same_task: bool = False,
    ) -> "Scope":
        """A place further in, which inherits everything but its name.

        Args:
            prefix: What the ids given out there begin with.
            turn: 1-based, or 0.
            call_id: The call whose body runs there; empty to inherit.
            agent: Path of the agent there; None to inherit.
            retries_owned: Whether the call further out retries; once true, true inside.
            is_same_task: Whether the caller knows that the task is the one of this scope.
        """
        scope = Scope.__new__(Scope)
        scope.run = self.run
        scope.agent = self.agent if agent is None else agent
        scope.prefix = prefix
        scope.turn = turn
        scope.call_id = call_id or self.call_id
        scope.principal = self.principal
        scope.retries_owned = retries_owned or self.retries_owned
        scope.interceptors = self.interceptors
        scope.policies = self.policies
        scope.budgets = self.budgets
        scope.deadline = self.deadline
        scope._counts = {}
        scope._branches = None
        scope._task = self._task if is_same_task else _task()
        # How many tasks it had made before: they must not move the names of those made here.
        scope._born = getattr(scope._task, "children", 0)
        return scope

    def until(self, total: float | None) -> float | None:
        """The instant at which a call begun now must be over.

        Args:
            total: Seconds the call allows itself; None for no limit of its own.
        """
        if total is None:
            return self.deadline
        instant = self.run.now() + total
        return instant if self.deadline is None else min(instant, self.deadline)

    def within(self, interceptor: object) -> "Scope":
        """The same place with one more interceptor, nearest to the effect.

        Ids continue: both scopes count together.
        """
        if self._branches is None:
            self._branches = WeakKeyDictionary()
        twin = Scope.__new__(Scope)
        for name in Scope.__slots__:
            setattr(twin, name, getattr(self, name))
        twin.interceptors = (*self.interceptors, interceptor)
        return twin


class _Branch:
    """One child task of a scope: its name and its own counts."""

    __slots__ = ("counts", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.counts: dict[str, int] = {}


def _count(counts: dict[str, int], label: str) -> int:
    ordinal = counts.get(label, 0)
    counts[label] = ordinal + 1
    return ordinal


def _task() -> "asyncio.Task[Any] | None":
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def _lineage_name(owner: "asyncio.Task[Any] | None", born: int, task: "asyncio.Task[Any]") -> str:
    """The task's place below its owner, `2.0` say; empty where the loop keeps no lineage."""
    lineage: tuple[int, ...] | None = getattr(task, "robotape_lineage", None)
    if lineage is None:
        return ""
    above: tuple[int, ...] = getattr(owner, "robotape_lineage", ())
    if lineage[: len(above)] != above:
        return "^" + ".".join(map(str, lineage))  # begun by somebody else, a timer say
    first, *rest = lineage[len(above) :]
    return ".".join(map(str, (first - born, *rest)))


_scope: ContextVar[Scope | None] = ContextVar("robotape_scope", default=None)


# The variable's own methods: a function around one costs more than it does, at every call and
# every cache hit.
# Where the caller stands, or None outside any run:
current_scope: Callable[[], Scope | None] = _scope.get
# Stand in a scope until `leave`; give the token back in a `finally`:
enter: Callable[[Scope], Token[Scope | None]] = _scope.set
# Stand again where one stood before `enter`:
leave: Callable[[Token[Scope | None]], None] = _scope.reset


class entered:  # lower case: it reads as the function it could be, at a third of the cost
    """Stand in a scope for the length of a block."""

    __slots__ = ("_scope", "_token")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __enter__(self) -> Scope:
        self._token = _scope.set(self._scope)
        return self._scope

    def __exit__(self, *_: object) -> None:
        _scope.reset(self._token)


def ambient(seed: int | None = None) -> Scope:
    """Where runs may begin: a scope outside any agent, from whose seed theirs derive."""
    return Scope(Run(seed))


def new_uuid() -> UUID:
    """A version 4 UUID, from the current run's stream if there is one."""
    scope = _scope.get()
    if scope is None:
        return UUID(int=_entropy.getrandbits(128), version=4)
    counts = scope.run.state
    ordinal = counts["uuids"] = counts.get("uuids", 0) + 1
    return UUID(hex=derive(scope.run.seed, "uuid", ordinal), version=4)


def wall_clock() -> float:
    """Seconds since 1970 (UTC), for what the outside says in dates; never for durations.

    A simulated loop keeps its own, as `robotape_wall_clock`; elsewhere it is the real one.
    """
    try:
        own: Callable[[], float] | None = getattr(
            asyncio.get_running_loop(), "robotape_wall_clock", None
        )
    except RuntimeError:
        own = None
    return time.time() if own is None else own()
