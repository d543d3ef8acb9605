"""A simulated run: its ending has one name, its bytes follow from the seed, and nothing stays."""

import asyncio
import contextvars
import gc
import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from robotape import LLMAgent, RunContext, RunResult, SimpleAgent, Tape, Tool, intercept, tool
from robotape.calls import Call, CallNext
from robotape.errors import RateLimitError
from robotape.runtime import current_scope
from robotape_harness.scenario import Scenario
from robotape_harness.scripted import BlockedLLM, FunctionLLM, ScriptedLLM, call, say
from robotape_harness.simulation import (
    BlockedThreadError,
    Choices,
    DeadlockError,
    EscapeError,
    LivelockError,
    StepLimitError,
    TimeLimitError,
)
from robotape_harness.simulation.trial import Limits, RunHandle, Trial, simulate
from robotape_harness.world import World

ROOT = Path(__file__).parents[3]


@tool(effect_key=lambda args: args.order_id)
async def refund(ctx: RunContext[World], order_id: str) -> str:
    """Pay an order back."""
    await asyncio.sleep(0.25)
    ctx.deps.ledger.commit("refund", key=ctx.idempotency_key, order=order_id)
    return "paid"


def make(*turns: Any, tools: Any = (), **changes: Any) -> Scenario:
    """A desk that pays order 1 back, unless told otherwise."""
    script = turns or (call("refund", order_id="1"), say("Done."))
    parts: dict[str, Any] = {
        "world": World,
        "agent": lambda world: LLMAgent("desk", ScriptedLLM(*script), tools=[refund, *tools]),
        "task": "Refund order 1",
    }
    return Scenario(**{**parts, **changes})


def calling(body: Any, **changes: Any) -> Scenario:
    """A desk whose only tool is one coroutine function; it is called once."""
    acts: Tool[Any] = Tool(body, name="act", takes_ctx=False, max_retries=0)
    return make(call("act"), say("Done."), tools=[acts], **changes)


# -- endings


def test_an_answer_comes_with_outcome_ledger_tape_and_virtual_time() -> None:
    trial = simulate(make(), seed=3)
    assert (trial.ending, trial.error) == ("answered", None)
    assert trial.result is not None and trial.result.output == "Done."
    assert trial.result.tape is trial.tape
    assert trial.outcome == '{"refund {\\"order\\":\\"1\\"}":1}'
    assert [entry.at for entry in trial.ledger.commits] == [0.25]
    assert trial.seconds == 0.25
    assert trial.leftovers == ()
    assert trial.steps > 0


def test_what_the_agent_raises_is_raised() -> None:
    async def fail() -> None:
        raise RateLimitError("later")

    trial = simulate(calling(fail))
    assert trial.ending == "raised"
    assert isinstance(trial.error, RateLimitError)
    assert (trial.result, trial.outcome) == (None, "")
    assert [step.type.value for step in trial.tape][-2:] == ["action", "error"]


def test_a_cancelled_run_is_cancelled() -> None:
    class Canceller:
        def bind(self, run: RunHandle) -> None:
            self.run = run

        async def __call__(self, call: Call, call_next: CallNext) -> Any:
            assert self.run.cancel()
            return await call_next(call)

    trial = simulate(make(), interceptors=[Canceller()])
    assert trial.ending == "cancelled"
    assert isinstance(trial.error, asyncio.CancelledError)
    assert len(trial.ledger) == 0


def test_a_run_that_outlives_its_deadline_hangs() -> None:
    async def dawdle() -> None:
        await asyncio.sleep(100)

    trial = simulate(calling(dawdle, deadline=99.0))
    assert trial.ending == "hung"
    assert isinstance(trial.error, TimeLimitError)
    assert trial.tape.pending != {}  # the proof: what it was doing


def test_control_a_run_that_ends_at_its_deadline_answers() -> None:
    async def hurry() -> None:
        await asyncio.sleep(99)

    assert simulate(calling(hurry, deadline=99.0)).ending == "answered"


def test_code_that_swallows_cancellation_and_timeouts_cannot_outlive_the_deadline() -> None:
    async def stubborn() -> None:
        while True:
            try:
                await asyncio.sleep(10)
            except BaseException as error:
                if isinstance(error, GeneratorExit):
                    raise

    assert simulate(calling(stubborn, deadline=100.0)).ending == "hung"


def test_waiting_for_nothing_hangs_with_the_line_that_waits() -> None:
    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    trial = simulate(calling(wait))
    assert trial.ending == "hung"
    assert isinstance(trial.error, DeadlockError)
    assert "test_trial.py" in str(trial.error)


def test_turning_on_the_spot_hangs() -> None:
    async def spin() -> None:
        while True:
            await asyncio.sleep(0)

    trial = simulate(calling(spin), limits=Limits(idle_steps=2_000))
    assert (trial.ending, type(trial.error)) == ("hung", LivelockError)


