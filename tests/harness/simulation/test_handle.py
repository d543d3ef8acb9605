"""The handle of a run: what is done through it is done, and is none of the run's own doing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from robotape import LLMAgent, RunContext, tool
from robotape.calls import Call, CallNext
from robotape.runtime import current_scope
from robotape_harness.scenario import Scenario
from robotape_harness.scripted import ScriptedLLM, call, say
from robotape_harness.simulation import Choices
from robotape_harness.simulation.handle import RunHandle
from robotape_harness.simulation.trial import Trial, simulate
from robotape_harness.world import World


@tool(pure=True)
async def look(ctx: RunContext[World]) -> str:
    """Look, and take a second for it."""
    await asyncio.sleep(1.0)
    return "seen"


SCENARIO = Scenario(
    world=World,
    agent=lambda world: LLMAgent("desk", ScriptedLLM(call("look"), say("ok")), tools=[look]),
    task="go",
)


class Bystander:
    """Does something to the run at its tool call."""

    def __init__(self, deed: Callable[[RunHandle], Awaitable[None]]) -> None:
        self._deed = deed

    def bind(self, run: RunHandle) -> None:
        self.run = run

    async def __call__(self, attempt: Call, call_next: CallNext) -> Any:
        if attempt.kind == "tool":
            await self._deed(self.run)
        return await call_next(attempt)


def run(deed: Callable[[RunHandle], Awaitable[None]], **options: Any) -> Trial:
    bystander: Any = Bystander(deed)
    return simulate(SCENARIO, interceptors=[bystander], **options)


def after(seconds: float, done: list[Any]) -> Callable[[], Awaitable[str]]:
    async def work() -> str:
        await asyncio.sleep(seconds)
        scope = current_scope()
        done.append((asyncio.get_running_loop().time(), None if scope is None else scope.agent))
        return "done"

    return work


def test_what_is_done_aside_outlives_the_run_and_is_no_leftover() -> None:
    done: list[Any] = []

    async def deed(handle: RunHandle) -> None:
        handle.aside(after(5.0, done))

    trial = run(deed)
    assert done == [(5.0, "desk")]  # it stands where its caller stood
    assert (trial.ending, trial.seconds, trial.leftovers) == ("answered", 1.0, ())
    assert trial.tape.to_bytes() == simulate(SCENARIO).tape.to_bytes()


def test_control_a_task_of_the_agents_own_is_a_leftover() -> None:
    done: list[Any] = []
    kept: list[Any] = []

    async def deed(handle: RunHandle) -> None:
        kept.append(asyncio.ensure_future(after(5.0, done)()))

    trial = run(deed)
    assert (done, trial.seconds) == ([], 1.0)
    assert len(trial.leftovers) == 2  # it, and its timer


def test_a_leftover_of_the_run_stays_one_while_things_are_done_aside() -> None:
    done: list[Any] = []
    kept: list[Any] = []

    async def deed(handle: RunHandle) -> None:
        handle.aside(after(9.0, done))
        kept.append(asyncio.ensure_future(after(5.0, done)()))

    trial = run(deed)
    assert len(done) == 2
    assert len(trial.leftovers) == 1 and "aside" not in trial.leftovers[0]


def test_what_fails_aside_concerns_nobody() -> None:
    async def fail() -> None:
        raise LookupError("out there")

    async def deed(handle: RunHandle) -> None:
        handle.aside(fail)

    assert run(deed).ending == "answered"


def test_things_done_aside_may_begin_others() -> None:
    done: list[Any] = []

    async def deed(handle: RunHandle) -> None:
        async def twice() -> None:
            await after(2.0, done)()
            handle.aside(after(2.0, done))

        handle.aside(twice)

    run(deed)
    assert [at for at, _ in done] == [2.0, 4.0]


def test_a_run_is_cancelled_once_and_never_after_its_end() -> None:
    said: list[bool] = []

    async def deed(handle: RunHandle) -> None:
        async def late() -> None:
            await asyncio.sleep(9.0)
            said.append(handle.cancel())

        handle.aside(late)
        said.append(handle.cancel())

    assert (run(deed).ending, said) == ("cancelled", [True, False])


def test_choices_are_the_runs() -> None:
    async def deed(handle: RunHandle) -> None:
        handle.choose("fault:here", 7)

    assert run(deed).choices.recorded == ()
    [choice] = [c for c in run(deed, choices=Choices.seeded(4)).choices.recorded if c.n == 7]
    assert choice.label == "fault:here"
