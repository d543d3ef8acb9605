"""A request goes through the handlers in order, and what was forwarded is closed behind it."""

from typing import cast

import pytest

from robotape_harness.seams import Body, ExchangeError, Forward, NoAnswerError, Request, Response
from robotape_harness.seams.exchange import drive
from robotape_harness.seams.passage import Passage
from robotape_harness.seams.scope import Scope

REQUEST = Request("GET", "http://a.test/")


class Network:
    """Answers, and notes which answers were closed."""

    def __init__(self) -> None:
        self.opened = 0
        self.closed: list[int] = []

    async def __call__(self, request: Request) -> Response:
        self.opened += 1
        number = self.opened

        async def close() -> None:
            self.closed.append(number)

        return Response(200, body=Body(iter([b"x"]), on_close=close))


async def twice(request: Request, forward: Forward) -> Response:
    await forward(request)
    return await forward(request)


async def forward_then_fail(request: Request, forward: Forward) -> Response:
    await forward(request)
    raise ExchangeError("reset")


async def nothing(request: Request, forward: Forward) -> Response:
    return cast("Response", None)


def test_everything_forwarded_is_closed_with_the_exchange() -> None:
    network = Network()
    passage = Passage(network, (twice, twice))
    drive(passage.answer(REQUEST))
    assert (network.opened, network.closed) == (4, [])
    drive(passage.aclose())
    drive(passage.aclose())
    assert sorted(network.closed) == [1, 2, 3, 4]


def test_what_was_forwarded_before_a_failure_is_closed_at_once() -> None:
    network = Network()
    with pytest.raises(ExchangeError):
        drive(Passage(network, (forward_then_fail,)).answer(REQUEST))
    assert network.closed == [1]


def test_a_handler_that_gives_no_answer_is_told_what_to_return() -> None:
    scope = Scope(nothing)
    with pytest.raises(NoAnswerError, match=r"not None: return `await forward\(request\)`"):
        drive(Passage(Network(), (scope,)).answer(REQUEST))


def test_blame_reaches_every_scope_and_no_bare_handler() -> None:
    scope, error = Scope(twice), ValueError("x")
    Passage(Network(), (twice, scope)).blame(error)
    assert scope.errors == [error]
