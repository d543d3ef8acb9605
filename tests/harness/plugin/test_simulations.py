"""`simulation`: virtual time for a function or a scenario, repeatable, and nothing left behind."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from robotape import LLMAgent, tool
from robotape_harness import Scenario, ScriptedLLM, World, call, say
from robotape_harness.plugin.simulations import Simulations
from robotape_harness.simulation import Choices, DeadlockError, EscapeError
from tests.harness.simulation.draws import drawn


@tool
async def refund(order_id: str) -> str:
    """Pay back."""
    return order_id


def desk() -> LLMAgent:
    turns = (call("refund", order_id="42"), say("Done."))
    return LLMAgent("desk", llm=ScriptedLLM(*turns), tools=[refund])


SCENARIO = Scenario(world=World, agent=lambda world: desk(), task="Refund order 42")


def test_time_is_virtual(simulation: Simulations) -> None:
    async def wait(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return asyncio.get_running_loop().time()

    assert simulation(wait, 86_400.0) == 86_400.0


def test_a_scenario_gives_its_trial(simulation: Simulations) -> None:
    trial = simulation(SCENARIO)
    assert trial.ending == "answered"
    assert trial.result is not None
    assert trial.result.output == "Done."


def test_the_same_seed_is_the_same_tape(simulation: Simulations) -> None:
    async def run() -> bytes:
        return (await desk().run("Refund order 42")).tape.to_bytes()

    assert simulation(run) == simulation(run)
    assert simulation(SCENARIO).tape.to_bytes() == simulation(SCENARIO).tape.to_bytes()


def test_control_another_seed_is_another_tape(simulation: Simulations) -> None:
    async def run() -> bytes:
        return (await desk().run("Refund order 42")).tape.to_bytes()

    assert simulation(run) != simulation(run, seed=1)
    assert simulation(SCENARIO).tape.to_bytes() != simulation(SCENARIO, seed=1).tape.to_bytes()


@pytest.mark.robotape_seed(7)
def test_the_marker_s_seed_is_used(simulation: Simulations) -> None:
    assert simulation(SCENARIO).tape.seed == simulation(SCENARIO, seed=7).tape.seed


def test_choices_decide_the_schedule(simulation: Simulations) -> None:
    async def race() -> str:
        order: list[str] = []

        async def enter(name: str) -> None:
            order.append(name)

        await asyncio.gather(*(enter(name) for name in "abcdef"))
        return "".join(order)

    assert simulation(race) == "abcdef"
    assert len({simulation(race, choices=Choices.seeded(seed)) for seed in range(9)}) > 3


def test_errors_come_out_as_they_are(simulation: Simulations) -> None:
    async def fail() -> None:
        raise LookupError("x")

    async def hang() -> None:
        await asyncio.Event().wait()

    with pytest.raises(LookupError):
        simulation(fail)
    with pytest.raises(DeadlockError):
        simulation(hang)


def test_nothing_is_left_behind(simulation: Simulations) -> None:
    ended = []

    async def linger() -> None:
        try:
            await asyncio.sleep(1_000)
        finally:
            ended.append("cleaned up")

    async def leave() -> None:
        task = asyncio.create_task(linger())
        await asyncio.sleep(0)
        assert not task.done()

    simulation(leave)
    assert ended == ["cleaned up"]


MISUSES: dict[str, tuple[Callable[[Any], Awaitable[Any]], str]] = {
    "no function": (lambda run: run(42), "takes a Scenario or an async function, not a int"),
    "a scenario's arguments": (lambda run: run(SCENARIO, 1), "a scenario takes no arguments"),
}


@pytest.mark.parametrize(("misuse", "phrase"), MISUSES.values(), ids=MISUSES)
def test_misuse_is_refused(
    misuse: Callable[[Any], object], phrase: str, simulation: Simulations
) -> None:
    with pytest.raises(TypeError, match=phrase):
        misuse(simulation)


def test_clocks_and_chance_are_the_runs(simulation: Simulations) -> None:
    async def look() -> dict[str, object]:
        return await drawn()

    assert simulation(look) == simulation(look)
    assert simulation(look)["datetime.now(UTC)"] == "2020-01-01T00:00:00+00:00"
    assert simulation(look)["uuid.uuid4"] != simulation(look, seed=1)["uuid.uuid4"]


def test_an_escape_that_is_swallowed_comes_out(simulation: Simulations) -> None:
    async def swallow() -> str:
        with contextlib.suppress(EscapeError):
            threading.Thread(target=print).start()
        return "as if nothing had happened"

    with pytest.raises(EscapeError, match=r"threading\.Thread\.start"):
        simulation(swallow)
