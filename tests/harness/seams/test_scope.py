"""A handler in force: what it fails with is heard, and so is that nothing came."""

import asyncio

import pytest

from robotape_harness.seams import (
    ExchangeError,
    Forward,
    NothingInterceptedError,
    Request,
    Response,
    use,
)
from robotape_harness.seams.exchange import drive

httpx2 = pytest.importorskip("httpx2")


async def answer(request: Request, forward: Forward) -> Response:
    return Response.of(200, "handled")


async def fail(request: Request, forward: Forward) -> Response:
    raise ExchangeError("refused")


def test_fewer_exchanges_than_expected_is_an_error() -> None:
    words = "0 exchanges passed"
    with pytest.raises(NothingInterceptedError, match=words) as caught, use(answer, expect=1):
        pass
    assert "httpx2" in caught.value.clients
    with use(answer, expect=1):
        httpx2.get("http://a.test/")


def test_an_error_of_the_code_itself_goes_before_that() -> None:
    with pytest.raises(ZeroDivisionError), use(answer, expect=1):
        raise ZeroDivisionError


def test_a_failure_of_the_exchange_is_the_clients_business_alone() -> None:
    with use(fail, expect=1) as scope, pytest.raises(httpx2.ConnectError):
        httpx2.get("http://a.test/")
    assert scope.errors == []


def test_what_runs_on_after_the_block_passes_a_handler_unseen() -> None:
    async def real(request: Request) -> Response:
        return Response.of(200, "real")

    with use(answer) as scope:
        pass
    response = drive(scope(Request("GET", "http://a.test/"), real))
    assert drive(response.body.read()) == b"real"
    assert scope.exchanges == 0


def test_cancellation_within_the_block_is_not_masked() -> None:
    async def law() -> None:
        with use(fail) as scope:
            scope.errors.append(ValueError("swallowed"))
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(law())
