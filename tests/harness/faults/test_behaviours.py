"""Behaviours: each does one thing to a call, and spoils nothing it was not asked to."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from robotape.llm.exchange import LLMResponse
from robotape.models.messages import ToolCall
from robotape_harness.faults.behaviours import ACTS, REWRITES, SETTLE, Strike
from robotape_harness.faults.catalogue import kind_of
from robotape_harness.faults.fault import Fault, Site
from robotape_harness.simulation import SimLoop

SITE = Site("tool", "tool:pay#1", "desk/1/tool:pay[0]")
ASKED = LLMResponse(
    "Let me pay.",
    (ToolCall("pay", '{"order":1}', "a"), ToolCall("pay", '{"order":2}', "b")),
    model="m",
    finish_reason="tool_calls",
)


def strike(name: str, cancel: Callable[[], object] = lambda: None, **params: float) -> Strike:
    fault = Fault(name, SITE, "before_commit", "once", params)
    return Strike(fault, kind_of(fault), cancel)


def seconds_of(does: str, blow: Strike) -> tuple[float, BaseException | None]:
    """Virtual seconds it takes, and what it raises."""

    async def act() -> None:
        await ACTS[does](blow)

    loop = SimLoop()
    try:
        loop.run_until_complete(act())
    except Exception as error:
        return loop.time(), error
    else:
        return loop.time(), None
    finally:
        loop.close()


def test_fail_raises_at_once() -> None:
    seconds, error = seconds_of("fail", strike("error"))
    assert (seconds, type(error)) == (0.0, ConnectionResetError)


def test_delay_lets_time_pass_and_raises_nothing() -> None:
    assert seconds_of("delay", strike("delay", seconds=4.5)) == (4.5, None)


def test_time_out_lets_time_pass_and_then_raises() -> None:
    seconds, error = seconds_of("time_out", strike("timeout", seconds=4.5))
    assert (seconds, type(error)) == (4.5, TimeoutError)


def test_cancel_asks_once_and_waits_until_everything_ready_has_had_its_turn() -> None:
    asked: list[int] = []
    blow = strike("cancellation", lambda: asked.append(1))
    assert seconds_of("cancel", blow) == (SETTLE, None)
    assert asked == [1]


def test_cancel_in_the_run_itself_does_not_return() -> None:
    async def run() -> None:
        task = asyncio.current_task()
        assert task is not None
        await ACTS["cancel"](strike("cancellation", task.cancel))
        raise AssertionError("it went on")

    with asyncio.Runner(loop_factory=SimLoop) as runner, pytest.raises(asyncio.CancelledError):
        runner.run(run())


def test_only_the_first_call_is_misnamed() -> None:
    first, second = ASKED.tool_calls
    spoiled = REWRITES["rename_tool"](ASKED)
    assert spoiled == replace(ASKED, tool_calls=(replace(first, name="no_such_pay"), second))


def test_only_the_first_calls_arguments_are_cut_and_do_not_parse() -> None:
    first, second = ASKED.tool_calls
    spoiled = REWRITES["cut_arguments"](ASKED)
    assert spoiled == replace(ASKED, tool_calls=(replace(first, arguments='{"orde'), second))


@pytest.mark.parametrize("arguments", ["{}", '{"a":1}', '{"a":{"b":[1,2,3]}}', '{"name":"Zoë"}'])
def test_half_an_object_is_never_json(arguments: str) -> None:
    (call,) = REWRITES["cut_arguments"](
        LLMResponse(tool_calls=(ToolCall("f", arguments),))
    ).tool_calls
    assert arguments.startswith(call.arguments) and call.arguments
    with pytest.raises(json.JSONDecodeError):
        json.loads(call.arguments)


@pytest.mark.parametrize("name", REWRITES)
def test_an_answer_without_calls_passes_as_the_same_object(name: str) -> None:
    answer = LLMResponse("It is 3.")
    assert REWRITES[name](answer) is answer


def test_no_name_stands_for_two_behaviours() -> None:
    assert not ACTS.keys() & REWRITES.keys()
