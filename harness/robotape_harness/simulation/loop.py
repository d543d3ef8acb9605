"""SimLoop: an asyncio event loop on virtual time, whose every decision is a choice.

It does no I/O, starts no thread and knows no network; an agent run on it twice with the
same choices does the same things in the same order.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from math import inf
from typing import Any

from robotape_harness.simulation.asyncio_internals import task_of
from robotape_harness.simulation.choices import Choices
from robotape_harness.simulation.detect import (
    BusyTask,
    DeadlockError,
    Leftovers,
    LivelockError,
    StepLimitError,
    TimeLimitError,
    WaitingTask,
    describe_timer,
)
from robotape_harness.simulation.executors import ExecutorLoop
from robotape_harness.simulation.line import Preemption
from robotape_harness.simulation.schedules import ON, Schedule, bind
from robotape_harness.simulation.virtual import virtual
from robotape_harness.simulation.waits import describe_tasks
from robotape_harness.simulation.watchdog import watch

__all__ = ["SimLoop"]

YEAR = 366 * 86_400.0
SAMPLE = 1_000  # steps before a limit in which the busiest tasks are counted
BUSIEST = 3


class SimLoop(ExecutorLoop):
    """An event loop for one simulated run; `asyncio.Runner(loop_factory=SimLoop)` takes it.

    Time starts at 0.0 and jumps to the next timer when nothing is ready; while it runs, the
    clocks of `time` and `datetime` follow, and chance is drawn from its seed. Functions given
    to an executor (`asyncio.to_thread`) run as one step on the loop's own thread. Errors
    about the run as a whole come out of `run_forever` and `run_until_complete`, whatever
    the tasks catch; a limit that was reported starts anew, so that tasks can be torn down.

    Args:
        choices: The run's choices; benign by default, which is first in, first out.
        seed: What `random`, `uuid`, `secrets` and `os.urandom` draw from while it runs.
        schedule: Who goes next in a run from a seed; None for uniform. A run from a
            recording follows that, and benign choices keep first in, first out.
        step_limit: Callbacks and task steps that the run may take.
        idle_step_limit: Steps that it may take without virtual time moving.
        time_limit: Virtual seconds that it has; a timer beyond them is an error.
        block_limit: Real seconds that one step has; None for no limit.

    Attributes:
        choices: As given.
        robotape_interceptors: The interceptors of every call made on this loop; the
            corridor of the core reads it.
        births: Hands out places in the order of creation.
        roots: How many tasks were created while no task was running.
        steps: How many callbacks and task steps have run.
        escapes: Attempts at real I/O that were refused.

    Example:
        >>> import asyncio
        >>> from robotape_harness.simulation import SimLoop
        >>> loop = SimLoop()
        >>> loop.run_until_complete(asyncio.sleep(172_800, "two days later"))
        'two days later'
        >>> loop.time()
        172800.0
        >>> loop.close()
    """

    def __init__(
        self,
        choices: Choices | None = None,
        *,
        seed: int = 0,
        schedule: Schedule | None = None,
        step_limit: int = 1_000_000,
        idle_step_limit: int = 100_000,
        time_limit: float = YEAR,
        block_limit: float | None = 5.0,
    ) -> None:
        super().__init__(seed, block_limit)
        self.choices = Choices.benign() if choices is None else choices
        self.robotape_interceptors: tuple[Any, ...] = ()
        self.line = bind(schedule, self.choices, self)
        self._step_limit = step_limit
        self._idle_step_limit = idle_step_limit
        self._time_limit = time_limit
        self._steps_end = step_limit
        self._time_end = time_limit
        self._counts: Counter[asyncio.Task[Any]] = Counter()
        self._acts: dict[int, Callable[[], object]] = {}
        self._act_at: float = inf
        self._note_progress()

    @property
    def preemptions(self) -> int:
        """How often a task that could have gone on was set aside for another by choice.

        First in, first out, is no choice: where nobody is asked, there is none.
        """
        return self.choices.deviations(ON)

    def list_preemptions(self) -> list[Preemption]:
        """Have each preemption of the run to come described, for a report.

        Returns:
            A list that fills as the run goes on; describing costs as much as some steps.
        """
        listed: list[Preemption] = []
        line = self.line
        if line is None:
            return listed
        ask = line.on

        def on(n: int) -> int:
            chosen = ask(n)
            if chosen:
                (task,), _ = describe_tasks([line.last])
                instead = task_of(line.others[line.first + chosen - 1]).get_name()
                listed.append(Preemption(self.steps, task.name, task.where, instead))
            return chosen

        line.on = on
        return listed

    def leftovers(self) -> Leftovers:
        """What is not done yet; ask before `close`, which drops it."""
        timers = tuple(describe_timer(*timer) for timer in self.pending_timers())
        return Leftovers(self._waiting(), timers, self.open_transports())

    def open_transports(self) -> tuple[str, ...]:
        """Describe the connections that are open; a loop without a network has none."""
        return ()

    def run_forever(self) -> None:
        """Run until `stop` is called.

        Raises:
            HangError: The run cannot end by itself: deadlock, livelock, or a limit.
            BlockedThreadError: One step kept the thread.
            ChoiceDivergenceError: The run does not follow its recorded choices.
        """
        with watch(self, self._block_limit), virtual(self.inside):
            super().run_forever()

    def before_jump(self, when: float) -> None:
        """Refuse to wait for ever, or for too long."""
        if when == inf:
            raise DeadlockError(self.time(), *describe_tasks(self.unfinished()))
        if when > self._time_end:
            limit, self._time_end = self._time_end, when + self._time_limit
            raise TimeLimitError(self.time(), limit, when, self._waiting())
        if when > self.time():
            self._note_progress()

    def before_step(self) -> None:
        """Refuse a step too many."""
        if self.steps >= self._steps_end:
            self._steps_end = self.steps + self._step_limit
            raise StepLimitError(self.time(), self.steps, self._busiest())
        if self.steps >= self._idle_end:
            raise LivelockError(self.time(), self._idle_step_limit, self._busiest())

    def at_step(self, number: int, act: Callable[[], object]) -> None:
        """Do something between two steps, once; it costs the steps before nothing.

        Args:
            number: After the how manyth step, counted from 1; one that is still to come, and
                that nothing else is to be done at.
            act: What to do.
        """
        self._acts[number] = act
        self._act_at = min(self._acts)
        self._watch_from = min(self._watch_from, self._act_at)

    def after_step(self, task: asyncio.Task[Any] | None) -> None:
        """Do what is to be done here, and count whose step it was."""
        if self.steps == self._act_at:
            act = self._acts.pop(self.steps)
            self._act_at = min(self._acts, default=inf)
            self._set_watch()
            act()
        if task is not None and self.steps >= self._watch_from:
            self._counts[task] += 1

    def _note_progress(self) -> None:
        """Begin counting towards a livelock."""
        self._idle_end = self.steps + self._idle_step_limit
        self._set_watch()
        if self._counts and self.steps < self._steps_end - SAMPLE:
            self._counts.clear()

    def _set_watch(self) -> None:
        """Have each step announced from where somebody needs to know."""
        self._watch_from = min(self._idle_end, self._steps_end) - SAMPLE
        self._watch_from = min(self._watch_from, self._act_at)

    def _busiest(self) -> tuple[BusyTask, ...]:
        counted = self._counts.most_common(BUSIEST)
        tasks, _ = describe_tasks([task for task, _ in counted])
        busiest = tuple(BusyTask(n, task) for (_, n), task in zip(counted, tasks, strict=True))
        self._counts.clear()
        self._note_progress()
        return busiest

    def _waiting(self) -> tuple[WaitingTask, ...]:
        return describe_tasks(self.unfinished())[0]
