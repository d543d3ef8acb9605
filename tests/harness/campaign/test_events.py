"""Laws of events: every step of the tape and every effect of the ledger once, in their order."""

from robotape_harness.campaign.events import Effect, effects_of, events_of
from robotape_harness.simulation.trial import simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, doing, pay_42, paying, under

NAIVE = doing(pay_42, paying())


def test_each_step_and_each_effect_is_there_once_the_effect_behind_its_action() -> None:
    trial = under(NAIVE, "error", "after_commit").trial
    events = events_of(trial)
    steps = [event.what for event in events if not isinstance(event.what, Effect)]
    effects = [event for event in events if isinstance(event.what, Effect)]
    assert steps == list(trial.tape)
    assert [event.index for event in effects] == [0, 2]
    assert [event.what.count for event in effects if isinstance(event.what, Effect)] == [1, 2]
    assert [event.index for event in events] == [0, 0, 1, 2, 2, 3]


def test_what_was_committed_in_no_call_comes_last() -> None:
    async def alone(doer: Doer, world: World) -> str:
        world.ledger.commit("note", text="by the agent itself")
        return str(await doer.call("pay", order="42"))

    trial = simulate(doing(alone, paying()))
    placed, [stray] = effects_of(trial)
    assert list(placed) == [0]
    assert stray.commit.effect == "note"
    assert events_of(trial)[-1].what == stray
    assert events_of(trial)[-1].index == len(trial.tape)


def test_events_of_two_runs_of_one_case_are_the_same_and_of_another_are_not() -> None:
    def signs(phase: str) -> list[object]:
        evidence = under(NAIVE, "error", "after_commit" if phase == "after" else "before_commit")
        return [event.sign for event in events_of(evidence.trial)]

    assert signs("after") == signs("after")
    assert signs("after") != signs("before")  # the tapes are the same, the ledgers are not
