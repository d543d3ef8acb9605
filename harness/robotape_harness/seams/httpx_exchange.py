"""One exchange of httpx or httpx2, told in the words of the seam and back.

Asynchronous throughout; under a synchronous client every step is taken at once by `drive`.
"""

import copy
from collections.abc import AsyncIterator, Callable, Iterator
from types import ModuleType
from typing import Any

from robotape_harness.seams.body import Body, ExchangeError
from robotape_harness.seams.exchange import Request, Response, drive
from robotape_harness.seams.httpx_errors import error_for, failure_of
from robotape_harness.seams.passage import Passage
from robotape_harness.seams.patience import Patience
from robotape_harness.seams.standing import Standing, below, standing

__all__ = ["Dialect", "Exchange"]

CONTENT_LENGTH = b"content-length"
BODILESS = (204, 304)


class Dialect:
    """What differs between the two libraries: the module, and classes derived from its own.

    Attributes:
        module: httpx or httpx2.
        name: Its name.
        answer: A stream of an answer's chunks, by whether the client is synchronous.
        content: The same for a request's.
    """

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.name = module.__name__
        self.answer = {
            True: _mixed(_SyncAnswer, module.SyncByteStream),
            False: _mixed(_AsyncAnswer, module.AsyncByteStream),
        }
        self.content = {
            True: _mixed(_SyncContent, module.SyncByteStream),
            False: _mixed(_AsyncContent, module.AsyncByteStream),
        }


def _mixed(stream: type, base: type) -> type:
    """One of the streams below, as the class of the library's own that clients insist on."""
    return type(stream.__name__.lstrip("_"), (stream, base), {})


class Exchange:
    """One exchange."""

    def __init__(
        self,
        dialect: Dialect,
        now: Standing,
        send: Callable[[Any], Any],
        native: Any,
        *,
        is_sync: bool,
        is_network: bool = True,
        passing: tuple[str, str] | None = None,
    ) -> None:
        """Stand before a transport.

        Args:
            dialect: The client's.
            now: What is in force.
            send: The transport's own method.
            native: The client's request.
            is_sync: Whether that is synchronous.
            is_network: Whether it may open connections.
            passing: Method and host, if what it does might be seen again further down.
        """
        self._dialect = dialect
        self._now = now
        self._send = send
        self._is_sync = is_sync
        self._below = below(now, passing) if is_network else now
        limit = (native.extensions.get("timeout") or {}).get("read")
        self._sent = native
        self._seen = _seen(native, dialect.name, is_sync, limit)
        self._fetched: tuple[Response, Any] | None = None
        self._patience = Patience(None if is_sync else limit)

    async def run(self) -> Any:
        """Take the request through the handlers.

        Returns:
            An answer of the client's class; the very one that was forwarded, if no handler
            touched it.
        """
        passage = Passage(self._fetch, self._now.handlers)
        try:
            steps = passage.answer(self._seen)
            response = await self._patience.wait(steps)
        except ExchangeError as error:
            failure = error
        else:
            return self._native(response, passage)
        raise error_for(self._dialect.module, failure, is_sync=self._is_sync)

    async def _fetch(self, request: Request) -> Response:
        outgoing = self._outgoing(request)
        token = standing.set(self._below)
        self._patience.hold()
        try:
            native = self._send(outgoing)
            if not self._is_sync:
                native = await native
        except Exception as error:
            raise failure_of(self._dialect.module, error) from error
        finally:
            self._patience.go_on()
            standing.reset(token)
        response = _told(self._dialect.module, native, self._is_sync)
        self._fetched = response, native
        return response

    def _outgoing(self, request: Request) -> Any:
        """The client's own request, with as little changed as the handlers have changed."""
        native = self._sent
        if request is self._seen and request.body.known is not None and _is_loaded(native):
            return native
        changed = copy.copy(native)
        changed.method = request.method
        changed.url = self._dialect.module.URL(request.url)
        changed.headers = self._dialect.module.Headers(list(request.headers))
        changed.stream = self._dialect.content[self._is_sync](request.body)
        vars(changed).pop("_content", None)  # what a transport would find there is outdated
        return changed

    def _native(self, response: Response, passage: Passage) -> Any:
        fetched = self._fetched
        if fetched is not None and fetched[0] is response and not response.body.is_begun:
            return fetched[1]
        module = self._dialect.module
        answer = _Answer(module, response, passage, self._patience, self._seen)
        return module.Response(
            response.status,
            headers=list(response.headers),
            stream=self._dialect.answer[self._is_sync](answer),
            extensions={
                "http_version": response.http_version.encode("ascii"),
                "reason_phrase": response.reason.encode("latin-1"),
            },
        )


def _is_loaded(native: Any) -> bool:
    return hasattr(native, "_content")


