"""One simulated run and everything it leaves to be judged.

It runs a scenario and says how that ended; what is good or bad about it, oracles say.
"""

import asyncio
import inspect
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from robotape.agents import RunResult
from robotape.calls import Call, CallNext, Middleware
from robotape.models.record import encode
from robotape.runtime import ambient, current_scope, entered
from robotape.secrets import redactor
from robotape.tape import Tape, tape_of
from robotape_harness.ledger import EffectLedger
from robotape_harness.scenario import Scenario, ScenarioError
from robotape_harness.simulation.asyncio_internals import run_outside
from robotape_harness.simulation.choices import Choices
from robotape_harness.simulation.clearing import clear_away
from robotape_harness.simulation.detect import (
    CallLimitError,
    HangError,
    WaitingTask,
    describe_task,
)
from robotape_harness.simulation.handle import RunHandle
from robotape_harness.simulation.loop import SimLoop
from robotape_harness.simulation.watchdog import BlockedThreadError

__all__ = ["Ending", "Limits", "RunHandle", "Trial", "simulate"]

Ending = Literal["answered", "raised", "cancelled", "hung", "blocked", "target_error"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a simulated run may use up.

    Attributes:
        steps: Loop steps in all.
        idle_steps: Loop steps without virtual time passing.
        calls: Attempts of calls in all.
        blocked: Real seconds for which one step may hold the thread.
    """

    steps: int = 1_000_000
    idle_steps: int = 100_000
    calls: int = 100_000
    blocked: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What one simulated run left behind.

    Attributes:
        ending: How it ended. `answered`: a result came. `raised`: an error came out.
            `cancelled`: CancelledError came out. `hung`: deadlock, livelock, a step limit or
            the scenario's deadline. `blocked`: one step held the thread. `target_error`: the
            scenario itself is at fault (its script ran out, it raised a BaseException).
        result: For `answered`.
        error: What came out, or the report of what hung or blocked.
        tape: Whatever was written, also where nothing came out.
        ledger: Whatever happened.
        outcome: The scenario's outcome as canonical JSON text, known secrets taken out; empty
            unless `answered`.
        seconds: Virtual seconds it took; what the harness does after it, a late reply say, is
            in the ledger and on the tape, and counts neither here nor among the steps.
        steps: Loop steps it took.
        leftovers: Tasks and timers that were left, described.
        choices: What was decided, for replay.
    """

    ending: Ending
    # What is large, or shows an address, is left out of what a failed assertion prints.
    result: RunResult | None = field(repr=False)
    error: BaseException | None
    tape: Tape = field(repr=False)
    ledger: EffectLedger = field(repr=False)
    outcome: str
    seconds: float
    steps: int
    leftovers: tuple[str, ...]
    choices: Choices = field(repr=False)


def simulate(
    scenario: Scenario,
    *,
    seed: int = 0,
    choices: Choices | None = None,
    interceptors: Sequence[Middleware] = (),
    limits: Limits | None = None,
) -> Trial:
    """Run a scenario once in virtual time, in a world made for it.

    Guarantee: same scenario, seed and choices, same tape, byte for byte, in every process.
    However the run ends, nothing of it stays in the process: no task, timer, context
    variable, signal handler or event loop. May be called where a loop is running.

    Args:
        seed: From which the run's ids and jitter derive.
        choices: Every decision of the schedule; None is first in, first out.
        interceptors: See every attempt of every call, outermost first; one with a method
            `bind` is given the `RunHandle` first.
        limits: None for the defaults.

    Raises:
        KeyboardInterrupt: Ctrl-C, or the agent raised it.
    """
    limits = limits or Limits()
    loop = SimLoop(
        choices,
        seed=seed,
        step_limit=limits.steps,
        idle_step_limit=limits.idle_steps,
        time_limit=scenario.deadline,
        block_limit=limits.blocked,
    )
    loop.set_exception_handler(_ignore)
    try:
        allowance = _Allowance(loop, limits.calls)
        run = _SimulatedRun(scenario, seed, (allowance, *interceptors))
        task = loop.create_task(run.live(), name="run")
        run.handle = RunHandle(loop, task)
        for interceptor in interceptors:
            bind = getattr(interceptor, "bind", None)
            if bind is not None:
                bind(run.handle)
        failure = _drive(loop, task)
        end = _End.of(loop, run.handle)
        if failure is None and run.handle.is_awaited:
            failure = _settle(run, loop)
        ending, error = _ending(run, loop, task, failure)
        return _trial(run, end, loop, ending, error)
    finally:
        clear_away(loop)


@dataclass(frozen=True, slots=True)
class _End:
    """A run at the instant at which it ended.

    Attributes:
        seconds: Virtual seconds it took.
        steps: Loop steps it took.
        tasks: What it left unfinished.
    """

    seconds: float
    steps: int
    tasks: tuple[WaitingTask, ...]

    @classmethod
    def of(cls, loop: SimLoop, handle: RunHandle) -> Self:
        left = [task for task in loop.unfinished() if task not in handle.asides]
        return cls(loop.time(), loop.steps, tuple(map(describe_task, left)))


class _SimulatedRun:
    """One life of a scenario: made, run, asked for its outcome."""

    def __init__(self, scenario: Scenario, seed: int, interceptors: Sequence[Middleware]) -> None:
        self._scenario = scenario
        self._seed = seed
        self.witness = _Witness()
        self._interceptors = (*interceptors, self.witness)
        self._tape = Tape()
        self.ledger = EffectLedger()
        self.result: RunResult | None = None
        self.outcome = ""
        self.blamed: BaseException | None = None
        self.handle: RunHandle | None = None
        self._world: Any = None

    @property
    def tape(self) -> Tape:
        """The one that was written, also where the scenario starts its agent in its own way."""
        if len(self._tape):
            return self._tape
        if self.result is not None:
            return self.result.tape
        return self.witness.tape or self._tape

    async def live(self) -> None:
        """Be the main task of the run."""
        scope = ambient(self._seed)
        scope.interceptors = self._interceptors
        with entered(scope):
            await self._live()

    async def _live(self) -> None:
        scenario = self._scenario
        with self._blaming("world"):
            self._world = world = scenario.world()
            self.ledger = _ledger_of(world)
        with self._blaming("agent"):
            agent = scenario.agent(world)
        result = await self._begin(agent, world)
        with self._blaming("run"):
            self.result = _checked(result)
        if self.handle is None or not self.handle.is_awaited:
            self.conclude()

    def conclude(self) -> None:
        """Ask for the outcome, once all that happens has happened."""
        if self.result is not None:
            with self._blaming("outcome"):
                self.outcome = _canonical(self._scenario.outcome(self.result, self._world))

    def _begin(self, agent: Any, world: Any) -> Any:
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


class _Allowance:
    """Stands before every attempt, and ends a run that makes too many."""

    def __init__(self, loop: SimLoop, calls: int) -> None:
        self._loop = loop
        self._left = self._calls = calls

    async def __call__(self, call: Call, call_next: CallNext) -> Any:
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
            if self.blamed is None and _is_scenarios_fault(error):
                self.blamed = error
            raise


def _is_scenarios_fault(error: BaseException) -> bool:
    """Whether no agent could be expected to live with it."""
    if isinstance(error, Exception):
        return isinstance(error, ScenarioError)
    return not isinstance(error, asyncio.CancelledError | GeneratorExit | KeyboardInterrupt)


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


def _drive(loop: SimLoop, task: asyncio.Task[None]) -> BaseException | None:
    """Run the loop until the task is done and what was ready then has had its turn.

    Returns:
        What ended the run from outside the task, or None.
    """
    task.add_done_callback(_stop_behind_the_others)
    try:
        run_outside(loop.run_forever)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return error
    return None


def _settle(run: _SimulatedRun, loop: SimLoop) -> BaseException | None:
    """Let what is done outside the run be done, then ask for the outcome.

    Returns:
        What made it impossible to judge; that something out there never ends is no fault of
        the run's.
    """
    assert run.handle is not None
    failure = _drive(loop, loop.create_task(run.handle.settle(), name="settle"))
    with suppress(Exception):  # taken down by the run
        run.conclude()
    return failure if isinstance(failure, BlockedThreadError) else None


def _stop_behind_the_others(task: asyncio.Task[None]) -> None:
    loop = task.get_loop()
    loop.call_soon(loop.stop)


def _ending(
    run: _SimulatedRun, loop: SimLoop, task: asyncio.Task[None], failure: BaseException | None
) -> tuple[Ending, BaseException | None]:
    """Name how a run ended: a blocked thread first, then the scenario's own faults."""
    if isinstance(failure, BlockedThreadError):
        return "blocked", failure
    foreign = None if isinstance(failure, HangError) else failure
    escape = loop.escapes[0] if loop.escapes else None
    suspects = (run.blamed, run.witness.blamed, escape, loop.choices.divergence, foreign)
    blamed = next((error for error in suspects if error is not None), None)
    if blamed is not None:
        return "target_error", blamed
    if failure is not None:
        return "hung", failure
    return _ending_of(task)


def _ending_of(task: asyncio.Task[None]) -> tuple[Ending, BaseException | None]:
    try:
        task.result()
    except asyncio.CancelledError as error:
        return "cancelled", error
    except BaseException as error:
        return ("target_error" if _is_scenarios_fault(error) else "raised"), error
    return "answered", None


def _trial(
    run: _SimulatedRun, end: _End, loop: SimLoop, ending: Ending, error: BaseException | None
) -> Trial:
    """Take down what is to be judged, before what is left over is cleared away."""
    is_answered = ending == "answered"
    return Trial(
        ending=ending,
        result=run.result if is_answered else None,
        error=error,
        # Clearing away makes tasks write on, which is no part of the run.
        tape=_copied(run.tape) if loop.unfinished() else run.tape,
        ledger=run.ledger.clone() if loop.unfinished() else run.ledger,
        outcome=run.outcome if is_answered else "",
        seconds=end.seconds,
        steps=end.steps,
        leftovers=tuple(map(str, (*end.tasks, *loop.leftovers().timers))),
        choices=loop.choices,
    )


def _copied(tape: Tape) -> Tape:
    return Tape.from_jsonl(tape.jsonl())


def _ignore(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say nothing of tasks whose error nobody fetched: when, the garbage collector decides."""
