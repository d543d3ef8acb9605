"""Lives of one run: one after the other in one world, each resuming what the last one wrote."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from robotape import BaseAgent, LLMAgent, RunContext, RunResult, Tape, tool
from robotape.calls import Call, CallNext
from robotape_harness.scenario import Scenario
from robotape_harness.scripted import ScriptedLLM, call, say
from robotape_harness.simulation.handle import RunHandle
from robotape_harness.simulation.trial import Trial, simulate
from robotape_harness.world import World


class Town(World):
    """A world with a lock, and a clock tower that strikes by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = asyncio.Lock()
        self.strikes: list[float] = []
        self.tower = asyncio.ensure_future(self._strike())

    async def _strike(self) -> None:
        while len(self.strikes) < 3:
            await asyncio.sleep(1.0)
            self.strikes.append(asyncio.get_running_loop().time())


@tool(effect_key=lambda args: args.order)
async def pay(ctx: RunContext[Town], order: int) -> str:
    """Pay."""
    await asyncio.sleep(1.5)
    ctx.deps.ledger.commit("paid", key=ctx.idempotency_key, order=order)
    return "paid"


def desk(made: list[Any] | None = None, **changes: Any) -> Scenario:
    def agent(world: World) -> BaseAgent:
        llm = ScriptedLLM(call("pay", order=1), say("Done."))
        built = LLMAgent("desk", llm, tools=[pay])
        if made is not None:
            made.append((built, world))
        return built

    return Scenario(**{"world": Town, "agent": agent, "task": "go", **changes})


class Reaper:
    """Has the process die after something."""

    kills = True

    def __init__(self, *deaths: tuple[Any, int]) -> None:
        self._deaths = deaths
        self.seen: list[tuple[float, tuple[tuple[str, int], ...]]] = []

    def bind(self, run: RunHandle) -> None:
        self._run = run
        for event, number in self._deaths:
            run.die_after(event, number, self._told)

    def _told(self) -> None:
        self.seen.append((self._run.now, self._run.under_way))

    async def __call__(self, attempt: Call, call_next: CallNext) -> Any:
        return await call_next(attempt)


def die(*deaths: tuple[Any, int], scenario: Scenario | None = None) -> tuple[Trial, Reaper]:
    reaper: Any = Reaper(*deaths)
    return simulate(scenario or desk(), seed=3, interceptors=[reaper]), reaper


def test_the_next_life_has_a_new_agent_in_the_old_world_and_time_goes_on() -> None:
    made: list[Any] = []
    trial, reaper = die(("commit", 1), scenario=desk(made))
    (first, world), (second, same) = made
    assert first is not second and world is same
    assert reaper.seen == [(1.5, (("desk/1/tool:pay[0]", 1),))]
    assert trial.crashed_at == 1.5
    assert (trial.ending, trial.seconds) == ("answered", 3.0)
    assert len(trial.ledger) == 1


def test_the_world_lives_on_while_processes_die() -> None:
    made: list[Any] = []
    die(("commit", 1), scenario=desk(made))
    assert made[0][1].strikes == [1.0, 2.0, 3.0]


def test_the_resumed_run_is_the_same_run() -> None:
    usual = simulate(desk(), seed=3)
    trial, _ = die(("write", 4))
    assert (trial.tape.seed, trial.tape.tape_id) == (usual.tape.seed, usual.tape.tape_id)
    assert {step.call_id for step in trial.tape} == {step.call_id for step in usual.tape}
    keys = {commit.key for commit in (*trial.ledger.commits, *usual.ledger.commits)}
    assert len(keys) == 1


def test_a_life_says_what_it_had_done() -> None:
    trial, _ = die(("write", 4), ("commit", 1))
    first, second = trial.lives
    assert (len(first.tape), first.commits, first.seconds) == (4, 0, 0.0)
    assert (second.commits, second.seconds) == (1, 1.5)
    assert len(second.tape) > 4
    assert trial.ending == "answered"


