"""The model endpoint as the framework sees it: one class, whose calls go through the corridor.

No wire format here: a provider's client overrides `complete`, and `stream_pieces` if it can
answer piece by piece.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

# The package resolves `Output` lazily: it needs more of pydantic than all the rest.
import robotape.llm as rooms
from robotape.begin import begin
from robotape.budget import BudgetExceeded, charge, take_turn
from robotape.cache import Caching
from robotape.calls import Call, CallNext
from robotape.corridor import cross
from robotape.errors import ModelBehaviorError
from robotape.llm.exchange import LLMRequest, LLMResponse, described, restored, told
from robotape.llm.pieces import LLMChunk, LLMStream, answered, streamed, words_of
from robotape.models.messages import Message, Usage
from robotape.recorder import Passage, reject
from robotape.retry import Retry, is_retryable_llm_error
from robotape.runtime import Scope, current_scope, entered
from robotape.stream import Stream
from robotape.tape import tape_of

if TYPE_CHECKING:
    from pydantic import BaseModel

    from robotape.llm.structured import Output

__all__ = ["BaseLLM", "LLM_RETRY"]

# As many as the official SDKs make.
LLM_RETRY = Retry(max_retries=2, is_retryable=is_retryable_llm_error)


class BaseLLM(ABC):
    """A model that can be asked.

    Guarantee: one call leaves nothing behind that the next one sees; instances may be
    shared by concurrent runs.

    Attributes:
        provider: Whose protocol it speaks, by the names OpenTelemetry has; empty for none.
    """

    provider: ClassVar[str] = ""

    def __init__(
        self, model: str, *, retry: Retry = LLM_RETRY, cache: Caching | None = None
    ) -> None:
        """Make a client; nothing is connected yet.

        Args:
            model: Name of the model.
            retry: How failed calls are tried again.
            cache: Give whole answers again, to the same principal for the same request, in
                place of asking; they cost no tokens, and have no `raw_response`. For a
                store see `cache_identity`. Streams are not cached.
        """
        self.model = model
        self.retry = retry
        self._passage = Passage(
            kind="llm",
            node="llm",
            retry=retry,
            is_repeatable=True,
            tell=told,
            restore=restored,
            is_judged=False,
            provider=self.provider,
        )
        # For whole answers; the other one is also for streams.
        self._cached = self._passage
        if cache is not None:
            self._cached = replace(
                self._passage,
                cache=replace(cache),  # a shelf of its own
                identify=self._question,
                recalled=_recalled,
            )

    def cache_identity(self) -> object:
        """What an answer depends on besides the model's name and the request.

        It keeps the answers of differently configured clients apart in a store that they
        share; in memory each client has its own. Here: the client's class. Override it
        where a client has settings, such as a temperature or an address.
        """
        return f"{type(self).__module__}.{type(self).__qualname__}"

    def _question(self, call: Call) -> object:
        request: LLMRequest = call.arguments["request"]
        return [self.cache_identity(), replace(request, known=0)]

    @abstractmethod
    async def complete(self, request: LLMRequest) -> LLMResponse:
        """Make one exchange with the model: no retries, no cache, nothing kept.

        Raises:
            LLMError: The exchange failed; the subclass says whether it may pass.
        """

    async def stream_pieces(
        self, request: LLMRequest
    ) -> AsyncGenerator[LLMChunk | LLMResponse, None]:
        """As `complete`, piece by piece; by default the words of what `complete` gives.

        Yields:
            The pieces in order, then the whole answer as the mark that nothing is missing.

        Raises:
            LLMError: As `complete` does, also after some pieces.
        """
        response = await self.complete(request)
        for piece in words_of(response):
            yield piece
        yield response

    async def generate(
        self,
        prompt: str | Sequence[Message],
        *,
        tools: Sequence[dict[str, Any]] = (),
        output: "type[BaseModel] | None" = None,
        max_corrections: int = 2,
    ) -> LLMResponse:
        """Ask the model, by way of the corridor.

        Args:
            prompt: A user's text, or a whole conversation, oldest message first.
            tools: JSON definitions of the tools the model may call.
            output: A pydantic model the answer must be an instance of. An answer that calls
                tools is handed on as it is, with no `output`.
            max_corrections: How often an answer that is none is sent back, with its faults; >= 0.
                Each is a call of its own.

        Returns:
            A whole answer; never one that was cut short.

        Raises:
            LLMError: What the last attempt raised.
            CallTimeoutError: The last attempt outlived its timeout.
            ModelBehaviorError: No answer was an instance of `output`.
            TypeError: `output` is no pydantic model.
        """
        request = LLMRequest(_messages(prompt), tuple(tools))
        if output is None:
            return await self.ask(request)
        form = rooms.Output.of(output)
        with entered(_surroundings()) as scope:
            return await self._ask_for(
                form, replace(request, output=form.format), max_corrections + 1, scope.agent
            )

    async def _ask_for(
        self, form: "Output", request: LLMRequest, asks: int, agent: str
    ) -> LLMResponse:
        """Ask until an answer has the form."""
        faults: Any = ()
        for _ in range(asks):
            response = await self.ask(request)
            if response.tool_calls:
                return response
            value, faults = form.read(response.text)
            if value is not None:
                return replace(response, output=value)
            said = Message("assistant", response.text)
            messages = (*request.messages, said, form.correction(faults))
            # What was asked and said so far is on the tape already.
            request = replace(request, messages=messages, known=len(messages) - 1)
        last = "; ".join(f"{path}: {words}" for path, words in faults)
        raise ModelBehaviorError(agent, asks, last)

    def ask(self, request: LLMRequest) -> Coroutine[Any, Any, LLMResponse]:
        """As `generate`, for a caller that has a whole request."""
        return self._cross(request, self._cached, self._whole)

    def stream(
        self, prompt: str | Sequence[Message], *, tools: Sequence[dict[str, Any]] = ()
    ) -> LLMStream:
        """Ask the model for an answer piece by piece, by way of the corridor.

        It is one call, with one id and one place on the tape, as `generate` would be. Up to
        the first piece it is tried again like any call. From there on it is not: whoever has
        shown half an answer must decide himself. The timeout of an attempt is that of each
        piece; the deadline stands for all of them.

        Args:
            prompt: A user's text, or a whole conversation, oldest message first.
            tools: JSON definitions of the tools the model may call.

        Returns:
            The pieces: `async with llm.stream(...) as stream`, then `async for piece in stream`,
            then `stream.whole`, which is the answer `generate` would have given. What
            `generate` raises, entering and reading raise.
        """
        request = LLMRequest(_messages(prompt), tuple(tools))
        return LLMStream(partial(self.ask_in_pieces, request))

    async def ask_in_pieces(self, request: LLMRequest) -> Stream[LLMChunk]:
        """As `stream`, for a caller that has a whole request and closes what it opens."""
        answer = await self._cross(request, self._passage, self._in_pieces)
        # From the tape, or an interceptor that has the answer already, it comes as a whole.
        return answer if isinstance(answer, Stream) else answered(answer)

    async def _cross(self, request: LLMRequest, passage: Passage, effect: CallNext) -> Any:
        scope = current_scope()
        if scope is None or tape_of(scope) is None:
            with entered(begin("llm")):
                return await self._cross(request, passage, effect)
        call = Call(
            "llm",
            self.model,
            {"request": request},
            scope.agent,
            scope.next_id("llm"),
            1,
            scope.principal,
            scope.until(self.retry.total),
        )
        if scope.budgets:
            _take_turn(scope, call)
        asked = described(self.model, request)
        answer = await cross(scope, call, passage, effect, asked=asked)
        if scope.budgets:
            _charge(scope, answer)
        return answer

    def _whole(self, call: Call) -> Awaitable[LLMResponse]:
        return self.complete(call.arguments["request"])

    async def _in_pieces(self, call: Call) -> Stream[LLMChunk]:
        return streamed(self.stream_pieces(call.arguments["request"]))

    async def close(self) -> None:
        """Let go of connections; a client without any does nothing. May be called twice."""
        return


def _messages(prompt: str | Sequence[Message]) -> tuple[Message, ...]:
    return (Message("user", prompt),) if isinstance(prompt, str) else tuple(prompt)


def _recalled(answer: LLMResponse) -> LLMResponse:
    """An answer given again: nothing was spent, and what is not on the tape is not there."""
    return replace(answer, usage=Usage(llm_calls=1), raw_response={})


def _surroundings() -> Scope:
    """The run under way, or one for this conversation."""
    scope = current_scope()
    return begin("llm") if scope is None or tape_of(scope) is None else scope


def _take_turn(scope: Scope, call: Call) -> None:
    try:
        take_turn(scope)
    except BudgetExceeded as refused:
        reject(scope, "llm", call.call_id, refused)
        raise


def _charge(scope: Scope, answer: LLMResponse | Stream[LLMChunk]) -> None:
    """Charge an answer that is whole; a stream when it is."""

    def ended(_: BaseException | None, whole: LLMResponse | None) -> None:
        if whole is not None:
            charge(scope, whole.usage)

    if isinstance(answer, Stream):
        answer.watch(ended)
    else:
        charge(scope, answer.usage)
