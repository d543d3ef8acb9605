"""The lives of a simulated run: made, run, asked for their outcome; who is to blame for what.

What comes out of it, `trial` says.
"""

import asyncio
import inspect
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from robotape.agents import RunResult
from robotape.calls import Call, CallNext, Middleware
from robotape.models.record import encode
from robotape.runtime import ambient, current_scope, entered
from robotape.secrets import redactor
from robotape.tape import Tape, tape_of
from robotape_harness.ledger import EffectLedger
from robotape_harness.scenario import Scenario, ScenarioError
from robotape_harness.simulation.accesses import observe
from robotape_harness.simulation.death import LIFE, Process, ProcessDied
from robotape_harness.simulation.detect import CallLimitError
from robotape_harness.simulation.handle import RunHandle
from robotape_harness.simulation.loop import SimLoop

__all__ = ["Allowance", "NotResumable", "SimulatedRun", "is_scenarios_fault"]


class NotResumable(ScenarioError):
    """The process of a run cannot die at a write, for nobody could go on from there."""

    def __str__(self) -> str:
        return (
            "the agent does not write on the tape it would be given, for the scenario starts it "
            "in its own way, by `run`, or it keeps one of its own; so nobody could go on from "
            "there, and its process cannot die at a write"
        )


class SimulatedRun:
    """A scenario at work: made, run, asked for its outcome; in one life, or in several.

    Attributes:
        witness: Stands next to every effect.
        ledger: What happened.
        result: What came out; None as long as nothing has.
        outcome: What the scenario makes of it.
        blamed: What the scenario itself raised.
        ended_after: After how many steps of the loop the main task was over.
        buried: The tasks that the dead have left.
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        loop: SimLoop,
        interceptors: Sequence[Middleware],
        process: Process | None = None,
    ) -> None:
        """Be ready for the first life.

        Args:
            scenario: What is run.
            seed: From which ids and jitter derive.
            loop: On which it runs.
            interceptors: See every attempt, the outermost first.
            process: What can die; None where nothing can.
        """
        self._scenario = scenario
        self._seed = seed
        self._loop = loop
        self._process = process
        self.witness = _Witness()
        gate = () if process is None else (process,)
        self._interceptors = (*gate, *interceptors, self.witness)
        self._tape = Tape()
        self.handle = RunHandle(loop, process)
        self.ledger = EffectLedger()
        self.result: RunResult | None = None
        self.outcome = ""
        self.blamed: BaseException | None = None
        self.ended_after = 0
        self.buried: list[asyncio.Task[Any]] = []
        self._world: Any = None

    @property
    def tape(self) -> Tape:
        """The one that was written, also where the scenario starts its agent in its own way."""
        if len(self._tape):
            return self._tape
        if self.result is not None:
            return self.result.tape
        return self.witness.tape or self._tape

    @property
    def is_resumable(self) -> bool:
        """Whether the agent writes on the tape it is given, so that another one can go on there."""
        return self._scenario.run is None and len(self._tape) > 0

    def begin(self) -> "asyncio.Task[None]":
        """Begin a life; its main task."""
        self.result, self.outcome = None, ""
        self._tape = Tape() if self._process is None else self._process.tape()
        self.handle.tape = self._tape
        self.handle.task = self._loop.create_task(self._live(), name="run")
        return self.handle.task

    def end_life(self) -> None:
        """Be dead, and about to begin the next life in the same world."""
        assert self._process is not None
        self._process.die()
        self._process.rise()
        left = [*self.handle.asides, *self.buried]
        self.buried += [task for task in self._loop.unfinished() if task not in left]

    async def _live(self) -> None:
        """Be the main task of a life."""
        scope = ambient(self._seed)
        scope.interceptors = self._interceptors
        try:
            with entered(scope):
                await self._work()
        finally:
            self.ended_after = self._loop.steps

    async def _work(self) -> None:
        scenario = self._scenario
        if self._world is None:
            with self._blaming("world"):
                world = scenario.world()
                self.ledger = _ledger_of(world)
                observe(world)
                self._world = world
        if self._process is not None:
            self._belong(self._process)
        with self._blaming("agent"):
            agent = scenario.agent(self._world)
        result = await self._begun(agent, self._world)
        if self._process is not None and self._process.is_dead_here:
            return
        with self._blaming("run"):
            self.result = _checked(result)
        if not self.handle.is_awaited:
            self.conclude()

    def _belong(self, process: Process) -> None:
        """Belong to a life from here on; the world does not."""
        with self._blaming("run"):
            if self._scenario.run is not None:
                raise NotResumable
        self.ledger.watch(process)
        LIFE.set(process.life)

    @property
    def is_inconclusive(self) -> bool:
        """Whether it gave a result and was not asked for its outcome yet."""
        return self.result is not None and not self.outcome and self.blamed is None

    def conclude(self) -> None:
        """Ask for the outcome, once all that happens has happened."""
        if self.result is not None:
            with self._blaming("outcome"):
                self.outcome = _canonical(self._scenario.outcome(self.result, self._world))

    def _begun(self, agent: Any, world: Any) -> Any:
        scenario = self._scenario
        if scenario.run is None:
            return agent.run(
                scenario.task, deps=world, principal=scenario.principal, tape=self._tape
            )
        with self._blaming("run"):
            begun = scenario.run(agent, world, scenario.task)
            if not inspect.isawaitable(begun):
                raise ScenarioError("a scenario's `run` must be async: it gave nothing to await")
        return begun

    @contextmanager
    def _blaming(self, part: str) -> Iterator[None]:
        """Whatever is raised in here is the scenario's fault, not the agent's."""
        try:
            yield
        except Exception as error:
            error.add_note(f"robotape: raised by the scenario's `{part}`")
            self.blamed = error
            raise


class Allowance:
    """Stands before every attempt, and ends a run that makes too many."""

    def __init__(self, loop: SimLoop, calls: int) -> None:
        self._loop = loop
        self._left = self._calls = calls

    async def __call__(self, call: Call, call_next: CallNext) -> Any:
        """Let an attempt pass.

        Raises:
            CallLimitError: It is one too many; the run itself ends with it as well.
        """
        self._left -= 1
        if self._left < 0:
            error = CallLimitError(self._loop.time(), self._calls, call.target or call.kind)
            # Out of the loop, for an agent may swallow it; and out of the call, for one that
            # never waits does not let the loop have its turn.
            self._loop.fail(error)
            raise error
        return await call_next(call)


class _Witness:
    """Stands next to every effect, and remembers what must not be lost if an agent swallows it."""

    def __init__(self) -> None:
        self.tape: Tape | None = None
        self.blamed: BaseException | None = None

    async def __call__(self, call: Call, call_next: CallNext) -> Any:
        if self.tape is None:
            self.tape = tape_of(current_scope())
        try:
            return await call_next(call)
        except BaseException as error:
            if self.blamed is None and is_scenarios_fault(error):
                self.blamed = error
            raise


def is_scenarios_fault(error: BaseException) -> bool:
    """Whether no agent could be expected to live with it."""
    if isinstance(error, Exception):
        return isinstance(error, ScenarioError)
    tolerated = asyncio.CancelledError | GeneratorExit | KeyboardInterrupt | ProcessDied
    return not isinstance(error, tolerated)


def _ledger_of(world: object) -> EffectLedger:
    ledger = getattr(world, "ledger", None)
    if not isinstance(ledger, EffectLedger):
        raise ScenarioError(
            f"a {type(world).__qualname__} is no world: its `ledger` must be an EffectLedger;"
            " derive it from robotape_harness.World"
        )
    return ledger


def _checked(result: object) -> RunResult:
    if not isinstance(result, RunResult):
        raise ScenarioError(f"the run gave a {type(result).__qualname__}, not a RunResult")
    return result


def _canonical(outcome: object) -> str:
    """Equal text for equal outcomes, whatever the order of their keys."""
    value = json.loads(redactor().data(encode(outcome)))
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
