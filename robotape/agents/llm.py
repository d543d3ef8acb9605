"""The tool-calling agent: a model is asked, its tools are called, until it answers.

One turn is one model call and the tool calls it asked for. A reply in which any call
cannot be used is sent back whole: none of its calls is made, and the model is asked
again within the same turn.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from robotape import models
from robotape.agents.base import BaseAgent
from robotape.agents.result import RunResult, StopReason
from robotape.begin import begin
from robotape.budget import BudgetExceeded
from robotape.context import Surroundings
from robotape.corridor import admit
from robotape.errors import (
    ModelBehaviorError,
    PolicyDenied,
    ReportedError,
    ToolError,
    ToolInputError,
    UnknownToolError,
)
from robotape.llm.base import BaseLLM
from robotape.llm.create import create_llm
from robotape.llm.exchange import LLMRequest, LLMResponse
from robotape.llm.prices import Bill, Prices
from robotape.models.messages import Message, ToolCall, Usage
from robotape.models.record import encode
from robotape.policy import Policy
from robotape.recorder import reject
from robotape.runtime import Scope, current_scope, entered
from robotape.tape import tape_of
from robotape.tools import Tool
from robotape.watch import under_watch

if TYPE_CHECKING:
    from robotape.llm.config import LLMConfig
    from robotape.models.steps import StepResult
    from robotape.validation import Parsed

__all__ = ["LLMAgent", "LLMAwareAgent"]

_NOT_MADE = "not made, because another call of this reply cannot be used; send all calls again"


class LLMAgent(BaseAgent):
    """An agent that lets a model decide which tools to call.

    Attributes:
        llm: The model.
        instructions: The system message; empty for none.
        max_turns: Model answers after which a run stops.
        max_tokens: Tokens, both ways, after which a run stops; None for no limit.
        max_asks: How often the model is asked in one turn for a reply that can be used.
        prices: By which `RunResult.cost_usd` is reckoned; None for not at all.
        last_tools: Tools whose call ends the run, with `handed_off`; set by who takes over.
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
        prices: Prices | None = None,
    ) -> None:
        """Make an agent; nothing is run or opened.

        Raises:
            ValueError: A limit below 1, a price below 0, or what `BaseAgent` refuses.
        """
        super().__init__(name, tools=tools, policy=policy)
        if min(max_turns, max_asks, 1 if max_tokens is None else max_tokens) < 1:
            raise ValueError(f"{name}: max_turns, max_asks and max_tokens must be at least 1")
        self.llm = llm
        self.instructions = instructions
        self.max_turns = max_turns
        self.max_tokens = max_tokens
        self.max_asks = max_asks
        self.last_tools: frozenset[str] = frozenset()
        self.prices = prices
        if prices is not None:
            Bill(prices)  # what is wrong with them is said here, not at the end of a run

    async def run(self, task: Any, *, history: Sequence[Message] = (), **options: Any) -> RunResult:
        """Run from a task to an answer; see `BaseAgent.run` for the options.

        Args:
            task: What the user says; None to go on with the history as it is.
            history: An earlier conversation to go on with; see `RunResult.messages`.
            options: deps, principal, tape, seed, deadline.

        Raises:
            LLMError: The model's endpoint failed, retries included.
            ModelBehaviorError: `max_asks` replies in one turn could not be used.
            ValueError: There is neither a task nor a history.
        """
        if task is None and not history:
            raise ValueError(f"{self.name}: there is no history to go on with, so give a task")
        said = None if task is None else str(task)
        return await super().run((said, tuple(history)), **options)

    async def work(self, task: Any, deps: Any) -> RunResult:
        """The loop: ask, call, ask again."""
        prompt, opening = _opening(self.instructions, *task)
        tools = tuple([tool.definition for tool in self.tools.values()])
        talk = _Talk(opening, tools, None if self.prices is None else Bill(self.prices))
        stop: StopReason = "max_turns"
        error: str | None = None
        around = current_scope()
        assert around is not None
        for turn in range(1, self.max_turns + 1):
            scope = around.inner(f"{around.prefix}/{turn}", turn=turn, is_same_task=True)
            with under_watch(scope):
                try:
                    reply, admitted = await self._ask(scope, talk)
                except BudgetExceeded as refused:
                    stop, error = _stop_of(refused), str(refused)
                    break
                if not reply.tool_calls:
                    stop = "finished"
                    break
                context = Surroundings(deps, talk.usage, prompt)
                ended = await self._call_all(scope, reply.tool_calls, admitted, context)
            talk.hear(ended)
            if self.last_tools and any(
                made and answer.name in self.last_tools for answer, made in ended
            ):
                stop = "handed_off"
                break
            if self.max_tokens is not None and talk.tokens >= self.max_tokens:
                stop = "max_tokens"
                break
        return RunResult(
            talk.last_said,
            self.current_tape,
            talk.usage,
            stop,
            tuple(talk.messages),
            error,
            cost_usd=None if talk.bill is None else talk.bill.total,
        )

    async def _ask(
        self, scope: Scope, talk: "_Talk"
    ) -> tuple[LLMResponse, "list[Parsed | PolicyDenied]"]:
        """Ask until a reply can be used as a whole."""
        faults: list[Exception | None] = []
        for _ in range(self.max_asks):
            reply = await self.llm.ask(LLMRequest(tuple(talk.messages), talk.tools, talk.known))
            talk.say(reply)
            if talk.bill is not None:
                talk.bill.add(reply.usage, reply.model, self.llm.model)
            if not reply.tool_calls:
                return reply, []
            admitted = [
                self._admit(scope, call, ordinal) for ordinal, call in enumerate(reply.tool_calls)
            ]
            usable = [entry for entry in admitted if not isinstance(entry, ToolError)]
            if len(usable) == len(admitted):
                return reply, usable
            faults = [entry if isinstance(entry, ToolError) else None for entry in admitted]
            talk.hear(
                [
                    (_answer(call, _NOT_MADE if fault is None else f"Error: {fault}"), False)
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
    ) -> list[tuple[Message, bool]]:
        """Make all calls of a reply at once; all of them end before any error is raised.

        To cut the siblings of a failed call off in the middle would leave their effects
        in doubt.

        Returns:
            (answer, whether the body was entered) per call, in the model's order.
        """
        if len(calls) == 1:
            return [await self._call(scope, calls[0], 0, admitted[0], context)]
        started = [
            self._call(scope, call, ordinal, entry, context)
            for ordinal, (call, entry) in enumerate(zip(calls, admitted, strict=True))
        ]
        ended = await asyncio.gather(*started, return_exceptions=True)
        errors = [result for result in ended if isinstance(result, BaseException)]
        if errors:  # a cancellation goes first: no failure may hide it
            raise min(errors, key=lambda error: isinstance(error, Exception))
        return [result for result in ended if not isinstance(result, BaseException)]

    async def _call(
        self,
        scope: Scope,
        call: ToolCall,
        ordinal: int,
        admitted: "Parsed | PolicyDenied",
        context: Surroundings,
    ) -> tuple[Message, bool]:
        if isinstance(admitted, PolicyDenied):
            return _answer(call, f"Error: {admitted}"), False
        tool = self.tools[call.name]
        try:
            value = await tool.perform(scope, _id(scope, call, ordinal), admitted, context)
        except (PolicyDenied, ReportedError) as refused:
            return _answer(call, f"Error: {refused}"), False
        return _answer(call, value if isinstance(value, str) else _in_words(value)), True


class LLMAwareAgent(LLMAgent):
    """An agent made from a configuration, which also thinks aloud: `think` asks the model."""

    def __init__(
        self,
        name: str,
        llm_config: "LLMConfig",
        config: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        """Make an agent and its client; nothing is connected yet.

        Args:
            name: As for `BaseAgent`.
            llm_config: What `create_llm` makes the client from.
            config: The user's own.
            options: As for `LLMAgent`.
        """
        super().__init__(name, create_llm(llm_config), **options)
        self.config = config or {}

    async def think(self, context: Any) -> "StepResult":
        """Ask the model what the next action should be.

        Returns:
            Its text, with the metadata context_keys, model and usage; without success where
            the model could not be asked.
        """
        scope = current_scope()
        if scope is None or tape_of(scope) is None:
            with entered(begin(self.name, tape=self.current_tape, resume=False)):
                return await self.think(context)
        told = encode(context).decode()
        try:
            reply = await self.llm.generate(
                f"Given the context {told}, what should be the next action?"
            )
        except Exception as error:
            failed = {"error_type": type(error).__name__}
            return models.StepResult(success=False, error=str(error), metadata=failed)
        keys = list(context) if isinstance(context, Mapping) else []
        facts = {"context_keys": keys, "model": reply.model, "usage": reply.usage}
        return models.StepResult(success=True, output=reply.text, metadata=facts)


class _Talk:
    """The conversation of one run as it grows, and what it has cost."""

    __slots__ = (
        "_calls",
        "_input",
        "_made",
        "_output",
        "bill",
        "known",
        "last_said",
        "messages",
        "tools",
    )

    def __init__(
        self, messages: Sequence[Message], tools: tuple[dict[str, Any], ...], bill: Bill | None
    ) -> None:
        self.messages = list(messages)
        self.tools = tools
        self.bill = bill
        self.known = 0
        self.last_said = ""
        self._input = self._output = self._calls = self._made = 0

    @property
    def usage(self) -> Usage:
        return Usage(self._input, self._output, self._calls, self._made)

    @property
    def tokens(self) -> int:
        return self._input + self._output

    def say(self, reply: LLMResponse) -> None:
        self.last_said = reply.text
        self._input += reply.usage.input_tokens
        self._output += reply.usage.output_tokens
        self._calls += 1
        self.messages.append(Message("assistant", reply.text, reply.tool_calls))
        # The reply itself is on the tape as a thought: it need not be told again.
        self.known = len(self.messages)

    def hear(self, answers: Sequence[tuple[Message, bool]]) -> None:
        for answer, made in answers:
            self.messages.append(answer)
            self._made += made


def _opening(
    instructions: str, task: str | None, history: tuple[Message, ...]
) -> tuple[str, tuple[Message, ...]]:
    """What the run is about, and the messages it begins with."""
    has_system = bool(history) and history[0].role == "system"
    system = () if has_system or not instructions else (Message("system", instructions),)
    if task is None:
        said = [message.content for message in history if message.role == "user"]
        return said[-1] if said else "", (*system, *history)
    return task, (*system, *history, Message("user", task))


def _stop_of(refused: BudgetExceeded) -> StopReason:
    return "max_turns" if refused.what == "turns" else "max_tokens"


def _id(scope: Scope, call: ToolCall, ordinal: int) -> str:
    return f"{scope.prefix}/tool:{call.name}[{ordinal}]"


def _in_words(value: object) -> str:
    """A result as the model is told of it: the same for a value and for its form on the tape."""
    text = encode(value).decode()
    return str(json.loads(text)) if text.startswith('"') else text


def _answer(call: ToolCall, text: str) -> Message:
    return Message("tool", text, (), call.id, call.name)
