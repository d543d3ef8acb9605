"""BaseLLM: a subclass says how one exchange is made; the corridor does the rest."""

import asyncio
from collections.abc import Iterator

import pytest

from robotape import Policy, allow, intercept
from robotape.begin import begin
from robotape.calls import Call
from robotape.errors import (
    CallTimeoutError,
    DeadlineExceeded,
    QuotaError,
    RateLimitError,
    ServerError,
)
from robotape.llm.base import LLM_RETRY, BaseLLM
from robotape.llm.exchange import LLMRequest, LLMResponse
from robotape.models import Message
from robotape.retry import Retry
from robotape.runtime import entered
from robotape.tape import Tape
from tests.laws.scripts import Model, Watcher, broken_laws, say, script, simulated, tool_names


def failing(*errors: Exception) -> Model:
    left: Iterator[Exception] = iter(errors)

    def decide(request: LLMRequest) -> LLMResponse:
        for error in left:
            raise error
        return say("ok")

    return Model(decide)


def asked(model: BaseLLM, *, policy: Policy | None = None) -> tuple[str | Exception, Tape, float]:
    tape = Tape()

    async def main() -> tuple[str | Exception, float]:
        scope = begin("desk", tape=tape, policy=policy, seed=1)
        with entered(scope):
            try:
                return (await model.generate("hi")).text, scope.run.now()
            except Exception as error:
                return error, scope.run.now()

    told, seconds = simulated(main())
    assert broken_laws(tape) == []
    return told, tape, seconds


def test_one_method_makes_a_model() -> None:
    class Parrot(BaseLLM):
        async def complete(self, request: LLMRequest) -> LLMResponse:
            return LLMResponse(request.messages[-1].content)

    assert asyncio.run(Parrot("parrot").generate("hello")).text == "hello"


def test_a_conversation_or_a_text_can_be_asked() -> None:
    model = script(say("ok"))
    talk = (Message("system", "Be kind."), Message("user", "hi"))
    simulated(model.generate(talk))
    simulated(model.generate("hi"))
    assert [request.messages for request in model.requests] == [talk, (Message("user", "hi"),)]


@pytest.mark.parametrize(
    ("errors", "attempts", "told"),
    [
        ((), 1, "ok"),
        ((ServerError("500"),), 2, "ok"),
        ((ServerError("500"), RateLimitError("429", retry_after=7)), 3, "ok"),
        ((ServerError("500"),) * 3, 3, "ServerError"),
        ((QuotaError("no money"),), 1, "QuotaError"),
        ((ValueError("a bug"),), 1, "ValueError"),
    ],
)
def test_a_model_is_asked_again_where_that_may_help(
    errors: tuple[Exception, ...], attempts: int, told: str
) -> None:
    answer, tape, seconds = asked(failing(*errors))
    assert (answer if isinstance(answer, str) else type(answer).__name__) == told
    assert tool_names(tape) == ["llm"] * attempts
    assert seconds >= max([getattr(error, "retry_after", 0) or 0 for error in errors], default=0)
    assert {step.call_id for step in tape} == {"desk/llm[0]"}


def test_no_hint_is_obeyed_beyond_our_patience() -> None:
    error = RateLimitError("429", retry_after=LLM_RETRY.patience + 1)
    answer, _, seconds = asked(failing(error))
    assert (answer, seconds) == (error, 0.0)


def test_a_model_that_does_not_answer_is_given_up() -> None:
    def slow(*, timeout: float | None = None, total: float | None = None) -> Model:
        retry = Retry(0, timeout=timeout, total=total)
        return Model(lambda request: say("late"), latency=1e5, retry=retry)

    answer, _, seconds = asked(slow(total=7.0))
    assert (type(answer), seconds) == (DeadlineExceeded, 7.0)
    answer, _, seconds = asked(slow(timeout=9.0))
    assert (type(answer), seconds) == (CallTimeoutError, 9.0)


def test_policies_judge_tools_and_not_the_model() -> None:
    answer, _, _ = asked(script(say("ok")), policy=Policy(allow("*", "refund")))
    assert answer == "ok"


def test_interceptors_see_the_request() -> None:
    watcher = Watcher()

    async def main() -> None:
        with intercept(watcher):
            await script(say("ok")).generate("hi")

    simulated(main())
    [call] = watcher.seen
    assert isinstance(call, Call)
    assert (call.kind, call.target, call.attempt) == ("llm", "scripted", 1)
    assert call.arguments["request"].messages == (Message("user", "hi"),)


def test_one_model_serves_many_at_once() -> None:
    model = Model(lambda request: say(request.messages[-1].content), latency=1.0)

    async def main() -> list[str]:
        told = await asyncio.gather(*(model.generate(str(n)) for n in range(50)))
        return [answer.text for answer in told]

    assert simulated(main(), seed=2) == [str(n) for n in range(50)]
    assert asyncio.run(_closed_twice(model)) is None


async def _closed_twice(model: BaseLLM) -> None:
    await model.close()
    await model.close()