def test_a_step_limit_ends_what_polls_for_ever() -> None:
    async def poll() -> None:
        while True:
            await asyncio.sleep(1)

    trial = simulate(calling(poll), limits=Limits(steps=2_000))
    assert (trial.ending, type(trial.error)) == ("hung", StepLimitError)


def test_a_step_that_holds_the_thread_is_named() -> None:
    async def block() -> None:
        threading.Event().wait(4.0)

    trial = simulate(calling(block), limits=Limits(blocked=0.1))
    assert trial.ending == "blocked"
    assert isinstance(trial.error, BlockedThreadError)
    assert trial.error.function.endswith("block")


def test_a_script_that_runs_out_is_a_target_error() -> None:
    trial = simulate(make(call("refund", order_id="1")))
    assert trial.ending == "target_error"
    assert "asks for turn 2" in str(trial.error)


def test_a_script_that_runs_out_cannot_be_swallowed() -> None:
    class Optimist(LLMAgent):
        async def work(self, task: Any, deps: Any) -> RunResult:
            try:
                return await super().work(task, deps)
            except Exception:
                return RunResult("all is well", self.current_tape)

    scenario = make(agent=lambda world: Optimist("desk", BlockedLLM()))
    trial = simulate(scenario)
    assert (trial.ending, trial.result) == ("target_error", None)
    assert "asked a BlockedLLM" in str(trial.error)


class Alarm(BaseException):
    pass


@pytest.mark.parametrize("kind", [Alarm, SystemExit])
def test_a_base_exception_from_a_tool_is_a_target_error(kind: type[BaseException]) -> None:
    async def explode() -> None:
        raise kind("boom")

    trial = simulate(calling(explode))
    assert (trial.ending, type(trial.error)) == ("target_error", kind)
    assert trial.tape.pending == {}


def test_ctrl_c_comes_out() -> None:
    async def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(calling(interrupt))


def no_world() -> World:
    raise LookupError("no such town")


@pytest.mark.parametrize(
    ("changes", "phrase", "note"),
    [
        ({"world": no_world}, "no such town", "`world`"),
        ({"world": object}, "derive it from robotape_harness.World", "`world`"),
        ({"agent": lambda world: world.nobody}, "nobody", "`agent`"),
        ({"outcome": lambda result, world: world.nothing}, "nothing", "`outcome`"),
        ({"run": lambda agent, world, task: None}, "must be async", "`run`"),
    ],
)
def test_what_the_scenario_raises_is_a_target_error(
    changes: dict[str, Any], phrase: str, note: str
) -> None:
    trial = simulate(make(**changes))
    assert trial.ending == "target_error"
    assert phrase in str(trial.error)
    assert note in trial.error.__notes__[0] if trial.error else False


def test_a_run_that_gives_no_result_is_a_target_error() -> None:
    async def run(agent: Any, world: Any, task: Any) -> Any:
        return "fine"

    trial = simulate(make(run=run))
    assert (trial.ending, str(trial.error)) == (
        "target_error",
        "the run gave a str, not a RunResult",
    )


def test_reaching_for_the_real_world_is_a_target_error_even_if_swallowed() -> None:
    async def connect() -> str:
        try:
            await asyncio.open_connection("localhost", 80)
        except Exception:
            return "offline"
        return "online"

    trial = simulate(calling(connect))
    assert (trial.ending, type(trial.error)) == ("target_error", EscapeError)


# -- how the agent is set going


def test_the_agent_is_given_world_and_principal() -> None:
    seen: list[object] = []

    async def look(ctx: RunContext[World]) -> None:
        seen.extend((ctx.deps, ctx.principal))

    worlds: list[World] = []

    def world() -> World:
        worlds.append(World())
        return worlds[-1]

    looks: Tool[Any] = Tool(look, takes_ctx=True)
    simulate(make(call("look"), say("?"), tools=[looks], world=world, principal="support"))
    assert seen == [worlds[0], "support"]


def test_each_run_has_a_world_and_an_agent_of_its_own() -> None:
    first, second = simulate(make()), simulate(make())
    assert len(first.ledger) == len(second.ledger) == 1
    assert first.ledger is not second.ledger


def test_a_scenario_may_start_its_agent_in_its_own_way_and_the_tape_is_found() -> None:
    async def run(agent: Any, world: Any, task: Any) -> RunResult:
        result: RunResult = await agent.run(task.upper(), deps=world)
        return result

    trial = simulate(make(run=run))
    assert trial.ending == "answered"
    assert b"REFUND ORDER 1" in trial.tape.to_bytes()
    failed = simulate(make(call("refund", order_id="1"), run=run))
    assert failed.ending == "target_error"
    assert b"REFUND ORDER 1" in failed.tape.to_bytes()


