"""The tool-calling agent: a model is asked, its tools are called, until it answers.

One turn is one model call and the tool calls it asked for. A reply in which any call
cannot be used is sent back whole: none of its calls is made, and the model is asked
again within the same turn.
"""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from robotape.agents.base import BaseAgent
from robotape.agents.result import RunResult, StopReason
from robotape.context import Surroundings
from robotape.corridor import admit
from robotape.errors import (
    ModelBehaviorError,
    PolicyDenied,
    ToolError,
    ToolInputError,
    UnknownToolError,
)
from robotape.llm.base import BaseLLM
from robotape.llm.exchange import LLMRequest, LLMResponse
from robotape.models.messages import Message, ToolCall, Usage
from robotape.models.record import encode
from robotape.policy import Policy
from robotape.recorder import reject
from robotape.runtime import Scope, current_scope, entered
from robotape.tools import Tool

if TYPE_CHECKING:
    from robotape.validation import Parsed

__all__ = ["LLMAgent"]

_NOT_MADE = "not made, because another call of this reply cannot be used; send all calls again"


class LLMAgent(BaseAgent):
    """An agent that lets a model decide which tools to call.

    Attributes:
        llm: The model.
        instructions: The system message; empty for none.
        max_turns: Model answers after which a run stops.
        max_tokens: Tokens, both ways, after which a run stops; None for no limit.
        max_asks: How often the model is asked in one turn for a reply that can be used.
    """

    def __init__(
        self,
        name: str,
        llm: BaseLLM,
        *,
        tools: Sequence[Tool[Any]] = (),
        policy: Policy | None = None,
        instructions: str = "",
        max_turns: int = 20,
        max_tokens: int | None = None,
        max_asks: int = 3,
    ) -> None:
        """Make an agent; nothing is run or opened.

        Raises:
            ValueError: A limit below 1, or what `BaseAgent` refuses.
        """
        super().__init__(name, tools=tools, policy=policy)
        if max_turns < 1 or max_asks < 1:
            raise ValueError(f"{name}: max_turns and max_asks must be at least 1")
        self.llm = llm
        self.instructions = instructions
        self.max_turns = max_turns
        self.max_tokens = max_tokens
        self.max_asks = max_asks

    async def run(self, task: Any, *, history: Sequence[Message] = (), **options: Any) -> RunResult:
        """Run from a task to an answer; see `BaseAgent.run` for the options.

        Args:
            task: What the user says.
            history: An earlier conversation to go on with; see `RunResult.messages`.
            options: deps, principal, tape, seed, deadline.

        Raises:
            LLMError: The model's endpoint failed, retries included.
            ModelBehaviorError: `max_asks` replies in one turn could not be used.
        """
        return await super().run((str(task), tuple(history)), **options)

    async def work(self, task: Any, deps: Any) -> RunResult:
        """The loop: ask, call, ask again."""
        prompt, history = task
        system = (Message("system", self.instructions),) if self.instructions else ()
        tools = tuple([tool.definition for tool in self.tools.values()])
        talk = _Talk((*(history or system), Message("user", prompt)), tools)
        stop: StopReason = "max_turns"
        for turn in range(1, self.max_turns + 1):
            scope = _turn(turn)
            with entered(scope):
                reply, admitted = await self._ask(scope, talk)
                if not reply.tool_calls:
                    stop = "finished"
                    break
                context = Surroundings(deps, talk.usage, prompt)
                answers = await self._call_all(scope, reply.tool_calls, admitted, context)
            talk.hear(answers)
            talk.count_calls(len(answers))
            if self.max_tokens is not None and talk.usage.total_tokens >= self.max_tokens:
                stop = "max_tokens"
                break
        return RunResult(talk.last_said, self.current_tape, talk.usage, stop, tuple(talk.messages))

    async def _ask(
        self, scope: Scope, talk: "_Talk"
    ) -> tuple[LLMResponse, "list[Parsed | PolicyDenied]"]:
        """Ask until a reply can be used as a whole."""
        faults: list[Exception | None] = []
        for _ in range(self.max_asks):
            reply = await self.llm.ask(LLMRequest(tuple(talk.messages), talk.tools, talk.known))
            talk.say(reply)
            if not reply.tool_calls:
                return reply, []
            admitted = [
                self._admit(scope, call, ordinal) for ordinal, call in enumerate(reply.tool_calls)
            ]
            faults = [entry if isinstance(entry, ToolError) else None for entry in admitted]
            if not any(faults):
                usable = [entry for entry in admitted if not isinstance(entry, ToolError)]
                return reply, usable
            talk.hear(
                [
                    _answer(call, _NOT_MADE if fault is None else f"Error: {fault}")
                    for call, fault in zip(reply.tool_calls, faults, strict=True)
                ]
            )
        last = next(str(fault) for fault in faults if fault is not None)
        raise ModelBehaviorError(scope.agent, self.max_asks, last)

    def _admit(
        self, scope: Scope, call: ToolCall, ordinal: int
    ) -> "Parsed | PolicyDenied | ToolError":
        call_id = _id(scope, call, ordinal)
        tool = self.tools.get(call.name)
        if tool is None:
            error = UnknownToolError(call.name, list(self.tools))
            reject(scope, call.name, call_id, error)
            return error
        try:
            return admit(scope, call.name, call_id, call.arguments, tool.parser)
        except (ToolInputError, PolicyDenied) as refused:
            return refused

    async def _call_all(
        self,
        scope: Scope,
        calls: Sequence[ToolCall],
        admitted: "Sequence[Parsed | PolicyDenied]",
        context: Surroundings,
    ) -> list[Message]:
        """Make all calls of a reply at once; all of them end before any error is raised.

        To cut the siblings of a failed call off in the middle would leave their effects
        in doubt.
        """
        started = [
            self._call(scope, call, ordinal, entry, context)
            for ordinal, (call, entry) in enumerate(zip(calls, admitted, strict=True))
        ]
        if len(started) == 1:
            return [await started[0]]
        ended = await asyncio.gather(*started, return_exceptions=True)
        for result in ended:
            if isinstance(result, BaseException):
                raise result
        return [result for result in ended if isinstance(result, Message)]

    async def _call(
        self,
        scope: Scope,
        call: ToolCall,
        ordinal: int,
        admitted: "Parsed | PolicyDenied",
        context: Surroundings,
    ) -> Message:
        if isinstance(admitted, PolicyDenied):
            return _answer(call, f"Error: {admitted}")
        tool = self.tools[call.name]
        try:
            value = await tool.perform(scope, _id(scope, call, ordinal), admitted, context)
        except PolicyDenied as denied:
            return _answer(call, f"Error: {denied}")
        return _answer(call, value if isinstance(value, str) else encode(value).decode())


