"""Laws of the fleet: many runs, each with its own seed and tape, in one world and one loop."""

import asyncio
from typing import Any

import pytest

from robotape import RunContext, RunResult, Tool
from robotape_harness.faults.fleet import Fleet
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.trial import simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, doing, pay_42, paying, paying_with_key


def parts(fleet: Fleet, seed: int = 0) -> tuple[RunResult, ...]:
    trial = simulate(fleet.as_scenario(), seed=seed)
    assert trial.ending == "answered", trial.error
    assert trial.result is not None
    return trial.result.parts


def test_each_member_has_a_tape_and_a_seed_of_its_own() -> None:
    members = parts(Fleet(scenario=doing(pay_42, paying()), size=5))
    assert len({id(part.tape) for part in members}) == 5
    assert len({part.tape.seed for part in members}) == 5
    assert {len(part.tape) for part in members} == {2}


def test_all_of_them_share_one_world() -> None:
    trial = simulate(Fleet(scenario=doing(pay_42, paying()), size=5).as_scenario())
    assert len(trial.ledger) == 5
    # Each run's keys are its own, so that none of them pays for another.
    keyed = simulate(Fleet(scenario=doing(pay_42, paying_with_key()), size=5).as_scenario())
    assert len(keyed.ledger) == 5


def test_they_begin_one_after_the_other_and_the_output_says_when() -> None:
    trial = simulate(Fleet(scenario=doing(pay_42, paying()), size=3, stagger=2.0).as_scenario())
    assert trial.result is not None
    assert trial.result.output == (0.0, 2.0, 4.0)
    assert trial.seconds == 4.0


def test_one_seed_one_fleet() -> None:
    fleet = Fleet(scenario=doing(pay_42, paying()), size=3)
    tapes = [[part.tape.to_bytes() for part in parts(fleet, seed)] for seed in (7, 7, 8)]
    assert tapes[0] == tapes[1]
    assert tapes[0] != tapes[2]


def test_a_member_that_fails_does_not_take_the_others_along() -> None:
    async def count(doer: Doer, world: Any) -> Any:
        world.ledger.commit("visit", number=len(world.ledger))
        if len(world.ledger) == 2:
            raise OSError("the second one")
        return "fine"

    members = parts(Fleet(scenario=doing(count), size=4))
    assert [part.stop_reason for part in members] == ["finished", "failed", "finished", "finished"]
    assert members[1].error == "OSError: the second one"


def test_a_scenario_that_starts_its_agent_in_its_own_way_is_started_so() -> None:
    async def run(agent: Any, world: Any, task: Any) -> RunResult:
        result: RunResult = await agent.run("another task", deps=world)
        return result

    async def say(doer: Doer, _: World) -> str:
        await asyncio.sleep(1.0)
        return "said"

    scenario = doing(say, run=run)
    assert [part.output for part in parts(Fleet(scenario=scenario, size=2))] == ["said", "said"]


def test_a_member_sees_the_world_it_is_given() -> None:
    async def visit(ctx: RunContext[World]) -> str:
        """Visit."""
        ctx.deps.ledger.commit("visit")
        return type(ctx.deps).__name__

    async def go(doer: Doer, _: World) -> Any:
        return await doer.call("visit")

    fleet = Fleet(scenario=doing(go, Tool(visit)), size=2)
    assert [part.output for part in parts(fleet)] == ["World", "World"]


def test_what_the_scenario_says_of_itself_the_fleet_says_too() -> None:
    def own(_: Any) -> None:
        return None

    one = Scenario(
        world=World,
        agent=lambda _: Doer(pay_42, paying()),
        task="go",
        principal="ada",
        deadline=60.0,
        oracles=(own,),
        waived={"hang": "why not"},
        name="one",
    )
    crowd = Fleet(scenario=one).as_scenario()
    for field in ("world", "task", "principal", "deadline", "oracles", "waived", "name"):
        assert getattr(crowd, field) == getattr(one, field)


@pytest.mark.parametrize("options", [{"size": 1}, {"stagger": -1.0}])
def test_what_cannot_be_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="size >= 2 and stagger >= 0"):
        Fleet(scenario=doing(pay_42, paying()), **options)
