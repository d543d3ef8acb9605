"""The HTTP library's errors as ours; what real sockets raise is in test_pool.py."""

import asyncio

import aiohttp
import pytest
from yarl import URL

from robotape.errors import proves_not_started
from robotape.http.errors import HttpConnectionError, HttpError, HttpTimeoutError
from robotape.http.failures import FAILURES, failure_of

WHERE = URL("https://h.example/x?key=1")


@pytest.mark.parametrize(
    ("error", "kind", "says", "is_proof"),
    [
        (aiohttp.ConnectionTimeoutError(), HttpTimeoutError, "no connection in time", True),
        (TimeoutError(), HttpTimeoutError, "within 3 s", False),
        (aiohttp.ServerDisconnectedError(), HttpConnectionError, "broke: ServerDisc", False),
        (aiohttp.ClientPayloadError("cut"), HttpConnectionError, "broke: cut", False),
        (ConnectionResetError("reset"), HttpConnectionError, "broke: reset", False),
    ],
)
def test_each_is_one_of_ours(error: Exception, kind: type, says: str, is_proof: bool) -> None:
    async def main() -> HttpError:
        async with aiohttp.ClientSession() as session:
            assert isinstance(error, FAILURES)
            return failure_of(error, session, "POST", WHERE, 3.0)

    failure = asyncio.run(main())
    assert type(failure) is kind
    assert says in str(failure)
    assert "key" not in str(failure)
    assert proves_not_started(failure) == is_proof


def test_a_cancellation_is_one_unless_the_session_was_closed() -> None:
    async def main() -> None:
        session = aiohttp.ClientSession()
        cancelled = asyncio.CancelledError()
        with pytest.raises(asyncio.CancelledError):
            failure_of(cancelled, session, "GET", WHERE, 1.0)
        await session.close()
        assert "pool was closed" in str(failure_of(cancelled, session, "GET", WHERE, 1.0))

    asyncio.run(main())