class _Talk:
    """The conversation of one run as it grows, and what it has cost."""

    __slots__ = ("known", "last_said", "messages", "tools", "usage")

    def __init__(self, messages: Sequence[Message], tools: tuple[dict[str, Any], ...]) -> None:
        self.tools = tools
        self.messages = list(messages)
        self.known = 0
        self.usage = Usage()
        self.last_said = ""

    def say(self, reply: LLMResponse) -> None:
        self.last_said = reply.text
        spent, usage = self.usage, reply.usage
        self.usage = Usage(
            spent.input_tokens + usage.input_tokens,
            spent.output_tokens + usage.output_tokens,
            spent.llm_calls + 1,
            spent.tool_calls,
        )
        self.messages.append(Message("assistant", reply.text, reply.tool_calls))
        # The reply itself is on the tape as a thought: it need not be told again.
        self.known = len(self.messages)

    def count_calls(self, number: int) -> None:
        self.usage += Usage(tool_calls=number)

    def hear(self, answers: Sequence[Message]) -> None:
        self.messages.extend(answers)


def _turn(turn: int) -> Scope:
    around = current_scope()
    assert around is not None
    return around.inner(f"{around.prefix}/{turn}", turn=turn, is_same_task=True)


def _id(scope: Scope, call: ToolCall, ordinal: int) -> str:
    return f"{scope.prefix}/tool:{call.name}[{ordinal}]"


def _answer(call: ToolCall, text: str) -> Message:
    return Message("tool", text, tool_call_id=call.id, name=call.name)
