"""Laws of the oracle of answers: a part is accused, an error and a whole are not."""

import json
from typing import Any

import pytest

from robotape.llm.exchange import LLMResponse
from robotape_harness.oracles import judge
from robotape_harness.oracles.answers import partial_accepted
from robotape_harness.oracles.verdict import Evidence
from robotape_harness.scripted import ScriptedLLM, call, say
from robotape_harness.simulation.trial import simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import (
    Doer,
    accused,
    doing,
    names,
    paying_with_key,
    under,
)


async def mend(doer: Doer, _: World) -> Any:
    reply = await ScriptedLLM(call("pay", order="42")).generate("pay")
    text = reply.tool_calls[0].arguments
    order = text.partition(":")[2].strip('"}') or "?"
    return await doer.call("pay", order=order)


async def read(doer: Doer, _: World) -> Any:
    reply = await ScriptedLLM(call("pay", order="42")).generate("pay")
    return await doer.call("pay", **json.loads(reply.tool_calls[0].arguments))


def test_a_tool_called_with_what_is_left_of_its_arguments_is_accused() -> None:
    evidence = under(doing(mend, paying_with_key()), "truncated_arguments", site="llm[doer]#1")
    [verdict] = accused(partial_accepted, evidence)
    assert verdict.harm == 5
    assert "pay was called although the model's arguments for it end in the middle: {\"order" in (
        verdict.why
    )
    assert names(evidence) == ["partial_accepted"]
    assert [v.oracle for v in judge(Evidence.of_tape(evidence.tape)).verdicts] == [
        "partial_accepted"
    ]


def test_control_what_is_no_json_is_an_error() -> None:
    evidence = under(doing(read, paying_with_key()), "truncated_arguments", site="llm[doer]#1")
    assert evidence.trial.ending == "raised"
    assert names(evidence) == []


def joining(*, is_careful: bool) -> Any:
    async def join(doer: Doer, _: World) -> str:
        said = ""
        for order in ("41", "42", "43"):
            try:
                said += await doer.call("pay", order=order)
            except PermissionError:
                if is_careful:
                    raise
                break
        return said

    return join


@pytest.mark.parametrize("is_careful", [False, True])
def test_the_beginning_of_an_answer_is_no_answer(is_careful: bool) -> None:
    scenario = doing(joining(is_careful=is_careful), paying_with_key())
    evidence = under(scenario, "permanent_error", site="tool:pay#3")
    verdicts = accused(partial_accepted, evidence)
    assert len(verdicts) == (not is_careful)
    assert all("it had by then, of 12, as if they were all" in each.why for each in verdicts)
    assert names(evidence) == ([] if is_careful else ["partial_accepted"])


@pytest.mark.parametrize(("reason", "expected"), [("length", 1), ("stop", 0)])
def test_an_answer_that_a_token_limit_has_cut_is_accused(reason: str, expected: int) -> None:
    async def ask(doer: Doer, _: World) -> str:
        cut = LLMResponse(text="To be or not", finish_reason=reason)
        return (await ScriptedLLM(cut).generate("quote")).text

    trial = simulate(doing(ask))
    verdicts = partial_accepted(Evidence(trial=trial, baseline=trial))
    assert len(verdicts) == expected


def test_control_a_whole_answer_is_fine() -> None:
    async def ask(doer: Doer, _: World) -> str:
        return (await ScriptedLLM(say("all of it")).generate("quote")).text

    assert not accused(partial_accepted, under(doing(ask), "server_error", site="llm[doer]#1"))
