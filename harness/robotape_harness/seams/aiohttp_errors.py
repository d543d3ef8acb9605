"""What aiohttp raises when an exchange fails, and what such an error means."""

import asyncio
import socket
import ssl
from typing import Any

import aiohttp
from aiohttp.http import HttpProcessingError

from robotape_harness.seams.body import ExchangeError, Failure

__all__ = ["connect_error", "failure_of"]

READ_TIMEOUT = "Timeout on reading data from socket"


def connect_error(failure: ExchangeError, request: Any) -> Exception | None:
    """The error for what fails before there is an answer; None if the parser finds it itself.

    Args:
        failure: What happened.
        request: aiohttp's.
    """
    if failure.original is not None:
        return failure.original
    made = _made(failure, request)
    if made is not None:
        made.__cause__ = failure
    return made


def _made(failure: ExchangeError, request: Any) -> Exception | None:
    kind, text = failure.failure, failure.detail
    key = request.connection_key
    if kind in ("connect_timeout", "pool_timeout"):
        return aiohttp.ConnectionTimeoutError(text or f"Connection timeout to host {request.url}")
    if kind in ("read_timeout", "write_timeout"):
        return aiohttp.SocketTimeoutError(text or READ_TIMEOUT)
    if kind == "dns":
        unknown = socket.gaierror(socket.EAI_NONAME, text or "Name or service not known")
        return aiohttp.ClientConnectorDNSError(key, unknown)
    if kind == "refused":
        where = (request.url.host, request.url.port)
        refused = ConnectionRefusedError(111, text or f"Connect call failed {where}")
        return aiohttp.ClientConnectorError(key, refused)
    if kind == "tls":
        untrusted = ssl.SSLCertVerificationError(1, text or "certificate verify failed")
        return aiohttp.ClientConnectorCertificateError(key, untrusted)
    return None


def failure_of(error: Exception) -> ExchangeError:
    """What an error of a real exchange means.

    Args:
        error: Of whatever class.

    Returns:
        A failure that carries the error.
    """
    return ExchangeError(_kind(error), str(error), original=error)


KINDS: tuple[tuple[type[Exception], Failure], ...] = (
    (aiohttp.ConnectionTimeoutError, "connect_timeout"),
    (aiohttp.SocketTimeoutError, "read_timeout"),
    (aiohttp.ClientConnectorDNSError, "dns"),
    (aiohttp.ClientConnectorCertificateError, "tls"),
    (aiohttp.ClientSSLError, "tls"),
    (aiohttp.ClientConnectorError, "refused"),
    (aiohttp.ServerDisconnectedError, "closed"),
    (aiohttp.ClientOSError, "reset"),
    (HttpProcessingError, "malformed"),
    (aiohttp.ClientResponseError, "malformed"),
    (asyncio.TimeoutError, "connect_timeout"),
)


def _kind(error: Exception) -> Failure:
    if isinstance(error, aiohttp.ClientPayloadError):
        return "reset" if "ConnectionReset" in f"{error!r}{error.__cause__!r}" else "closed"
    for kind, failure in KINDS:
        if isinstance(error, kind):
            return failure
    return "other"
