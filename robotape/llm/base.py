"""The model endpoint as the framework sees it: one class, whose calls go through the corridor.

No wire format here: a provider's client overrides `complete`.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from robotape.begin import begin
from robotape.calls import Call
from robotape.corridor import cross
from robotape.llm.exchange import LLMRequest, LLMResponse, described, restored, told
from robotape.models.messages import Message
from robotape.recorder import Passage
from robotape.retry import Retry, is_retryable_llm_error
from robotape.runtime import current_scope, entered
from robotape.secrets import scan_environment
from robotape.tape import tape_of

__all__ = ["LLM_RETRY", "BaseLLM"]

# As many as the official SDKs make.
LLM_RETRY = Retry(max_retries=2, is_retryable=is_retryable_llm_error)


class BaseLLM(ABC):
    """A model that can be asked.

    Guarantee: one call leaves nothing behind that the next one sees; instances may be
    shared by concurrent runs.
    """

    def __init__(self, model: str, *, retry: Retry = LLM_RETRY) -> None:
        """Make a client; nothing is connected yet.

        Args:
            model: Name of the model.
            retry: How failed calls are tried again.
        """
        scan_environment()
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
        )

    @abstractmethod
    async def complete(self, request: LLMRequest) -> LLMResponse:
        """Make one exchange with the model: no retries, no cache, nothing kept.

        Raises:
            LLMError: The exchange failed; the subclass says whether it may pass.
        """

    async def generate(
        self,
        prompt: str | Sequence[Message],
        *,
        tools: Sequence[dict[str, Any]] = (),
    ) -> LLMResponse:
        """Ask the model, by way of the corridor.

        Args:
            prompt: A user's text, or a whole conversation, oldest message first.
            tools: JSON definitions of the tools the model may call.

        Returns:
            A whole answer; never one that was cut short.

        Raises:
            LLMError: What the last attempt raised.
            CallTimeoutError: The last attempt outlived its timeout.
        """
        messages = (Message("user", prompt),) if isinstance(prompt, str) else tuple(prompt)
        return await self.ask(LLMRequest(messages, tuple(tools)))

    async def ask(self, request: LLMRequest) -> LLMResponse:
        """As `generate`, for a caller that has a whole request."""
        scope = current_scope()
        if scope is None or tape_of(scope) is None:
            with entered(begin("llm")):
                return await self.ask(request)
        call = Call(
            "llm",
            self.model,
            {"request": request},
            agent=scope.agent,
            call_id=scope.next_id("llm"),
            principal=scope.principal,
            deadline=scope.until(self.retry.total),
        )
        response: LLMResponse = await cross(
            scope, call, self._passage, self._effect, asked=described(self.model, request)
        )
        return response

    async def _effect(self, call: Call) -> LLMResponse:
        return await self.complete(call.arguments["request"])

    async def close(self) -> None:
        """Let go of connections; a client without any does nothing. May be called twice."""
        return
