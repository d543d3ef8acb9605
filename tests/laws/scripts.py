"""What the laws are tried with: a model that follows a script, virtual time, the tape's protocol.

Nothing here judges robotape by robotape's own rules: the protocol is written down anew.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from robotape.calls import Call, CallNext
from robotape.llm.base import LLM_RETRY, BaseLLM
from robotape.llm.exchange import LLMRequest, LLMResponse
from robotape.models.messages import ToolCall, Usage
from robotape.models.record import Record
from robotape.models.steps import StepStatus, StepType
from robotape.retry import Retry
from robotape_harness.simulation import Choices, SimLoop

__all__ = [
    "Decide",
    "Model",
    "Watcher",
    "asks",
    "broken_laws",
    "call",
    "say",
    "script",
    "simulated",
    "tool_names",
    "wrong",
]

T = TypeVar("T")
Decide = Callable[[LLMRequest], LLMResponse]


class Model(BaseLLM):
    """A model that answers what a function of the request says; it raises what that raises."""

    def __init__(self, decide: Decide, *, latency: float = 0.0, retry: Retry = LLM_RETRY) -> None:
        super().__init__("scripted", retry=retry)
        self.decide = decide
        self.latency = latency
        self.requests: list[LLMRequest] = []

    async def complete(self, request: LLMRequest) -> LLMResponse:
        self.requests.append(request)
        if self.latency:
            await asyncio.sleep(self.latency)
        return self.decide(request)


def script(*replies: LLMResponse, latency: float = 0.0, retry: Retry = LLM_RETRY) -> Model:
    """One reply for each assistant message that is there already; the last one is repeated."""

    def decide(request: LLMRequest) -> LLMResponse:
        said = sum(message.role == "assistant" for message in request.messages)
        return replies[min(said, len(replies) - 1)]

    return Model(decide, latency=latency, retry=retry)


def say(text: str) -> LLMResponse:
    return LLMResponse(text, usage=Usage(10, 5))


def call(name: str, /, **arguments: Any) -> ToolCall:
    return ToolCall(name, json.dumps(arguments), id=f"{name}-id")


def wrong(name: str, arguments: str = "{") -> ToolCall:
    """A call whose arguments are whatever is given."""
    return ToolCall(name, arguments, id=f"{name}-id")


def asks(*calls: ToolCall) -> LLMResponse:
    return LLMResponse("", calls, usage=Usage(10, 5))


def simulated(main: Coroutine[Any, Any, T], seed: int | None = None) -> T:
    """Run in virtual time; None is first in, first out, a seed is one schedule of many."""
    choices = None if seed is None else Choices.seeded(seed)
    with asyncio.Runner(loop_factory=lambda: SimLoop(choices)) as runner:
        return runner.run(main)


class Watcher:
    """An interceptor that writes down every attempt it sees."""

    def __init__(self) -> None:
        self.seen: list[Call] = []

    async def __call__(self, call: Call, call_next: CallNext) -> Any:
        self.seen.append(call)
        return await call_next(call)


def broken_laws(steps: Iterable[Record]) -> list[str]:
    """What a finished tape does against its protocol, in words; empty for a lawful tape."""
    complaints: list[str] = []
    opened: dict[str, int] = {}
    for step in steps:
        if step.attempt == 0 or step.type is StepType.THOUGHT:
            continue
        if step.type is StepType.ACTION:
            if step.call_id in opened:
                complaints.append(f"{step.call_id}: begun twice")
            if step.status is not StepStatus.PENDING:
                complaints.append(f"{step.call_id}: an ACTION that is {step.status}")
            opened[step.call_id] = step.attempt
        elif opened.pop(step.call_id, None) != step.attempt:
            complaints.append(f"{step.call_id}: a terminator of nothing")
    return complaints + [f"{call_id}: no terminator" for call_id in opened]


def tool_names(steps: Iterable[Record]) -> list[str]:
    """The nodes of all attempts, in order."""
    return [step.node for step in steps if step.type is StepType.ACTION]
