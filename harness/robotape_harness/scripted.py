"""Scripted models: doubles that answer from a list or a function, in no time or in virtual time.

They go through the corridor like any client, so faults, retries and the tape are the real
ones. They know no wire format.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from robotape.errors import mark_permanent
from robotape.llm.base import LLM_RETRY, BaseLLM
from robotape.llm.exchange import LLMRequest, LLMResponse
from robotape.models.messages import Message, ToolCall, Usage
from robotape.models.record import encode
from robotape.retry import Retry
from robotape.runtime import current_scope
from robotape_harness.scenario import ScenarioError

__all__ = [
    "BlockedLLM",
    "BlockedLLMError",
    "FunctionLLM",
    "Said",
    "ScriptExhausted",
    "ScriptedLLM",
    "Turn",
    "call",
    "say",
]

ANYBODY = "*"
TOKENS = 10  # what every message costs, so that budgets can be tested by counting


class ScriptExhausted(ScenarioError):
    """A scripted model is asked for a turn that its script does not have.

    Permanent: nobody tries it again. A simulated run in which it was raised is a target
    error, whatever the agent made of it.

    Attributes:
        agent: Path of the agent that asked; empty outside any.
        turn: 1-based.
        planned: How many turns the script has for it.
    """

    def __init__(self, agent: str, turn: int, planned: int, others: Sequence[str] = ()) -> None:
        self.agent = agent
        self.turn = turn
        self.planned = planned
        who = f"agent {agent!r}" if agent else "a caller outside any agent"
        known = f" (it has some for: {', '.join(others)})" if others else ""
        super().__init__(
            f"{who} asks for turn {turn}, and the script has {planned} for it{known}. Add"
            f" call(...) or say(...) as turn {turn}, or let the agent stop earlier"
        )
        mark_permanent(self)


class BlockedLLMError(ScenarioError):
    """A model was asked where none may be."""

    def __init__(self, agent: str) -> None:
        super().__init__(
            f"{agent or 'somebody outside any agent'} asked a BlockedLLM. Give it a ScriptedLLM,"
            " or find out why it asks"
        )
        mark_permanent(self)


@dataclass(frozen=True, slots=True)
class Said:
    """A text in a script; made by `say`."""

    text: str


Part = Said | ToolCall
Turn = Part | LLMResponse | Sequence[Part]
"""What a model answers in one turn: a text, a call, several of them, or a response as it is."""


def say(text: str) -> Said:
    """The model says something; as the whole of a turn, that is its answer."""
    return Said(text)


def call(name: str, /, **arguments: object) -> ToolCall:
    """The model calls a tool.

    Args:
        name: The tool's; it need not exist.
        arguments: By name; what JSON cannot say goes as the tape would say it, so
            `Decimal("30")` as `"30"`. For text that is no JSON use `robotape`'s `ToolCall`.
    """
    return ToolCall(name, encode(arguments).decode())


class ScriptedLLM(BaseLLM):
    """A model that answers from a list.

    Inside an agent the answer depends on the agent and its turn alone: asked again in the
    same turn, for a retry or to correct itself, the model says the same again, and
    concurrent runs may share it. Outside any turn (no agent, a tool's body, an agent without
    a loop) it goes by the order of the calls, counted on this object.

    Example:
        >>> llm = ScriptedLLM(call("add", a=1, b=2), say("It is 3."))
        >>> import asyncio
        >>> asyncio.run(llm.generate("What is 1 + 2?")).tool_calls[0].arguments
        '{"a":1,"b":2}'
    """

    def __init__(
        self,
        *turns: Turn | Mapping[str, Sequence[Turn]],
        latency: float = 0.0,
        model: str = "scripted",
        retry: Retry = LLM_RETRY,
    ) -> None:
        """Write the script.

        Args:
            turns: In order, for whichever agent asks; or one mapping of an agent's path, or
                the last part of it, to its turns. What an agent with a loop asks outside its
                turns is best given apart, under `agent/0`.
            latency: Seconds an answer takes; >= 0.
            model: Name of the model.
            retry: As the real client's, for it is the real policy that is to be tested.

        Raises:
            ValueError: A turn is empty, or `latency` negative.
            TypeError: A turn is made of something else.
        """
        super().__init__(model, retry=retry)
        if latency < 0:
            raise ValueError(f"latency must be >= 0 s, got {latency}")
        self.latency = latency
        self._scripts = {
            agent: tuple(_reply(turn, index, model) for index, turn in enumerate(script))
            for agent, script in _by_agent(turns).items()
        }
        self._asked: dict[str, list[LLMRequest]] = {}

    async def complete(self, request: LLMRequest) -> LLMResponse:
        """Answer by the script.

        Raises:
            ScriptExhausted: The script has no such turn.
        """
        if self.latency:
            await asyncio.sleep(self.latency)
        scope = current_scope()
        agent, turn = ("", 0) if scope is None else (scope.agent, scope.turn)
        script = self._script_of(agent, turn)
        index = turn - 1 if turn else self._order(agent, request)
        if index >= len(script):
            others = [name for name in self._scripts if name != ANYBODY]
            raise ScriptExhausted(agent, index + 1, len(script), () if script else others)
        return script[index]

    def _script_of(self, agent: str, turn: int) -> tuple[LLMResponse, ...]:
        last = agent.rpartition("/")[2]
        apart = () if turn else (f"{agent}/0", f"{last}/0")
        for name in (*apart, agent, last, ANYBODY):
            if name in self._scripts:
                return self._scripts[name]
        return ()

    def _order(self, agent: str, request: LLMRequest) -> int:
        """Which call of this agent it is, 0-based; all attempts of a call have one request."""
        asked = self._asked.setdefault(agent, [])
        for index, known in enumerate(asked):
            if known is request:
                return index
        asked.append(request)
        return len(asked) - 1


def _by_agent(turns: tuple[Any, ...]) -> Mapping[str, Sequence[Turn]]:
    if len(turns) == 1 and isinstance(turns[0], Mapping):
        return turns[0]
    return {ANYBODY: turns}


class FunctionLLM(BaseLLM):
    """A model whose answers a function makes up, sync or async.

    The function is given the messages and the definitions of the tools, and gives what may
    be a turn of a script. It should depend on nothing else, or a run will not replay.

    Example:
        >>> llm = FunctionLLM(lambda messages, tools: say(messages[-1].content.upper()))
        >>> import asyncio
        >>> asyncio.run(llm.generate("louder")).text
        'LOUDER'
    """

    def __init__(
        self,
        function: Callable[
            [tuple[Message, ...], tuple[dict[str, Any], ...]], Turn | Awaitable[Turn]
        ],
        *,
        model: str = "function",
        retry: Retry = LLM_RETRY,
    ) -> None:
        """Take the function."""
        super().__init__(model, retry=retry)
        self._function = function

    async def complete(self, request: LLMRequest) -> LLMResponse:
        """Ask the function.

        Raises:
            TypeError: It gave no turn.
            Exception: What it raises.
        """
        turn: Any = self._function(request.messages, request.tools)
        if inspect.isawaitable(turn):
            turn = await turn
        answered = sum(message.role == "assistant" for message in request.messages)
        return _reply(turn, answered, self.model)


class BlockedLLM(BaseLLM):
    """A model that must not be asked: any use is a target error, whatever the agent makes of it."""

    def __init__(self) -> None:
        """Stand in where no model belongs."""
        super().__init__("blocked")

    async def complete(self, request: LLMRequest) -> LLMResponse:
        """Refuse.

        Raises:
            BlockedLLMError: Always.
        """
        scope = current_scope()
        raise BlockedLLMError("" if scope is None else scope.agent)


def _reply(turn: object, index: int, model: str) -> LLMResponse:
    """A turn as the response it stands for; ids and counts depend on its place alone.

    Args:
        index: 0-based.
    """
    if isinstance(turn, LLMResponse):
        return turn
    parts = _parts(turn)
    said = " ".join(part.text for part in parts if isinstance(part, Said))
    calls = [part for part in parts if isinstance(part, ToolCall)]
    return LLMResponse(
        text=said,
        tool_calls=tuple(
            replace(asked, id=asked.id or f"call_{index + 1}_{ordinal + 1}")
            for ordinal, asked in enumerate(calls)
        ),
        usage=Usage((index + 1) * TOKENS, len(parts) * TOKENS),
        model=model,
        finish_reason="tool_calls" if calls else "stop",
    )


def _parts(turn: object) -> tuple[Part, ...]:
    parts = tuple(turn) if isinstance(turn, list | tuple) else (turn,)
    if not parts:
        raise ValueError("a turn needs a call(...) or a say(...); an empty answer is say('')")
    for part in parts:
        if not isinstance(part, Said | ToolCall):
            raise TypeError(
                f"a turn is made of call(...) and say(...), not of a {type(part).__qualname__}"
            )
    return parts
