"""From what the HTTP library raises to our own errors; it sends nothing."""

import asyncio

import aiohttp
from yarl import URL

from robotape.errors import mark_not_started
from robotape.http.errors import HttpConnectionError, HttpError, HttpTimeoutError

__all__ = ["FAILURES", "failure_of"]

FAILURES = (asyncio.CancelledError, aiohttp.ClientError, TimeoutError, OSError)
"""What a request can raise that `failure_of` has an answer to."""


def failure_of(
    error: BaseException,
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    seconds: float,
) -> HttpError:
    """One of our errors for one of the library's; says so if it proves that nothing was sent.

    Raise it where the other is no longer being handled, so that it hangs on to none: some
    of them carry the request's headers, and with them its credentials.

    Args:
        error: One of `FAILURES`.
        session: On which the request was made.
        method: Of the request.
        url: Of the request.
        seconds: The request was given.

    Raises:
        asyncio.CancelledError: Somebody asked the running task to end.
    """
    if isinstance(error, asyncio.CancelledError):
        # Closing a session cancels whoever waits for one of its connections, though nobody
        # asked for that task to end.
        if not session.closed or _is_asked_to_end():
            raise error
        return HttpConnectionError(method, url, "the pool was closed")
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return mark_not_started(HttpTimeoutError(method, url, "no connection in time"))
    if isinstance(error, TimeoutError):
        return HttpTimeoutError(method, url, f"no whole answer within {seconds:g} s")
    broken = HttpConnectionError(method, url, _told(error))
    return mark_not_started(broken) if isinstance(error, aiohttp.ClientConnectorError) else broken


def _told(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return str(error)
    if isinstance(error, aiohttp.ClientResponseError):
        return f"the answer is not HTTP: {error.message}"
    if isinstance(error, OSError | aiohttp.ClientPayloadError):
        return f"the connection broke: {error}"
    return f"the connection broke: {type(error).__name__}"


def _is_asked_to_end() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
