"""One exchange of aiohttp: a connection without a socket, whose peers are the handlers."""

import asyncio
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.streams import StreamReader

from robotape_harness.seams.aiohttp_errors import READ_TIMEOUT, connect_error
from robotape_harness.seams.aiohttp_fetch import Connect, Fetch
from robotape_harness.seams.aiohttp_framing import Framing, framing_of, head_of
from robotape_harness.seams.aiohttp_upload import Wire
from robotape_harness.seams.body import ExchangeError
from robotape_harness.seams.exchange import Request, Response, SuspendedError, drive
from robotape_harness.seams.passage import Passage
from robotape_harness.seams.patience import Interrupted, Patience
from robotape_harness.seams.standing import Standing

__all__ = ["Line", "Pulled"]

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
MALFORMED = b"malformed\r\n\r\n"


class Line(ResponseHandler):
    """What aiohttp takes for a connection's protocol.

    Everything happens in the task that waits for the answer, or reads it: there is no task
    of the seam's own that could be left behind, and cancelling the caller cancels the handler.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        request: aiohttp.ClientRequest,
        now: Standing,
        connect: Connect,
    ) -> None:
        """Stand ready for one request.

        Args:
            loop: The client's.
            request: What the client is about to write.
            now: What is in force.
            connect: Gives a real connection for a request.
        """
        super().__init__(loop)
        self._wire = Wire(self)
        self.connection_made(self._wire)
        self._request: Any = request
        self._now = now
        self._connect: Any = connect
        self._patience = Patience(None)
        self._passage: Passage | None = None
        self._framing = Framing("eof")
        self._chunks: Any = None
        self._left = 0  # of the chunks that are known
        self._body: StreamReader | None = None
        self._parameters: dict[str, Any] = {}
        self._parsed: Any = None
        self._is_asked = False
        self._is_continued = False
        self._is_pulling = False

    def set_response_params(self, **parameters: Any) -> None:
        """Learn how the client wants its answer parsed; the time limit is kept by the seam."""
        self._parameters = parameters
        self._patience = Patience(parameters.get("read_timeout"))

    def _feed(self, data: bytes) -> None:
        """Give bytes to the parser, which is made when there is something to parse."""
        if self._parser is None:
            super().set_response_params(**{**self._parameters, "read_timeout": None})
        self.data_received(data)

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        """Fail whoever reads, the handler's answer not awaited."""
        super().set_exception(exc, *cause)
        self._wire.upload.break_off()
        self._patience.interrupt()

    async def read(self) -> Any:
        """Let the handlers answer, the first time, and give the answer's head.

        Raises:
            Exception: What a real connection would have failed with, or the handler's own.
        """
        if not self._is_asked and not await self._goes_on_before_the_body():
            self._is_asked = True
            # The writer may break, which is to be seen at once.
            self._patience.has_interrupts = not self._wire.upload.is_complete
            try:
                await self._patience.wait(self._answered())
            except ExchangeError as failure:
                self._fail_head(failure)
            except Interrupted:
                pass  # said by what was set as the exception
        if self._parsed is not None:
            parsed, self._parsed = self._parsed, None
            return parsed
        message, body = await super().read()
        await self._attach(body)
        return message, body

    async def _goes_on_before_the_body(self) -> bool:
        """Whether the client waits to be told to send the body, or there is none to wait for."""
        upload = self._wire.upload
        await upload.begun()
        is_waiting = not self._is_continued and not upload.is_complete
        if is_waiting and "Expect" in self._request.headers:
            self._is_continued = True
            self._feed(CONTINUE)
            return True
        return upload.is_broken

    async def _answered(self) -> None:
        upload = self._wire.upload
        request = Request(
            self._request.method,
            str(self._request.url),
            upload.headers,
            upload.body(self._wire),
            "aiohttp",
            False,
            self._parameters.get("read_timeout"),
        )
        fetch = Fetch(
            self._request,
            request,
            upload,
            self._connect,
            parameters=self._parameters,
            now=self._now,
            patience=self._patience,
        )
        self._passage = Passage(fetch, self._now.handlers)
        response = await self._passage.answer(request)
        self._parsed = fetch.parsed(response)
        if self._parsed is None:
            self._begin(response)

    def _begin(self, response: Response) -> None:
        """Feed the head, and a body of one known chunk with it."""
        self._framing = framing_of(response.headers)
        head, known = head_of(response), response.body.known
        if known is not None and len(known) < 2 and response.body.failing is None:
            self._feed(head + self._framing.whole(known))
            return
        self._chunks = aiter(response.body)
        self._left = len(known) if known is not None and response.body.failing is None else 0
        self._feed(head)

    def _fail_head(self, failure: ExchangeError) -> None:
        error = connect_error(failure, self._request)
        if error is not None:
            raise error
        if failure.failure == "malformed":
            self._feed(MALFORMED)
        else:
            self._hang_up(is_reset=failure.failure == "reset")

    def _hang_up(self, *, is_reset: bool = False) -> None:
        """As the loop would say that the peer is gone."""
        self.connection_lost(
            ConnectionResetError(104, "Connection reset by peer") if is_reset else None
        )

    async def _attach(self, body: StreamReader) -> None:
        """Let the body ask for its chunks; one that can have none ends its source here."""
        is_open = type(body) is StreamReader and not body.is_eof()
        if self._chunks is not None and is_open:
            body.__class__ = Pulled
            self._body = body
            self._patience.has_interrupts = True  # by whoever closes it while another reads
        elif self._chunks is not None:
            await self._finish()
        elif is_open and self._passage is not None:
            self._body = body
            self._end_body()

    # -- the body --------------------------------------------------------------------------------

    async def pull(self, waiter: "asyncio.Future[None]") -> None:
        """Feed the next chunk, in the task that reads.

        Args:
            waiter: Gets a result with the data, or the exception that the reader is to see.
        """
        waiter.add_done_callback(self._stop_if_failed)
        self._is_pulling = True
        try:
            await self._pulled()
        except ExchangeError as failure:
            self._fail_body(failure)
        except Interrupted:
            pass
        finally:
            self._is_pulling = False
            if self.transport is None:
                await self._close_passage()
        if waiter.done():
            waiter.result()

    def _stop_if_failed(self, waiter: "asyncio.Future[None]") -> None:
        if not waiter.cancelled() and waiter.exception() is not None:
            self._patience.interrupt()

    async def _pulled(self) -> None:
        try:
            chunk = await self._patience.wait(anext(self._chunks))
        except StopAsyncIteration:
            self._end_body()
            return
        except (ExchangeError, Interrupted):
            raise
        except Exception as error:
            self._blame(error)
            raise
        self._left -= 1
        if self.transport is None:
            return
        last = self._framing.end if self._left == 0 else b""
        self.data_received(self._framing.framed(chunk) + last)
        if self._left == 0 and not last:
            self._end_body()
        if self._body is not None and self._body.is_eof():
            await self._finish()

    def _end_body(self) -> None:
        if self.transport is None:
            return
        if self._framing.end:
            self.data_received(self._framing.end)
        elif self._body is not None and not self._body.is_eof():
            self._hang_up()

    def _fail_body(self, failure: ExchangeError) -> None:
        body = self._body
        if body is None or self.transport is None:
            return
        if failure.original is not None:
            body.set_exception(failure.original)
        elif failure.failure == "read_timeout":
            body.set_exception(aiohttp.SocketTimeoutError(failure.detail or READ_TIMEOUT))
        else:
            # Nonsense within a body, too: aiohttp's own parser leaves its reader waiting then.
            self._hang_up(is_reset=failure.failure == "reset")

    async def _finish(self) -> None:
        """Let the source of the chunks come to its end, though the client has all it needs."""
        try:
            await self._patience.wait(anext(self._chunks))
        except (StopAsyncIteration, ExchangeError, Interrupted):
            pass
        except Exception as error:
            self._blame(error)
            raise
        await self._close_passage()

    def _blame(self, error: Exception) -> None:
        if self._passage is not None:
            self._passage.blame(error)

    async def _close_passage(self) -> None:
        passage, self._passage = self._passage, None
        if passage is not None:
            await passage.aclose()

    def let_go(self) -> None:
        """The client is done with the connection.

        Whatever led back to the client's request, and so to its answer, is dropped: a cycle
        in each exchange would cost more in collections than all the rest.
        """
        self.close()
        self._parser = None
        self._wire.disconnect()
        self._request = None
        self._connect = None
        self._parsed = None
        if self._is_pulling or self._passage is None:
            return  # closed by whoever pulls
        passage, self._passage = self._passage, None
        try:
            drive(passage.aclose())
        except SuspendedError as error:
            passage.blame(error)


class Pulled(StreamReader):
    """A body that asks for its next chunk when somebody waits for it."""

    __slots__ = ()

    async def _wait(self, func_name: str) -> None:
        line: Any = self._protocol
        if not line.connected:
            raise RuntimeError("Connection closed.")
        if self._waiter is not None:
            raise RuntimeError(
                f"{func_name}() called while another coroutine is already waiting for incoming data"
            )
        waiter = self._waiter = self._loop.create_future()
        try:
            with self._timer:
                await line.pull(waiter)
        finally:
            self._waiter = None