def test_control_without_a_death_there_is_one_life() -> None:
    trial, reaper = die()
    assert (trial.lives, trial.crashed_at, reaper.seen) == ((), None, [])
    usual = simulate(desk(), seed=3)
    assert trial.tape.to_bytes() == usual.tape.to_bytes()
    assert trial.seconds == usual.seconds


def test_a_death_that_does_not_come_changes_nothing() -> None:
    trial, reaper = die(("write", 99))
    assert (trial.lives, reaper.seen, trial.ending) == ((), [], "answered")


def test_the_last_record_may_be_the_last_thing_a_process_does() -> None:
    length = len(simulate(desk(), seed=3).tape)
    trial, _ = die(("write", length))
    assert (trial.ending, len(trial.tape)) == ("answered", length)
    assert trial.result is not None and trial.result.output == "Done."


def test_what_the_dead_left_is_no_leftover_of_the_living() -> None:
    class Littering(LLMAgent):
        async def work(self, task: Any, deps: Any) -> RunResult:
            self.litter = asyncio.ensure_future(asyncio.sleep(500))
            result = await super().work(task, deps)
            self.litter.cancel()
            return result

    scenario = desk(
        agent=lambda world: Littering(
            "desk", ScriptedLLM(call("pay", order=1), say("Done.")), tools=[pay]
        ),
        world=World,
    )
    trial, _ = die(("commit", 1), scenario=scenario)
    assert (trial.ending, trial.leftovers) == ("answered", ())


def test_who_keeps_a_tape_of_its_own_cannot_be_resumed() -> None:
    class Forgetful(LLMAgent):
        async def run(self, task: Any, *args: Any, **options: Any) -> RunResult:
            return await super().run(task, *args, **{**options, "tape": Tape(), "seed": None})

    scenario = desk(
        agent=lambda world: Forgetful(
            "desk", ScriptedLLM(call("pay", order=1), say("Done.")), tools=[pay]
        )
    )
    assert not simulate(scenario).is_resumable
    assert simulate(desk()).is_resumable


def test_who_kills_must_say_so() -> None:
    class Sneaky(Reaper):
        kills = False

    sneaky: Any = Sneaky(("write", 1))
    with pytest.raises(RuntimeError, match="its attribute `kills` is True"):
        simulate(desk(), interceptors=[sneaky])


def test_an_agent_that_catches_everything_does_not_catch_its_death() -> None:
    caught: list[BaseException] = []

    class Stubborn(BaseAgent):
        async def work(self, task: Any, deps: Any) -> RunResult:
            while True:
                try:
                    reply = await self.call_tool("pay", {"order": 1}, RunContext(deps))
                    return RunResult(reply, self.current_tape)
                except BaseException as error:
                    caught.append(error)
                    if isinstance(error, GeneratorExit):
                        raise

    scenario = desk(agent=lambda world: Stubborn("desk", tools=[pay]))
    for event in ("write", "commit"):
        trial, _ = die((event, 1), scenario=scenario)
        assert (trial.ending, len(trial.ledger), len(trial.lives)) == ("answered", 1, 1)
    assert {type(error) for error in caught} == {GeneratorExit}  # when all is over


def test_steps_are_acted_between_and_only_there() -> None:
    usual = simulate(desk(), seed=3)
    met: list[tuple[int, bool]] = []

    class Between:
        def bind(self, run: RunHandle) -> None:
            def act(number: int) -> Callable[[], None]:
                return lambda: met.append((number, asyncio.current_task() is None))

            for number in range(1, usual.awaits + 1):
                run.after_step(number, act(number))

        async def __call__(self, attempt: Call, call_next: CallNext) -> Any:
            return await call_next(attempt)

    between: Any = Between()
    trial = simulate(desk(), seed=3, interceptors=[between])
    assert met == [(number, True) for number in range(1, usual.awaits + 1)]
    assert (trial.steps, trial.tape.to_bytes()) == (usual.steps, usual.tape.to_bytes())
