"""Cut everywhere: cancelled at every await, killed at every write; what holds then, holds."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from robotape import LLMAgent, RunContext, RunResult, Tape, tool
from robotape_harness.campaign.strike import strike
from robotape_harness.faults.case import Case
from robotape_harness.faults.cuts import cuts_of
from robotape_harness.oracles import Evidence, judge
from robotape_harness.scenario import Scenario
from robotape_harness.scripted import ScriptedLLM, call, say
from robotape_harness.simulation.trial import simulate
from robotape_harness.target import opened
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, doing

DESK = Path(__file__).parents[2] / "fixtures" / "agents" / "refund_desk.py"


@pytest.fixture(scope="module")
def sound() -> Iterator[Scenario]:
    with opened(f"{DESK}:sound") as scenario:
        yield scenario


@pytest.fixture(scope="module")
def naive() -> Iterator[Scenario]:
    with opened(f"{DESK}:naive") as scenario:
        yield scenario


def cut_everywhere(scenario: Scenario, kind: str) -> list[Evidence]:
    """The runs under each cut of a kind."""
    baseline = simulate(scenario)
    assert baseline.ending == "answered", baseline.error
    cuts = [cut for cut in cuts_of(baseline) if cut.kind == kind]
    runs = [strike(scenario, Case(faults=(cut,)), baseline) for cut in cuts]
    assert runs and all(evidence.struck[0].attempts for evidence in runs)
    return runs


def accusers(runs: list[Evidence]) -> Counter[str]:
    return Counter(verdict.oracle for evidence in runs for verdict in judge(evidence).verdicts)


# -- cancelled at every await


class Pool(World):
    """A pool of connections; giving one back takes a round trip."""

    def __init__(self) -> None:
        super().__init__()
        self.used = 0

    async def acquire(self) -> None:
        await asyncio.sleep(0.25)
        self.used += 1

    async def release(self) -> None:
        await asyncio.sleep(0.25)
        self.used -= 1


async def unshielded(pool: Pool) -> None:
    await pool.acquire()
    try:
        await asyncio.sleep(1.0)
    finally:
        await pool.release()


async def shielded(pool: Pool) -> None:
    await pool.acquire()
    try:
        await asyncio.sleep(1.0)
    finally:
        release = asyncio.ensure_future(pool.release())
        try:
            await asyncio.shield(release)
        except asyncio.CancelledError:
            await release
            raise


def pooled(use: Callable[[Any], Awaitable[None]], worlds: list[Pool]) -> Scenario:
    def world() -> Pool:
        worlds.append(Pool())
        return worlds[-1]

    @tool(pure=True)
    async def query(ctx: RunContext[Pool]) -> str:
        """Ask the database."""
        await use(ctx.deps)
        return "rows"

    return Scenario(
        world=world,
        agent=lambda _: LLMAgent("desk", ScriptedLLM(call("query"), say("Done.")), tools=[query]),
        task="go",
    )


@pytest.mark.parametrize(("use", "has_leaks"), [(unshielded, True), (shielded, False)])
def test_a_release_without_a_shield_leaks_under_some_cut_and_a_shielded_one_under_none(
    use: Any, has_leaks: bool
) -> None:
    worlds: list[Pool] = []
    runs = cut_everywhere(pooled(use, worlds), "cancellation")
    assert {(run.trial.ending, run.trial.leftovers) for run in runs} == {("cancelled", ())}
    leaks = [pool.used for pool in worlds[1:]]  # the first is the fault-free run's
    assert len(leaks) == len(runs) >= 6
    assert any(leaks) is has_leaks
    assert not all(leaks)


async def persist(doer: Doer, _: World) -> str:
    """Try again whatever happens, cancellation too."""
    while True:
        try:
            return str(await doer.call("look"))
        except BaseException as error:
            if isinstance(error, GeneratorExit):
                raise
            await asyncio.sleep(0.5)


async def accept(doer: Doer, _: World) -> str:
    """Try again what failed, and nothing else."""
    while True:
        try:
            return str(await doer.call("look"))
        except Exception:
            await asyncio.sleep(0.5)


@tool(pure=True)
async def look() -> str:
    """Look, for a while."""
    await asyncio.sleep(1.0)
    return "seen"


def test_retrying_a_cancellation_is_found_and_retrying_failures_is_not() -> None:
    swallowing = cut_everywhere(doing(persist, look), "cancellation")
    assert accusers(swallowing)["swallowed_cancel"] > 0
    assert accusers(cut_everywhere(doing(accept, look), "cancellation")) == {}


# -- killed at every write


def refunds(evidence: Evidence) -> int:
    return sum(entry.effect == "refund" for entry in evidence.trial.ledger.commits)


def test_the_sound_desk_pays_exactly_once_wherever_its_process_dies(sound: Scenario) -> None:
    runs = cut_everywhere(sound, "crash")
    assert len(runs) > 15
    assert {(run.trial.ending, refunds(run)) for run in runs} == {("answered", 1)}
    assert {run.trial.outcome for run in runs} == {runs[0].fault_free.outcome}
    assert accusers(runs) == {}


def test_the_naive_desk_says_that_it_is_in_doubt_and_pays_once_at_most(naive: Scenario) -> None:
    runs = cut_everywhere(naive, "crash")
    assert {refunds(run) for run in runs} == {0, 1}
    doubts = [run for run in runs if run.trial.ending == "raised"]
    assert {type(run.trial.error).__name__ for run in doubts} == {"InDoubtError"}
    assert len(doubts) == 2  # its ACTION written, and its effect done
    assert all(refunds(run) == 1 for run in runs if run not in doubts)
    assert accusers(runs) == {}


class Forgetful(LLMAgent):
    """An agent that begins anew where it should resume."""

    async def run(self, task: Any, *args: Any, **options: Any) -> RunResult:
        tape = options.pop("tape")
        return await super().run(task, *args, tape=Tape() if len(tape) else tape, **options)


def test_control_who_ignores_what_was_written_is_accused_of_doing_it_twice() -> None:
    @tool
    async def pay(ctx: RunContext[World], order: str) -> str:
        """Pay."""
        ctx.deps.ledger.commit("paid", order=order)
        return "paid"

    scenario = Scenario(
        world=World,
        agent=lambda _: Forgetful(
            "desk", ScriptedLLM(call("pay", order="1"), say("Done.")), tools=[pay]
        ),
        task="go",
    )
    runs = cut_everywhere(scenario, "crash")
    paid_before = [run for run in runs if run.trial.lives[0].commits]
    assert 0 < len(paid_before) < len(runs)
    assert accusers(runs) == {"duplicate_side_effect": len(paid_before)}


def test_control_who_resumes_without_what_it_did_is_accused_of_losing_it() -> None:
    """A world in which only what the last process sees counts."""

    @tool(effect_key=lambda args: args.order)
    async def note(ctx: RunContext[World], order: str) -> str:
        """Keep it in the process, and say that it is kept."""
        kept.append(order)
        ctx.deps.ledger.commit("told", key=ctx.idempotency_key, order=order)
        return "kept"

    kept: list[str] = []

    def agent(_: World) -> LLMAgent:
        kept.clear()
        return LLMAgent("desk", ScriptedLLM(call("note", order="1"), say("Done.")), tools=[note])

    scenario = Scenario(world=World, agent=agent, task="go", outcome=lambda *_: list(kept))
    runs = cut_everywhere(scenario, "crash")
    assert set(accusers(runs)) == {"silent_skip"}
