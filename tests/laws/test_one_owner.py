"""Retries have one owner: the outermost call that can retry; nobody multiplies its attempts."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from robotape import LLMAgent, Retry, Tape, Tool
from robotape.begin import begin
from robotape.errors import ServerError, is_permanent
from robotape.llm.exchange import LLMRequest, LLMResponse
from robotape.models.steps import StepType
from robotape.runtime import entered
from tests.laws.scripts import Model, asks, broken_laws, call, say, script, simulated

Inner = Callable[[], Awaitable[Any]]


def attempts(inner: Inner, **outer_options: Any) -> tuple[int, int, BaseException | None]:
    """(attempts of the outer call, attempts of all calls inside, what came out)."""
    tape = Tape()

    async def outer() -> Any:
        return await inner()

    async def main() -> BaseException | None:
        with entered(begin("desk", tape=tape, seed=1)):
            try:
                await Tool(outer, **outer_options).execute({})
            except Exception as error:
                return error
        return None

    error = simulated(main())
    assert broken_laws(tape) == []
    nodes = [step.node for step in tape if step.type is StepType.ACTION]
    return nodes.count("outer"), len(nodes) - nodes.count("outer"), error


def model(error: Exception) -> Inner:
    def decide(request: LLMRequest) -> LLMResponse:
        raise error

    asked = Model(decide)
    return lambda: asked.generate("hi")


def inner_tool(error: Exception, **options: Any) -> Inner:
    async def inner() -> None:
        raise error

    made: Tool[Any] = Tool(inner, **options)
    return lambda: made.execute({})


async def _made(inner: Inner) -> Any:
    return await inner()


def test_inside_a_call_that_retries_a_call_tries_once() -> None:
    assert attempts(model(ServerError("500")))[:2] == (4, 4)
    assert attempts(inner_tool(ConnectionResetError()))[:2] == (4, 4)
    assert attempts(inner_tool(ConnectionResetError()), max_retries=1)[:2] == (2, 2)


def test_control_alone_it_retries() -> None:
    with pytest.raises(ServerError):
        simulated(_made(model(ServerError("500"))))
    assert attempts(model(ServerError("500")), max_retries=0)[:2] == (1, 3)
    assert attempts(inner_tool(ConnectionResetError()), max_retries=0)[:2] == (1, 4)


def test_a_write_without_a_key_leaves_retrying_to_what_it_calls() -> None:
    outer, inner, error = attempts(model(ServerError("500")), writes=True)
    assert (outer, inner) == (1, 3)
    assert error is not None
    assert is_permanent(error)


def test_a_write_with_a_key_owns_its_retries() -> None:
    assert attempts(model(ServerError("500")), effect_key=lambda args: 1)[:2] == (4, 4)


def test_what_is_exhausted_inside_is_permanent_outside() -> None:
    """Three deep: the outermost does not retry, the middle one does, the innermost tries once."""
    middle = inner_tool(ConnectionResetError(), max_retries=2)

    async def through() -> None:
        await middle()

    made: Tool[Any] = Tool(through, name="middle", max_retries=0)
    outer, inner, error = attempts(lambda: made.execute({}), max_retries=0)
    assert (outer, inner) == (1, 1 + 3)
    assert error is not None
    assert is_permanent(error)


def test_a_write_that_may_have_happened_is_not_repeated_by_the_call_around_it() -> None:
    assert attempts(inner_tool(TimeoutError(), writes=True))[:2] == (1, 1)


def test_control_a_write_that_was_refused_is() -> None:
    assert attempts(inner_tool(ConnectionRefusedError(), writes=True))[:2] == (4, 4)


def test_a_custom_judge_does_not_multiply() -> None:
    greedy = Retry(max_retries=2, is_retryable=lambda error: True)
    inner = inner_tool(ConnectionResetError(), max_retries=1)
    made = inner_tool(ConnectionResetError(), retry=greedy)
    assert attempts(inner, retry=greedy)[:2] == (3, 3)
    assert attempts(made, max_retries=0)[:2] == (1, 3)


def test_an_agent_inside_a_tool_that_retries_tries_once() -> None:
    def decide(request: LLMRequest) -> LLMResponse:
        raise ServerError("500")

    sub = LLMAgent("sub", Model(decide))
    assert attempts(lambda: sub.run("go"))[:2] == (4, 4)
    assert attempts(lambda: sub.run("go"), max_retries=0)[:2] == (1, 3)


def test_ownership_ends_with_the_call() -> None:
    left = [ServerError("500")] * 2

    def decide(request: LLMRequest) -> LLMResponse:
        if any(message.role == "tool" for message in request.messages) and left:
            raise left.pop()
        said = any(message.role == "assistant" for message in request.messages)
        return say("ok") if said else asks(call("work"))

    async def work() -> str:
        return "done"

    desk = LLMAgent("desk", Model(decide), tools=[Tool(work)])
    assert simulated(desk.run("go")).output == "ok"
    assert left == []


def test_concurrent_calls_of_one_tool_count_their_attempts_apart() -> None:
    """The published robotape 0.6 kept one retry counter on the tool."""
    seen: dict[str, list[int]] = {}

    async def flaky(ctx: Any, name: str) -> str:
        seen.setdefault(name, []).append(ctx.retry)
        await asyncio.sleep(1)
        if ctx.retry < 2:
            raise ConnectionResetError
        return name

    made: Tool[Any] = Tool(flaky, takes_ctx=True, max_retries=2)
    names = [f"n{index}" for index in range(5)]
    desk = LLMAgent(
        "desk", script(asks(*(call("flaky", name=name) for name in names)), say("ok")), tools=[made]
    )
    for seed in range(5):
        seen.clear()
        result = simulated(desk.run("go"), seed)
        assert seen == {name: [0, 1, 2] for name in names}
        assert result.output == "ok"
