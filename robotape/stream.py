"""A stream: an answer that comes in pieces, and the attempt that lasts as long as it does.

It passes pieces on and tells how the stream ended; what that means for the tape and for
retries is theirs to say.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from typing import Any, Generic, Protocol, Self, TypeVar

__all__ = ["Guard", "Stream"]

Piece = TypeVar("Piece")
Ended = Callable[[BaseException | None, Any], None]

_END = object()


class Guard(Protocol):
    """Limits how long a stream may take over its pieces."""

    def check(self) -> None:
        """Raise if it is too late for another piece, be it there already or not."""

    def wait(self, piece: Awaitable[Any]) -> Awaitable[Any]:
        """Wait for a piece that is not there yet."""


class Stream(Generic[Piece]):  # no ABC: `isinstance` is asked of every call's answer
    """The pieces of one answer, in order.

    Guarantee: it ends in exactly one way: whole, with an error, or closed early; and a
    source that stops without its terminal marker has raised, so that a short answer is
    never taken for a whole one. Close what is not read to its end: `async with stream:`.
    A stream that nobody holds any longer is closed by its loop.
    """

    def __init__(self, pieces: AsyncGenerator[Piece, None], whole: Callable[[], Any]) -> None:
        """Wrap a source.

        Args:
            pieces: Raises if it is cut short.
            whole: Gives the whole answer, asked once when all pieces have been given; raises
                if it is none.
        """
        self._end = _End()
        self._first: list[Piece] = []
        self._is_open = False
        self._source = _told(pieces, whole, self._end)

    async def open(self) -> None:
        """Wait for the first piece, which is kept; up to there nothing has been given away.

        More than once does nothing more.

        Raises:
            Exception: What the source raised.
        """
        if self._is_open:
            return
        self._is_open = True
        try:
            self._first.append(await self._source.__anext__())
        except StopAsyncIteration:
            return

    def guard(self, guard: Guard) -> None:
        """Set limits; they hold from the next piece on."""
        self._end.guard = guard

    def watch(self, ended: Ended) -> None:
        """Be told of the end.

        Args:
            ended: Told (None, the whole answer), or (what ended it, None), which is
                GeneratorExit where the reader closed it. Told at once if the end has come. It
                should not hold the stream, or one that is forgotten lives on.
        """
        self._end.watch(ended)

    @property
    def whole(self) -> Any:
        """The whole answer.

        Raises:
            RuntimeError: The stream has not been read to its end.
        """
        if self._end.outcome is None or self._end.outcome[0] is not None:
            raise RuntimeError("read the stream to its end first; there is no whole answer yet")
        return self._end.outcome[1]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Piece:
        self._is_open = True
        if self._first:
            return self._first.pop()
        return await self._source.__anext__()

    async def aclose(self) -> None:
        """End the stream early; more than once does nothing more."""
        self._first.clear()
        self._is_open = True
        try:
            await self._source.aclose()
        finally:
            # A source that was never begun has no end of its own to tell.
            self._end.come(GeneratorExit(), None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class _End:
    """How a stream ended, and who is to be told; apart from it, so that no reference goes back."""

    __slots__ = ("_watching", "guard", "outcome")

    def __init__(self) -> None:
        self.guard: Guard | None = None
        self.outcome: tuple[BaseException | None, Any] | None = None
        self._watching: list[Ended] = []

    def watch(self, ended: Ended) -> None:
        if self.outcome is None:
            self._watching.append(ended)
        else:
            ended(*self.outcome)

    def come(self, error: BaseException | None, whole: Any) -> None:
        """Tell everybody, once."""
        if self.outcome is None:
            self.outcome = (error, whole)
            for ended in self._watching:
                ended(error, whole)


async def _told(
    pieces: AsyncGenerator[Piece, None], whole: Callable[[], Any], end: _End
) -> AsyncGenerator[Piece, None]:
    """The source, with the end told: also where the reader forgets to close it."""
    answer: Any = None
    error: BaseException | None = None
    try:
        while (piece := await _next(pieces, end.guard)) is not _END:
            yield piece
        answer = whole()
    except BaseException as raised:
        error = raised
        raise
    finally:
        try:
            await pieces.aclose()
        finally:
            end.come(error, answer)


async def _next(pieces: AsyncGenerator[Any, None], guard: Guard | None) -> Any:
    """The next piece; the guard's error is the source's as far as anybody further out can see.

    Most pieces are there already when they are asked for: many come with one packet. They
    cost no timer.
    """
    if guard is not None:
        guard.check()
    step = pieces.__anext__()
    try:
        if guard is None:
            return await step
        waits_for = step.send(None)
        return await guard.wait(_Underway(step, waits_for))
    except StopIteration as ready:
        return ready.value
    except StopAsyncIteration:
        return _END


class _Underway:
    """A step that was begun and waits for something; awaiting it goes on from there."""

    __slots__ = ("_step", "_waits_for")

    def __init__(self, step: Coroutine[Any, Any, Any], waits_for: Any) -> None:
        self._step = step
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, Any]:
        waits_for = self._waits_for
        try:
            while True:
                try:
                    sent = yield waits_for
                except GeneratorExit:
                    self._step.close()
                    raise
                except BaseException as error:
                    waits_for = self._step.throw(error)
                else:
                    waits_for = self._step.send(sent)
        except StopIteration as done:
            return done.value
