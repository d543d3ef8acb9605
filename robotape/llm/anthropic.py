"""A client for the Anthropic messages protocol; the format is `messages_wire`'s."""

from collections.abc import Mapping
from typing import Any

from yarl import URL

from robotape.http import HttpReply
from robotape.llm.exchange import LLMRequest, LLMResponse
from robotape.llm.messages_stream import MessagesAssembly
from robotape.llm.messages_wire import answer, request_body
from robotape.llm.remote import RemoteLLM, endpoint

__all__ = ["AnthropicLLM"]

ANTHROPIC_URL = "https://api.anthropic.com/v1"
VERSION = "2023-06-01"


class AnthropicLLM(RemoteLLM):
    """A model behind Anthropic's messages endpoint, or one like it.

    Guarantee: the API key goes into the x-api-key header and nowhere else; no answer that
    was cut short, withheld or damaged is handed on as one.

    Attributes:
        config: What it was made from. `base_url` goes up to and without `/messages`; without
            `max_tokens` an answer may have 4,096.
        url: Where requests go.
    """

    provider = "anthropic"

    def _url(self) -> URL:
        return endpoint(self.config.base_url or ANTHROPIC_URL, "messages")

    def _headers(self) -> Mapping[str, str]:
        key = self.config.reveal_key()
        version = {"anthropic-version": VERSION}
        return {"x-api-key": key, **version} if key else version

    def _body(self, request: LLMRequest) -> dict[str, Any]:
        return request_body(self.config, request)

    def _streaming(self) -> dict[str, Any]:
        return {"stream": True}

    def _answer(self, reply: HttpReply) -> LLMResponse:
        return answer(reply, self.model)

    def _assembly(self, head: HttpReply) -> MessagesAssembly:
        return MessagesAssembly(head, self.model)
