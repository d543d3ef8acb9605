"""One exchange on its way through the handlers, and what has to be closed behind it."""

from robotape.errors import RobotapeError, mark_permanent
from robotape_harness.seams.body import Body
from robotape_harness.seams.exchange import Forward, Handler, Request, Response

__all__ = ["NoAnswerError", "Passage"]


class NoAnswerError(RobotapeError):
    """A handler gave something else than an answer.

    Attributes:
        given: What it gave.
    """

    def __init__(self, given: object) -> None:
        super().__init__(given)
        self.given = given

    def __str__(self) -> str:
        return (
            f"a handler must return a Response, not {self.given!r}: return `await forward(request)`"
        )


class Passage:
    """One exchange under way.

    Attributes:
        response: What the client gets; None as long as there is nothing.
    """

    __slots__ = ("_fetch", "_forwarded", "_handlers", "response")

    def __init__(self, fetch: Forward, handlers: tuple[Handler, ...]) -> None:
        """Stand at the beginning.

        Args:
            fetch: Makes the real exchange.
            handlers: Outermost first.
        """
        self._fetch = fetch
        self._handlers = handlers
        self._forwarded: list[Body] = []
        self.response: Response | None = None

    async def answer(self, request: Request) -> Response:
        """Take a request through the handlers.

        Guarantee: if it raises, or is cancelled, everything that was forwarded is closed.
        """
        forward: Forward = self._fetched
        for handler in reversed(self._handlers):
            forward = _passing(handler, forward)
        try:
            self.response = await forward(request)
        except BaseException:
            await self.aclose()
            raise
        return self.response

    async def _fetched(self, request: Request) -> Response:
        response = await self._fetch(request)
        self._forwarded.append(response.body)
        return response

    def blame(self, error: Exception) -> None:
        """Note an error that a handler raised after it had answered: from within a body.

        Which one it was cannot be told; each says it at the end of its block.
        """
        for handler in self._handlers:
            errors = getattr(handler, "errors", None)
            if errors is not None:
                errors.append(error)

    async def aclose(self) -> None:
        """Close the answer and all that was forwarded for it; may be called twice."""
        if self.response is not None:
            await self.response.body.aclose()
        while self._forwarded:
            await self._forwarded.pop().aclose()


def _passing(handler: Handler, forward: Forward) -> Forward:
    async def passing(request: Request) -> Response:
        response = await handler(request, forward)
        if not isinstance(response, Response):
            raise mark_permanent(NoAnswerError(response))
        return response

    return passing
