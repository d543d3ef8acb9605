"""Laws of reading calls from a tape: each attempt has its end, chains are told from fan-outs."""

import asyncio
from contextlib import suppress
from typing import Any

from robotape import LLMAgent, Tool
from robotape_harness.faults.fault import Mode
from robotape_harness.oracles.history import attempts_struck, calls_of, repeated
from robotape_harness.scenario import Scenario
from robotape_harness.scripted import ScriptedLLM, call, say
from robotape_harness.simulation.trial import simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, doing, pay_42, paying, under


def test_each_attempt_has_its_action_and_its_end() -> None:
    evidence = under(doing(pay_42, paying()), "timeout", mode="forever")
    [call] = calls_of(evidence.trial.tape)
    assert [attempt.number for attempt in call.attempts] == [1, 2, 3, 4]
    assert [attempt.error for attempt in call.attempts] == ["TimeoutError"] * 4
    assert call.steps == tuple(range(8))
    assert call.first.ended_at - call.first.began_at == 10.0
    assert call.last.facts["reason"] == "exhausted"


def test_an_attempt_without_an_end_has_none() -> None:
    class Silence:
        async def __call__(self, call: Any, call_next: Any) -> Any:
            return await asyncio.Event().wait()

    [call] = calls_of(simulate(doing(pay_42, paying()), interceptors=[Silence()]).tape)
    assert call.last.end is None
    assert call.steps == (0,)


def test_thoughts_and_rejections_are_no_attempts() -> None:
    def agent(_: World) -> LLMAgent:
        async def add(a: int) -> int:
            """Add."""
            return a

        llm = ScriptedLLM(call("add", a=1), call("add", a="no"), say("done"))
        return LLMAgent("adder", llm=llm, tools=[Tool(add)])

    tape = simulate(Scenario(world=World, agent=agent, task="add")).tape
    assert any(not step.attempt for step in tape)
    calls = calls_of(tape)
    assert [found.node for found in calls][:3] == ["llm", "add", "llm"]
    assert all(attempt.end is not None for found in calls for attempt in found.attempts)


def test_the_struck_attempts_are_as_many_as_the_fault_fired() -> None:
    cases: tuple[tuple[Mode, int], ...] = (("once", 1), ("forever", 4))
    for mode, expected in cases:
        evidence = under(doing(pay_42, paying()), "error", mode=mode)
        calls = calls_of(evidence.trial.tape)
        struck = attempts_struck(calls, evidence.struck)
        assert [attempt.number for _, attempt in struck] == [*range(1, expected + 1)]
    assert attempts_struck(calls, ()) == []


def test_asking_again_after_a_failure_is_a_chain_and_asking_twice_is_not() -> None:
    async def insist(doer: Doer, _: World) -> None:
        for _again in range(3):
            with suppress(ConnectionError):
                await doer.call("pay", order="42")

    async def repeat(doer: Doer, _: World) -> None:
        for _again in range(3):
            await doer.call("pay", order="42")

    def chains(script: Any) -> list[int]:
        evidence = under(doing(script, paying(max_retries=0)), "error")
        return [len(chain) for chain in repeated(calls_of(evidence.trial.tape))]

    assert chains(insist) == [2]
    trial = simulate(doing(repeat, paying()))
    assert list(repeated(calls_of(trial.tape))) == []
