"""A client that reaches its model over HTTP: one exchange at a time, whole or in pieces.

Retries, timeouts and the tape are the corridor's; formats are the subclass's.
"""

import math
from abc import abstractmethod
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from typing import Any

from yarl import URL

from robotape.http import HttpError, HttpPool, HttpReply, HttpStream, HttpTooLargeError
from robotape.llm.assembly import Assembly
from robotape.llm.base import LLM_RETRY, BaseLLM
from robotape.llm.config import LLMConfig
from robotape.llm.exchange import LLMRequest, LLMResponse
from robotape.llm.pieces import LLMChunk, pieces_of
from robotape.llm.wire_errors import interrupted, status_error, transport_error
from robotape.retry import Retry

__all__ = ["RemoteLLM", "endpoint"]


class RemoteLLM(BaseLLM):
    """A model behind an HTTP endpoint.

    Guarantee: no answer that was cut short, withheld or damaged is handed on as one.

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
            retry: How to try again; None takes the default. Without a timeout of its own it
                gets the configured one.
        """
        retry = retry or LLM_RETRY
        if retry.timeout is None:
            retry = replace(retry, timeout=config.timeout)
        super().__init__(config.model, retry=retry, cache=config.cache)
        self.config = config
        self.url = self._url()
        self._pool = pool or HttpPool()
        self._owns_pool = pool is None

    def cache_identity(self) -> object:
        """The configuration: address, settings, and the key, for accounts differ.

        Of the digest that becomes of it nothing can be read back.
        """
        told = self.config.model_dump(exclude={"api_key", "timeout"})
        return [super().cache_identity(), str(self.url), told, self.config.reveal_key()]

    @abstractmethod
    def _url(self) -> URL:
        """Where requests go."""

    @abstractmethod
    def _headers(self) -> Mapping[str, str]:
        """What goes with every request, the key included."""

    @abstractmethod
    def _body(self, request: LLMRequest) -> dict[str, Any]:
        """A request, as the JSON object it is sent as."""

    @abstractmethod
    def _streaming(self) -> dict[str, Any]:
        """What is added to it to get the answer in pieces."""

    @abstractmethod
    def _answer(self, reply: HttpReply) -> LLMResponse:
        """Read a whole answer of status 200."""

    @abstractmethod
    def _assembly(self, head: HttpReply) -> Assembly:
        """What reads an answer of status 200 that comes in pieces."""

    async def complete(self, request: LLMRequest) -> LLMResponse:
        """Make one exchange with the model: no retries, no cache, nothing kept.

        There is one timer for an attempt, and it is the corridor's: asked directly, an
        exchange ends in time only if the caller sees to it.

        Returns:
            A whole answer.

        Raises:
            LLMError: The exchange failed; the subclass says how, and whether it may pass.
            ValueError: `additional_params` hold what JSON cannot say.
        """
        body = self._body(request)
        try:
            reply = await self._pool.request(
                "POST", self.url, headers=self._headers(), json=body, timeout=math.inf
            )
        except HttpError as error:
            raise transport_error(error) from error
        if reply.status >= 300:
            raise status_error(reply)
        return self._answer(reply)

    async def stream_pieces(
        self, request: LLMRequest
    ) -> AsyncGenerator[LLMChunk | LLMResponse, None]:
        """As `complete`, piece by piece, and timed no more than it.

        A server that does not stream, and sends its answer whole, is understood, too.

        Yields:
            The pieces in order, then the whole answer as the mark that nothing is missing.

        Raises:
            StreamInterruptedError: The answer broke off.
            LLMError: As for `complete`, also after some pieces.
            ValueError: `additional_params` hold what JSON cannot say.
        """
        body = self._body(request) | self._streaming()
        head: HttpReply | None = None
        try:
            async with self._pool.stream(
                "POST", self.url, headers=self._headers(), json=body
            ) as reply:
                if reply.status >= 300 or _comes_whole(reply):
                    response = await self._read(reply)
                    for piece in pieces_of(response):
                        yield piece
                else:
                    head = reply.head
                    assembly = self._assembly(head)
                    while not assembly.is_ended and (part := await reply.part()):
                        for piece in assembly.feed(part):
                            yield piece
                    response = assembly.whole(is_delimited=reply.is_delimited)
                    await reply.finish()
        except HttpTooLargeError as error:
            raise transport_error(error) from error
        except HttpError as error:
            raise (
                transport_error(error) if head is None else interrupted(head, str(error))
            ) from error
        yield response

    async def _read(self, reply: HttpStream) -> LLMResponse:
        """An answer that is no stream, or an error."""
        whole = await reply.read(self._pool.limits.max_bytes)
        if whole.status >= 300:
            raise status_error(whole)
        return self._answer(whole)

    async def close(self) -> None:
        """Let go of the running loop's connections, unless the pool is somebody else's."""
        if self._owns_pool:
            await self._pool.aclose()


def endpoint(base_url: str, path: str) -> URL:
    """The URL below a base URL, whose query is kept: Azure has its API version there.

    Args:
        base_url: With or without a slash at its end.
        path: Without a slash before it.
    """
    base = URL(base_url)
    return base.with_path(f"{base.raw_path.rstrip('/')}/{path}", encoded=True).with_query(
        base.query
    )


def _comes_whole(reply: HttpStream) -> bool:
    """Whether the answer says of itself that it is no stream; not all streams say they are."""
    kind = reply.headers.get("Content-Type", "").lower()
    return "event-stream" not in kind and ("json" in kind or "html" in kind)