def test_an_agent_without_a_model_will_do() -> None:
    trial = simulate(make(agent=lambda world: SimpleAgent("echo")))
    assert trial.ending == "answered"


def test_interceptors_see_every_attempt_the_first_one_outermost() -> None:
    seen: list[str] = []

    def watcher(name: str) -> Any:
        async def watch(attempt: Any, call_next: Any) -> Any:
            seen.append(f"{name} {attempt.kind} {attempt.attempt}")
            return await call_next(attempt)

        return watch

    simulate(make(), interceptors=[watcher("out"), watcher("in")])
    assert seen == [f"{name} {kind} 1" for kind in ("llm", "tool", "llm") for name in ("out", "in")]


def test_the_outcome_does_not_depend_on_the_order_of_keys() -> None:
    one = simulate(make(outcome=lambda result, world: {"b": {1, 2}, "a": None}))
    other = simulate(make(outcome=lambda result, world: {"a": None, "b": {2, 1}}))
    assert one.outcome == other.outcome == '{"a":null,"b":[1,2]}'


def test_may_be_called_where_a_loop_is_running() -> None:
    async def test() -> tuple[Trial, object]:
        loop = asyncio.get_running_loop()
        return simulate(make()), asyncio.get_running_loop() is loop

    trial, is_same_loop = asyncio.run(test())
    assert (trial.ending, is_same_loop) == ("answered", True)


def test_a_tool_that_blocks_properly_runs_in_no_thread() -> None:
    threads: list[threading.Thread] = []

    def work() -> str:
        threads.append(threading.current_thread())
        return "done"

    assert simulate(calling(work)).ending == "answered"
    assert threads == [threading.current_thread()]


# -- determinism


def parallel() -> Scenario:
    pays = [call("refund", order_id=str(number)) for number in range(4)]
    return make(pays, say("Done."))


def test_same_seed_same_tape() -> None:
    first, second = simulate(make(), seed=7), simulate(make(), seed=7)
    assert first.tape.to_bytes() == second.tape.to_bytes()
    assert (first.steps, first.seconds) == (second.steps, second.seconds)


def test_control_another_seed_another_tape() -> None:
    first, second = simulate(make(), seed=7).tape, simulate(make(), seed=8).tape
    assert first.tape_id != second.tape_id
    assert first.digest() == second.digest()


def test_recorded_choices_give_the_same_run() -> None:
    first = simulate(parallel(), seed=1, choices=Choices.seeded(5))
    again = simulate(parallel(), seed=1, choices=Choices.replay(first.choices.recorded))
    assert len(first.choices) > 0
    assert first.tape.to_bytes() == again.tape.to_bytes()


def test_control_some_schedule_gives_another_tape() -> None:
    seeded = {
        simulate(parallel(), choices=Choices.seeded(seed)).tape.to_bytes() for seed in range(5)
    }
    assert len(seeded) > 1


def test_a_recording_of_another_run_is_a_target_error() -> None:
    recorded = simulate(parallel(), choices=Choices.seeded(5)).choices.recorded
    trial = simulate(parallel(), choices=Choices.replay(recorded[:1]))
    assert trial.ending == "target_error"
    assert "replay diverged" in str(trial.error)


PROGRAM = """
import hashlib, sys
sys.path[:0] = {path!r}
from robotape import LLMAgent, RunContext, tool
from robotape_harness.scenario import Scenario
from robotape_harness.scripted import ScriptedLLM, call, say
from robotape_harness.simulation import Choices
from robotape_harness.simulation.trial import simulate
from robotape_harness.world import World

@tool(effect_key=lambda args: args.tags)
async def mark(ctx: RunContext[World], tags: set[str]) -> set[str]:
    "Mark."
    ctx.deps.ledger.commit("mark", key=ctx.idempotency_key, tags=tags)
    if ctx.retry == 0:
        raise ConnectionResetError("again")
    return tags

marks = [call("mark", tags=["x", f"tag {{n}}", "y"]) for n in range(5)]
scenario = Scenario(
    world=World,
    agent=lambda world: LLMAgent("desk", ScriptedLLM(marks, say("Done.")), tools=[mark]),
    task="go",
)
for seed in range(20):
    trial = simulate(scenario, seed=seed, choices=Choices.seeded(seed))
    digest = hashlib.sha256(trial.tape.to_bytes()).hexdigest()
    print(trial.ending, trial.steps, trial.outcome, digest)
"""


