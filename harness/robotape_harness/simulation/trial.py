"""One simulated run and everything it leaves to be judged.

It runs a scenario and says how that ended; what is good or bad about it, oracles say.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Literal, Self

from robotape.agents import RunResult
from robotape.calls import Middleware
from robotape.tape import Tape
from robotape_harness.ledger import EffectLedger
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.asyncio_internals import run_outside
from robotape_harness.simulation.choices import Choices
from robotape_harness.simulation.clearing import clear_away
from robotape_harness.simulation.death import LIFE, MortalLoop, Process, ProcessDied
from robotape_harness.simulation.detect import HangError, WaitingTask
from robotape_harness.simulation.handle import RunHandle
from robotape_harness.simulation.life import Allowance, SimulatedRun, is_scenarios_fault
from robotape_harness.simulation.loop import SimLoop
from robotape_harness.simulation.schedules import Schedule
from robotape_harness.simulation.waits import describe_tasks
from robotape_harness.simulation.watchdog import BlockedThreadError

__all__ = ["Ending", "Life", "Limits", "RunHandle", "Trial", "simulate"]

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
class Life:
    """What a process of the run had done when it died.

    Attributes:
        tape: What it had written, read back from the bytes that it left; the tape of the run
            begins with it.
        commits: How many effects were in the ledger.
        seconds: Virtual seconds since the run began.
    """

    tape: Tape = field(repr=False)
    commits: int
    seconds: float


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
        lives: The processes of the run that died, oldest first; what is said above is of the
            last one, which resumed where they ended, and of the one world they all lived in.
        awaits: How many steps it took until the last in which it could still be cancelled.
        is_resumable: Whether its agent wrote on the tape that it was given, so that after a
            death another process can go on there.
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
    lives: tuple[Life, ...] = ()
    awaits: int = 0
    is_resumable: bool = False

    @property
    def crashed_at(self) -> float | None:
        """Virtual seconds after which its process died for the first time; None if it did not."""
        return self.lives[0].seconds if self.lives else None


def simulate(
    scenario: Scenario,
    *,
    seed: int = 0,
    choices: Choices | None = None,
    schedule: Schedule | None = None,
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
        schedule: What decides where `choices` come from a seed; None for uniform.
        interceptors: See every attempt of every call, outermost first; one with a method
            `bind` is given the `RunHandle` first.
        limits: None for the defaults.

    Raises:
        KeyboardInterrupt: Ctrl-C, or the agent raised it.
    """
    limits = limits or Limits()
    is_mortal = any(getattr(each, "kills", False) for each in interceptors)
    loop = (MortalLoop if is_mortal else SimLoop)(
        choices,
        seed=seed,
        schedule=schedule,
        step_limit=limits.steps,
        idle_step_limit=limits.idle_steps,
        time_limit=scenario.deadline,
        block_limit=limits.blocked,
    )
    loop.set_exception_handler(_ignore)
    try:
        process = Process(loop) if isinstance(loop, MortalLoop) else None
        stations = (Allowance(loop, limits.calls), *interceptors)
        run = SimulatedRun(scenario, seed, loop, stations, process)
        for interceptor in interceptors:
            bind = getattr(interceptor, "bind", None)
            if bind is not None:
                bind(run.handle)
        lives, failure = _live(run, loop, process)
        end = _End.of(loop, run, lives)
        if failure is None and (run.handle.is_awaited or run.is_inconclusive):
            failure = _settle(run, loop)
        return _trial(run, end, loop, failure)
    finally:
        clear_away(loop)


@dataclass(frozen=True, slots=True)
class _End:
    """A run at the instant at which it ended.

    Attributes:
        seconds: Virtual seconds it took.
        steps: Loop steps it took.
        tasks: What it left unfinished.
        lives: The processes that died.
    """

    seconds: float
    steps: int
    tasks: tuple[WaitingTask, ...]
    lives: tuple[Life, ...]

    @classmethod
    def of(cls, loop: SimLoop, run: SimulatedRun, lives: tuple[Life, ...]) -> Self:
        apart = {*run.handle.asides, *run.buried}
        left = [task for task in loop.unfinished() if task not in apart]
        return cls(loop.time(), loop.steps, describe_tasks(left)[0], lives)


def _live(
    run: SimulatedRun, loop: SimLoop, process: Process | None
) -> tuple[tuple[Life, ...], BaseException | None]:
    """Live one life after the other, until one ends by itself.

    Returns:
        Those that did not; and what ended the last from outside its task, or None.
    """
    lives: list[Life] = []
    while True:
        failure = _drive(loop, run.begin(), None if process is None else process.life)
        if process is None:
            return (), failure
        if not isinstance(failure, ProcessDied):
            process.spare()
            return tuple(lives), failure
        run.end_life()
        tape = Tape.from_jsonl(BytesIO(process.left)) if process.left else Tape()
        lives.append(Life(tape=tape, commits=len(run.ledger), seconds=loop.time()))


def _drive(
    loop: SimLoop, task: asyncio.Task[None], life: int | None = None
) -> BaseException | None:
    """Run the loop until the task is done and what was ready then has had its turn.

    Args:
        task: Whose end is the end.
        life: Whose main task it is; the loop is not stopped for the dead.

    Returns:
        What ended the run from outside the task, or None.
    """
    context = copy_context()
    context.run(LIFE.set, life)
    task.add_done_callback(_stop_behind_the_others, context=context)
    try:
        run_outside(loop.run_forever)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return error
    return None


def _settle(run: SimulatedRun, loop: SimLoop) -> BaseException | None:
    """Let what is done outside the run be done, then ask for the outcome.

    Returns:
        What made it impossible to judge; that something out there never ends is no fault of
        the run's.
    """
    failure = _drive(loop, loop.create_task(run.handle.settle(), name="settle"))
    with suppress(Exception):  # taken down by the run
        run.conclude()
    return failure if isinstance(failure, BlockedThreadError) else None


def _stop_behind_the_others(task: asyncio.Task[None]) -> None:
    loop = task.get_loop()
    loop.call_soon(loop.stop)


def _ending(
    run: SimulatedRun, loop: SimLoop, failure: BaseException | None
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
    assert run.handle.task is not None
    return _ending_of(run.handle.task)


def _ending_of(task: asyncio.Task[None]) -> tuple[Ending, BaseException | None]:
    try:
        task.result()
    except asyncio.CancelledError as error:
        return "cancelled", error
    except BaseException as error:
        return ("target_error" if is_scenarios_fault(error) else "raised"), error
    return "answered", None


def _trial(run: SimulatedRun, end: _End, loop: SimLoop, failure: BaseException | None) -> Trial:
    """Take down what is to be judged, before what is left over is cleared away."""
    ending, error = _ending(run, loop, failure)
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
        lives=end.lives,
        awaits=run.ended_after - 1,
        is_resumable=run.is_resumable,
    )


def _copied(tape: Tape) -> Tape:
    return Tape.from_jsonl(tape.jsonl())


def _ignore(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say nothing of tasks whose error nobody fetched: when, the garbage collector decides."""
