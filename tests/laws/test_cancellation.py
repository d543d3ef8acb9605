"""Cancellation passes at every await of a run, is no failure, and leaves nothing behind."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Any, TypeVarTuple

import pytest

from robotape import LLMAgent, Tape, Tool, run_many
from robotape.agents import RunResult
from robotape.errors import ServerError
from robotape.llm.exchange import LLMRequest, LLMResponse
from robotape.models.steps import StepStatus, StepType
from robotape_harness.simulation import Choices, SimLoop
from tests.laws.scripts import Model, asks, broken_laws, call, say, script

Ts = TypeVarTuple("Ts")


def whole_run(tape: Tape) -> Awaitable[RunResult]:
    """Retries of model and tool, calls at once, a group within a call, timers everywhere."""
    failures = iter([ServerError("500")])

    def decide(request: LLMRequest) -> LLMResponse:
        for error in failures:
            raise error
        said = sum(message.role == "assistant" for message in request.messages)
        return [asks(call("flaky"), call("fan", n=2)), say("ok")][min(said, 1)]

    async def flaky(ctx: Any) -> str:
        await asyncio.sleep(1)
        if ctx.retry == 0:
            raise ConnectionResetError
        return "ok"

    async def leaf(n: int) -> int:
        await asyncio.sleep(n)
        return n

    made: Tool[Any] = Tool(leaf, timeout=50.0)

    async def fan(n: int) -> None:
        async with asyncio.TaskGroup() as group:
            for k in range(n):
                group.create_task(made.execute({"n": k}))

    desk = LLMAgent(
        "desk",
        Model(decide, latency=0.5),
        tools=[Tool(flaky, takes_ctx=True, timeout=20.0), Tool(fan)],
    )
    return desk.run("go", tape=tape, seed=3, deadline=500.0)


class Cancelling(SimLoop):
    """Cancels a task when the n-th callback is scheduled, behind those that are ready."""

    left = 0
    moment = 0.0
    task: "asyncio.Future[Any] | None" = None

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        handle = super().call_soon(callback, *args, context=context)
        if self.task is not None:
            self.left -= 1
            if self.left == 0:
                self.moment = self.time()
                super().call_soon(self.task.cancel)
        return handle


def cancelled_after(
    steps: int, seed: int, *, instant: float | None = None
) -> tuple[Tape, str, Cancelling]:
    """Cancel the run after so many steps, or at an instant: (tape, how it ended, loop)."""
    loop = Cancelling(Choices.seeded(seed))
    tape = Tape()

    async def main() -> str:
        loop.left = steps
        loop.task = task = asyncio.ensure_future(whole_run(tape))
        if instant is not None:
            loop.moment = instant
            loop.call_at(instant, task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            return "cancelled"
        except BaseException as error:
            return repr(error)
        return "finished"

    return tape, loop.run_until_complete(main()), loop


def judged(tape: Tape, ended: str, loop: Cancelling) -> None:
    assert ended == "cancelled"
    assert loop.time() == loop.moment, "it took its time to end"
    assert broken_laws(tape) == []
    told = [step.value["error"] for step in tape if step.type is StepType.ERROR]
    assert set(told) <= {"ServerError", "ConnectionResetError"}, "a cancellation is no failure"
    assert not loop.leftovers().tasks
    assert not loop.leftovers().timers
    loop.close()


@pytest.mark.parametrize("seed", range(3))
def test_cancel_at_every_step_of_a_run(seed: int) -> None:
    points = 0
    while True:
        points += 1
        tape, ended, loop = cancelled_after(points, seed)
        if ended == "finished":
            break
        judged(tape, ended, loop)
    loop.close()
    assert points > 15


@pytest.mark.parametrize("seed", range(3))
def test_cancel_in_every_wait_of_a_run(seed: int) -> None:
    _, _, whole = cancelled_after(10**6, seed)
    whole.close()
    instants = [whole.time() * k / 40 for k in range(40)]
    cut_short = 0
    for instant in instants:
        tape, ended, loop = cancelled_after(10**6, seed, instant=instant)
        judged(tape, ended, loop)
        cut_short += ended == "cancelled"
    assert cut_short == len(instants)


def test_control_without_a_cancellation_the_run_ends_well() -> None:
    tape, ended, loop = cancelled_after(10**6, 0)
    loop.close()
    assert ended == "finished"
    assert not any(step.status is StepStatus.CANCELLED for step in tape)


def test_control_the_judgement_sees_a_swallowed_cancellation() -> None:
    loop = SimLoop()

    async def deaf() -> str:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            await asyncio.sleep(5)
        return "finished"

    async def main() -> str:
        task = asyncio.ensure_future(deaf())
        await asyncio.sleep(1)
        task.cancel()
        return await task

    assert loop.run_until_complete(main()) == "finished"
    assert loop.time() == 6.0
    loop.close()


@pytest.mark.parametrize("place", ["tool", "model", "seam"])
def test_a_cancellation_that_nobody_asked_for_is_not_retried(place: str) -> None:
    attempts: list[int] = []

    async def quits() -> str:
        attempts.append(1)
        raise asyncio.CancelledError

    def decide(request: LLMRequest) -> LLMResponse:
        attempts.append(1)
        raise asyncio.CancelledError

    async def seam(call: Any, call_next: Callable[[Any], Awaitable[Any]]) -> Any:
        attempts.append(1)
        raise asyncio.CancelledError

    loop = SimLoop()
    if place == "seam":
        loop.robotape_interceptors = (seam,)
    model = Model(decide) if place == "model" else script(asks(call("quits")), say("ok"))
    desk = LLMAgent("desk", model, tools=[Tool(quits)])
    tape = Tape()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(desk.run("go", tape=tape))
    loop.close()
    assert len(attempts) == 1
    assert broken_laws(tape) == []
    assert tape[-1].status is StepStatus.CANCELLED


def test_a_cancellation_is_not_hidden_by_a_siblings_failure() -> None:
    async def fails() -> None:
        raise LookupError("first")

    async def quits() -> None:
        await asyncio.sleep(1)
        raise asyncio.CancelledError

    tools: list[Tool[Any]] = [Tool(fails, max_retries=0), Tool(quits)]
    desk = LLMAgent("desk", script(asks(call("fails"), call("quits")), say("ok")), tools=tools)
    loop = SimLoop()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(desk.run("go"))
    loop.close()


def test_a_deadline_ends_many_runs_and_leaves_nothing() -> None:
    loop = SimLoop(Choices.seeded(1))

    async def main() -> list[Any]:
        starts = [lambda: whole_run(Tape())] * 20
        async with asyncio.timeout(0.75):
            return await run_many(starts)

    with pytest.raises(TimeoutError):
        loop.run_until_complete(main())
    assert loop.time() == 0.75
    assert not loop.leftovers().tasks
    assert not loop.leftovers().timers
    loop.close()