def _seen(native: Any, client: str, is_sync: bool, limit: float | None) -> Request:
    body = Body(native.content) if _is_loaded(native) else Body(_only_chunks(native.stream))
    return Request(
        native.method,
        str(native.url),
        tuple(native.headers.raw),
        body,
        client,
        is_sync,
        limit,
    )


def _only_chunks(stream: Any) -> Any:
    """The chunks without the stream's own `close`, which is not the seam's to call."""
    return _Chunks(stream) if hasattr(stream, "__aiter__") else iter(stream)


class _Chunks:
    __slots__ = ("_stream",)

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)


def _told(module: ModuleType, native: Any, is_sync: bool) -> Response:
    """An answer of the client's, told in the words of the seam."""
    stream = native.stream

    async def close() -> None:
        if is_sync:
            stream.close()
        else:
            await stream.aclose()

    source = _read(module, stream) if is_sync else _Incoming(module, stream)
    said = native.extensions  # its properties look the phrase of the status up, which costs more
    return Response(
        native.status_code,
        tuple(native.headers.raw),
        Body(source, on_close=close),
        said.get("reason_phrase", b"").decode("latin-1"),
        said.get("http_version", b"HTTP/1.1").decode("ascii"),
    )


def _read(module: ModuleType, stream: Any) -> Iterator[bytes]:
    try:
        yield from stream
    except Exception as error:
        raise failure_of(module, error) from error


class _Incoming:
    """The chunks of a real answer; what fails is told in the words of the seam."""

    __slots__ = ("_chunks", "_module", "_stream")

    def __init__(self, module: ModuleType, stream: Any) -> None:
        self._module = module
        self._stream = stream
        self._chunks: Any = None

    def __aiter__(self) -> "_Incoming":
        return self

    async def __anext__(self) -> bytes:
        try:
            if self._chunks is None:
                self._chunks = aiter(self._stream)
            chunk: bytes = await anext(self._chunks)
        except StopAsyncIteration:
            raise
        except Exception as error:
            raise failure_of(self._module, error) from error
        return chunk


class _Answer:
    """The chunks that a client takes, checked against what the headers announce."""

    def __init__(
        self,
        module: ModuleType,
        response: Response,
        passage: Passage,
        patience: Patience,
        request: Request,
    ) -> None:
        self._module = module
        self._chunks = aiter(response.body)
        self._passage = passage
        self._patience = patience
        self._received = 0
        self._expected = _announced(response, request.method)
        self._is_sync = request.is_sync

    def __aiter__(self) -> "_Answer":
        return self

    async def __anext__(self) -> bytes:
        try:
            return await self._next()
        except ExchangeError as error:
            failure = error
        except StopAsyncIteration:
            raise
        except Exception as error:
            self._passage.blame(error)
            raise
        await self._passage.aclose()
        progress = self._progress()
        raise error_for(self._module, failure, is_sync=self._is_sync, progress=progress)

    async def _next(self) -> bytes:
        expected = self._expected
        is_enough = expected is not None and self._received >= expected
        try:
            # Asked for its end also if the client has all it needs: it may have things to do.
            chunk = await self._patience.wait(anext(self._chunks))
        except StopAsyncIteration:
            if expected is not None and not is_enough:
                raise ExchangeError("closed") from None
            await self._passage.aclose()
            raise
        if is_enough:
            await self._passage.aclose()
            raise StopAsyncIteration
        if expected is not None:
            chunk = chunk[: expected - self._received]
        self._received += len(chunk)
        return chunk

    def _progress(self) -> str:
        if self._expected is None:
            return "incomplete chunked read"
        return f"received {self._received} bytes, expected {self._expected}"

    async def aclose(self) -> None:
        await self._passage.aclose()


def _announced(response: Response, method: str) -> int | None:
    """How long the body is to be, as far as the headers say it."""
    if method == "HEAD" or response.status in BODILESS:
        return 0
    value = response.header("content-length")
    if value is None or response.header("transfer-encoding") is not None:
        return None
    return int(value) if value.isdecimal() else None


class _AsyncAnswer:
    def __init__(self, answer: _Answer) -> None:
        self._answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._answer

    async def aclose(self) -> None:
        await self._answer.aclose()


class _SyncAnswer:
    def __init__(self, answer: _Answer) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return _driven(self._answer)

    def close(self) -> None:
        drive(self._answer.aclose())


class _AsyncContent:
    def __init__(self, body: Body) -> None:
        self._body = body

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._body)


class _SyncContent:
    def __init__(self, body: Body) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return _driven(aiter(self._body))


def _driven(chunks: Any) -> Iterator[bytes]:
    while True:
        try:
            chunk: bytes = drive(chunks.__anext__())
        except StopAsyncIteration:
            return
        yield chunk
