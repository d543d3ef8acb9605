"""Laws of the oracles of pace: a provider's wait is obeyed, within reason, by every layer."""

import asyncio
from typing import Any

import pytest

from robotape import BaseLLM, Retry
from robotape.errors import RateLimitError
from robotape_harness.oracles import judge
from robotape_harness.oracles.pace import retry_after_unbounded, retry_after_violated
from robotape_harness.oracles.verdict import Evidence
from robotape_harness.scenario import Scenario
from robotape_harness.scripted import ScriptedLLM, say
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, accused, doing, names, under


def asking(wait: float, *, other: str = "") -> Scenario:
    """An agent that waits so long before it asks again, the same model or another one."""

    async def ask(doer: Doer, _: World) -> Any:
        llm: BaseLLM = ScriptedLLM(say("hello"), retry=Retry(max_retries=0))
        try:
            return (await llm.generate("hello")).text
        except RateLimitError:
            await asyncio.sleep(wait)
            second = ScriptedLLM(say("hello"), say("hello"), model=other or "scripted")
            return (await second.generate("hello, once more")).text

    return doing(ask)


def told_to_wait(scenario: Scenario, seconds: float) -> Evidence:
    return under(scenario, "rate_limit", site="llm[doer]#1", params={"retry_after": seconds})


def test_asking_sooner_than_told_is_accused_whatever_is_asked() -> None:
    evidence = told_to_wait(asking(0.68), 60.0)
    [verdict] = accused(retry_after_violated, evidence)
    assert verdict.harm == 2
    assert verdict.why == "llm[doer]#1 was told to wait 60 s, and was asked again after 0.68 s"
    assert verdict.steps == (0, 1, 2, 4)
    assert names(evidence) == ["retry_after_violated"]


@pytest.mark.parametrize("wait", [60.0, 61.0])
def test_control_waiting_as_long_as_told_is_fine(wait: float) -> None:
    assert names(told_to_wait(asking(wait), 60.0)) == []


def test_control_another_model_need_not_wait() -> None:
    assert not accused(retry_after_violated, told_to_wait(asking(0.1, other="spare"), 60.0))


def test_control_a_failure_that_names_no_time_is_not_judged() -> None:
    evidence = under(asking(0.1), "server_error", site="llm[doer]#1")
    assert not accused(retry_after_violated, evidence)


def test_the_policy_of_the_corridor_obeys_up_to_its_patience() -> None:
    async def ask(doer: Doer, _: World) -> Any:
        return (await ScriptedLLM(say("hello")).generate("hello")).text

    for seconds, ending in ((20.0, "answered"), (3600.0, "raised")):
        evidence = told_to_wait(doing(ask), seconds)
        assert evidence.trial.ending == ending
        assert names(evidence) == []


def test_waiting_for_an_hour_because_somebody_says_so_is_accused() -> None:
    evidence = told_to_wait(asking(3600.0), 3600.0)
    [verdict] = accused(retry_after_unbounded, evidence)
    assert verdict.harm == 2
    assert "was told to wait 3600 s, and the run did" in verdict.why
    assert names(evidence) == ["retry_after_unbounded"]


def test_a_wait_that_outlives_the_run_is_accused_as_well() -> None:
    scenario = asking(200_000.0)
    evidence = told_to_wait(scenario, 200_000.0)
    assert evidence.trial.ending == "hung"
    assert accused(retry_after_unbounded, evidence)


def test_control_five_minutes_are_fine() -> None:
    assert not accused(retry_after_unbounded, told_to_wait(asking(300.0), 300.0))


def test_a_tape_alone_is_enough() -> None:
    tape = told_to_wait(asking(0.68), 60.0).trial.tape
    assert [verdict.oracle for verdict in judge(Evidence.of_tape(tape)).verdicts] == [
        "retry_after_violated"
    ]
