"""A client for whatever speaks the OpenAI chat completions protocol; one exchange at a time.

Retries, timeouts and the tape are the corridor's; the wire format is `chat_wire`'s.
"""

from dataclasses import replace

from yarl import URL

from robotape.http import HttpError, HttpPool
from robotape.llm.base import LLM_RETRY, BaseLLM
from robotape.llm.chat_wire import answer, request_body
from robotape.llm.config import LLMConfig
from robotape.llm.exchange import LLMRequest, LLMResponse
from robotape.llm.wire_errors import status_error, transport_error
from robotape.retry import Retry

__all__ = ["OpenAILLM"]

OPENAI_URL = "https://api.openai.com/v1"


class OpenAILLM(BaseLLM):
    """A model behind an OpenAI-compatible endpoint: OpenAI, vLLM, Ollama, Hugging Face.

    Guarantee: the API key goes into the Authorization header and nowhere else; no answer
    that was cut short, withheld or damaged is handed on as one.

    Attributes:
        config: What it was made from.
        url: Where requests go.
    """

    def __init__(
        self, config: LLMConfig, *, pool: HttpPool | None = None, retry: Retry | None = None
    ) -> None:
        """Make a client; nothing is connected yet.

        Args:
            config: What to reach, and how to ask it.
            pool: Shared with others, and closed by whoever made it; None for one of its own.
            retry: How to try again; None takes the default, with the configured timeout.
        """
        super().__init__(config.model, retry=retry or replace(LLM_RETRY, timeout=config.timeout))
        self.config = config
        self.url = _endpoint(config.base_url or OPENAI_URL)
        self._pool = pool or HttpPool()
        self._owns_pool = pool is None
        # OpenAI renamed the field and refuses the old name for newer models; the others kept it.
        is_openai = self.url.host == "api.openai.com"
        self._max_tokens_field = "max_completion_tokens" if is_openai else "max_tokens"

    async def complete(self, request: LLMRequest) -> LLMResponse:
        """Make one exchange with the model: no retries, no cache, nothing kept.

        Returns:
            A whole answer.

        Raises:
            LLMError: The exchange failed; the subclass says how, and whether it may pass.
            ValueError: `additional_params` hold what JSON cannot say.
        """
        body = request_body(self.config, request, max_tokens_field=self._max_tokens_field)
        try:
            reply = await self._pool.request(
                "POST", self.url, headers=self._headers(), json=body, timeout=self.config.timeout
            )
        except HttpError as error:
            raise transport_error(error) from error
        if reply.status >= 300:
            raise status_error(reply)
        return answer(reply, self.model)

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json"}
        key = self.config.reveal_key()
        if key:
            headers["Authorization"] = f"Bearer {key}"
        return headers

    async def close(self) -> None:
        """Let go of the running loop's connections, unless the pool is somebody else's."""
        if self._owns_pool:
            await self._pool.aclose()


def _endpoint(base_url: str) -> URL:
    base = URL(base_url)
    path = base.raw_path.rstrip("/") + "/chat/completions"
    # Azure keeps its API version in the query.
    return base.with_path(path, encoded=True).with_query(base.query)
