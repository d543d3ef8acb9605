"""Clients for whatever speaks the OpenAI chat completions protocol; the format is `chat_wire`'s."""

from collections.abc import Mapping
from typing import Any

from yarl import URL

from robotape.http import HttpPool, HttpReply
from robotape.llm.chat_stream import ChatAssembly
from robotape.llm.chat_wire import answer, request_body
from robotape.llm.config import LLMConfig
from robotape.llm.exchange import LLMRequest, LLMResponse
from robotape.llm.remote import RemoteLLM, endpoint
from robotape.retry import Retry

__all__ = ["HuggingFaceLLM", "OpenAILLM"]

OPENAI_URL = "https://api.openai.com/v1"
HUGGING_FACE_URL = "https://router.huggingface.co/v1"


class OpenAILLM(RemoteLLM):
    """A model behind an OpenAI-compatible endpoint: OpenAI, vLLM, Ollama, Hugging Face.

    Guarantee: the API key goes into the Authorization header and nowhere else; no answer
    that was cut short, withheld or damaged is handed on as one.

    Attributes:
        config: What it was made from.
        url: Where requests go.
    """

    provider = "openai"

    def __init__(
        self, config: LLMConfig, *, pool: HttpPool | None = None, retry: Retry | None = None
    ) -> None:
        """Make a client; nothing is connected yet; see `RemoteLLM`."""
        super().__init__(config, pool=pool, retry=retry)
        # OpenAI renamed the field and refuses the old name for newer models; the others kept it.
        is_openai = self.url.host == "api.openai.com"
        self._max_tokens_field = "max_completion_tokens" if is_openai else "max_tokens"

    def _url(self) -> URL:
        return endpoint(self.config.base_url or OPENAI_URL, "chat/completions")

    def _headers(self) -> Mapping[str, str]:
        key = self.config.reveal_key()
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _body(self, request: LLMRequest) -> dict[str, Any]:
        return request_body(self.config, request, max_tokens_field=self._max_tokens_field)

    def _streaming(self) -> dict[str, Any]:
        # Without it the tokens of a stream are not counted; some servers refuse the field.
        options = self.config.additional_params.get("stream_options", {"include_usage": True})
        return {"stream": True} if options is None else {"stream": True, "stream_options": options}

    def _answer(self, reply: HttpReply) -> LLMResponse:
        return answer(reply, self.model)

    def _assembly(self, head: HttpReply) -> ChatAssembly:
        return ChatAssembly(head, self.model)


class HuggingFaceLLM(OpenAILLM):
    """A model behind Hugging Face's router, which speaks the OpenAI protocol."""

    provider = "huggingface"

    def _url(self) -> URL:
        return endpoint(self.config.base_url or HUGGING_FACE_URL, "chat/completions")