def test_same_seed_same_bytes_in_every_process_and_under_every_hash_seed() -> None:
    program = PROGRAM.format(path=[str(ROOT / "harness"), str(ROOT)])
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for hash_seed in ("0", "1", "4242")
        for _ in range(2)
    }
    assert len(outputs) == 1
    lines = outputs.pop().splitlines()
    assert len(set(lines)) == 20
    assert all(line.startswith(b"answered") for line in lines)


# -- nothing stays


async def shout(call: Call, call_next: CallNext) -> Any:
    return await call_next(call)


async def leak() -> None:
    async def stay() -> None:
        try:
            await asyncio.sleep(1_000)
        finally:
            await asyncio.sleep(1)
            scope = current_scope()
            assert scope is not None

    background.add(asyncio.create_task(stay(), name="stay"))
    asyncio.get_running_loop().call_later(5, print)
    await asyncio.sleep(0)


async def half_read() -> None:
    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.sleep(1)

    unread.append(numbers())
    await anext(unread[-1])


background: set[asyncio.Task[None]] = set()
unread: list[Any] = []


async def swallow() -> None:
    while True:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            continue


async def raise_base() -> None:
    raise Alarm("boom")


def surroundings() -> dict[str, Any]:
    return {
        "context": dict(contextvars.copy_context()),
        "threads": threading.enumerate(),
        "alarm": signal.getsignal(signal.SIGALRM),
        "timer": signal.getitimer(signal.ITIMER_REAL),
        "interrupt": signal.getsignal(signal.SIGINT),
        "policy": asyncio.get_event_loop_policy(),
        "hooks": sys.get_asyncgen_hooks(),
        "running": asyncio._get_running_loop(),
    }


@pytest.mark.parametrize("body", [leak, half_read, swallow, raise_base])
@pytest.mark.parametrize("seeded", [False, True])
def test_nothing_stays_in_the_process(
    body: Any, seeded: bool, recwarn: pytest.WarningsRecorder
) -> None:
    unraisable: list[Any] = []
    old_hook, sys.unraisablehook = sys.unraisablehook, unraisable.append
    before = surroundings()
    others = {id(task): task for task in living_tasks()}  # an earlier test's, held so that ids last
    try:
        choices = Choices.seeded(1) if seeded else None
        simulate(calling(body, deadline=500.0), choices=choices)
        background.clear()
        unread.clear()
        gc.collect()
    finally:
        sys.unraisablehook = old_hook
    assert surroundings() == before
    assert unraisable == []
    assert [str(warning.message) for warning in recwarn] == []
    left = [task for task in living_tasks() if id(task) not in others and not task.done()]
    assert left == []


def living_tasks() -> Iterator[asyncio.Task[Any]]:
    return (thing for thing in gc.get_objects() if isinstance(thing, asyncio.Task))


def test_what_is_left_over_is_told_and_does_not_touch_tape_or_ledger_afterwards() -> None:
    async def linger(ctx: RunContext[World]) -> None:
        async def commit_late() -> None:
            try:
                await asyncio.sleep(1_000)
            finally:
                ctx.deps.ledger.commit("late")

        background.add(asyncio.create_task(commit_late(), name="linger"))
        await asyncio.sleep(0)

    lingers: Tool[Any] = Tool(linger, takes_ctx=True)
    trial = simulate(make(call("linger"), say("Done."), tools=[lingers]))
    background.clear()
    assert trial.ending == "answered"
    assert len(trial.ledger) == 0
    assert len(trial.leftovers) == 2
    assert trial.leftovers[0].startswith("linger ")
    assert trial.leftovers[1].startswith("timer due at 1000 s")


def test_a_task_that_was_cancelled_may_still_end() -> None:
    async def tidy() -> None:
        task = asyncio.create_task(asyncio.sleep(10))
        await asyncio.sleep(1)
        task.cancel()

    assert simulate(calling(tidy)).leftovers == ()


def test_interceptors_around_it_do_not_reach_in() -> None:
    with intercept(shout):
        trial = simulate(make())
        scope = current_scope()
        assert scope is not None and scope.interceptors == (shout,)
    assert trial.ending == "answered"


def test_a_hung_tape_is_a_whole_tape() -> None:
    async def wait() -> None:
        await asyncio.sleep(1_000)

    trial = simulate(calling(wait, deadline=10.0), seed=4)
    tape = Tape.from_jsonl(trial.tape.jsonl())
    digest = hashlib.sha256(trial.tape.to_bytes()).hexdigest()
    assert hashlib.sha256(tape.to_bytes()).hexdigest() == digest
    assert (tape.tape_id, tape.seed) == (trial.tape.tape_id, trial.tape.seed) != ("", 0)


def test_a_function_may_be_the_model() -> None:
    scenario = make(agent=lambda world: LLMAgent("desk", FunctionLLM(lambda *_: say("hm"))))
    trial = simulate(scenario)
    assert trial.result is not None and trial.result.output == "hm"
