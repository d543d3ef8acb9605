"""How a run begins: its own tape and seed, or a place in the run under way."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from robotape import LLMAgent, Policy, Tape, Tool, allow, intercept
from robotape.begin import begin
from robotape.context import RunContext
from robotape.errors import RobotapeError
from robotape.runtime import Run, ambient, entered
from robotape.tape import tape_of
from robotape.tools import tool
from tests.laws.scripts import Watcher, asks, broken_laws, call, say, script, simulated


def test_a_fresh_run_has_a_tape_of_its_own() -> None:
    first, second = begin("desk", seed=7), begin("desk", seed=7)
    assert first.run.run_id == second.run.run_id
    assert tape_of(first) is not tape_of(second)
    tape = tape_of(first)
    assert tape is not None
    assert (tape.tape_id, tape.seed, tape.author) == (first.run.run_id, 7, "desk")
    assert (first.agent, first.prefix) == ("desk", "desk")


def test_control_without_a_seed_runs_differ() -> None:
    assert begin("desk").run.run_id != begin("desk").run.run_id


def test_seeds_derive_from_the_surroundings() -> None:
    def seeds(seed: int) -> list[int]:
        with entered(ambient(seed)):
            return [begin("desk").run.seed for _ in range(3)]

    assert seeds(1) == seeds(1)
    assert len(set(seeds(1) + seeds(2))) == 6


def test_inside_a_run_the_work_joins_it() -> None:
    policies = Policy(allow("*", "*")), Policy(allow("*", "a"))
    with entered(begin("team", policy=policies[0], principal="eve", deadline=50.0)) as outer:
        inner = begin("planner", policy=policies[1], deadline=100.0)
        nearer = begin("planner", deadline=1.0)
    assert inner.run is outer.run
    assert tape_of(inner) is tape_of(outer)
    assert (inner.agent, inner.prefix) == ("team/planner", "team/planner[0]")
    assert nearer.prefix == "team/planner[1]"
    assert inner.policies == policies
    assert inner.principal == "eve"
    assert inner.deadline == outer.deadline
    assert nearer.deadline is not None
    assert outer.deadline is not None
    assert nearer.deadline < outer.deadline
    assert outer.policies == policies[:1]


@pytest.mark.parametrize("options", [{"tape": Tape()}, {"seed": 1}, {"principal": "root"}])
def test_inside_a_run_its_identity_cannot_be_changed(options: dict[str, Any]) -> None:
    with (
        entered(begin("team", principal="eve")),
        pytest.raises(RobotapeError, match="inside a run"),
    ):
        begin("planner", **options)


def test_control_the_same_principal_may_be_named_again() -> None:
    with entered(begin("team", principal="eve")):
        assert begin("planner", principal="eve").principal == "eve"


def test_what_stands_around_a_run_stands_in_it() -> None:
    watcher = Watcher()
    with intercept(watcher):
        assert begin("desk").interceptors == (watcher,)
    assert begin("desk").interceptors == ()


@tool
async def note(ctx: RunContext[Any], text: str) -> str:
    """Write down."""
    return f"{ctx.principal}: {text}: {ctx.idempotency_key}"


def test_calls_outside_a_run_can_share_a_tape() -> None:
    async def main() -> Tape:
        tape = Tape()
        context = RunContext(None, tape=tape)
        for text in ("a", "b"):
            await note.execute({"text": text}, context)
        return tape

    tape = simulated(main())
    assert broken_laws(tape) == []
    assert len({step.call_id for step in tape}) == 2


@pytest.mark.parametrize("seed", range(10))
def test_they_can_do_so_at_once(seed: int) -> None:
    async def slowly(text: str) -> str:
        await asyncio.sleep(1)
        return text

    slow: Tool[Any] = Tool(slowly)

    async def main() -> tuple[list[str], Tape]:
        tape = Tape()
        context = RunContext(None, tape=tape)
        told = await asyncio.gather(*(slow.execute({"text": str(n)}, context) for n in range(5)))
        return told, tape

    told, tape = simulated(main(), seed)
    assert told == list("01234")
    assert broken_laws(tape) == []
    assert len({step.call_id for step in tape}) == 5


def test_outside_a_run_the_contexts_principal_counts() -> None:
    context = RunContext(None, principal="eve")
    assert asyncio.run(note.execute({"text": "a"}, context)).startswith("eve: a")


def test_inside_a_run_nobody_calls_in_another_name() -> None:
    async def main() -> str:
        with entered(begin("desk", principal="eve")):
            return str(await note.execute({"text": "a"}, RunContext(None, principal="root")))

    assert asyncio.run(main()).startswith("eve: a")


def test_a_run_goes_on_from_its_tape_under_its_seed(tmp_path: Path) -> None:
    tape = Tape.journaled(tmp_path / "a.jsonl")
    tape.attach(Run(7), "desk")
    tape.close()
    # The process died behind the header: the seed is known, and no step is.
    again = Tape.journaled(tmp_path / "a.jsonl")
    assert len(again) == 0
    assert begin("desk", tape=again, seed=99).run.seed == 7
    again.close()


def test_a_run_that_died_behind_its_header_is_resumed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"

    async def main() -> str:
        tape = Tape.journaled(path)
        agent = LLMAgent("desk", script(asks(call("note", text="x")), say("ok")), tools=[note])
        result = await agent.run("go", tape=tape)
        tape.close()
        return str(result.output)

    tape = Tape.journaled(path)
    tape.attach(Run(7), "desk")
    tape.close()
    assert simulated(main()) == "ok"
    assert Tape.load(path).seed == 7
    assert simulated(main()) == "ok"


def test_a_path_is_no_tape_and_the_error_says_what_is() -> None:
    wrong: Any = "run.jsonl"
    with pytest.raises(TypeError, match=r"Tape\.journaled"):
        begin("desk", tape=wrong)
