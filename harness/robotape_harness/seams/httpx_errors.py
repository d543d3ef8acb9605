"""What httpx and httpx2 raise when an exchange fails, and what such an error means.

The same names in both modules; the texts are those of httpcore, h11 and the sockets.
"""

import socket
import ssl
from types import ModuleType

from robotape_harness.seams.body import ExchangeError, Failure

__all__ = ["error_for", "failure_of"]

NAMES: dict[str, str] = {
    "dns": "ConnectError",
    "refused": "ConnectError",
    "tls": "ConnectError",
    "connect_timeout": "ConnectTimeout",
    "pool_timeout": "PoolTimeout",
    "write_timeout": "WriteTimeout",
    "read_timeout": "ReadTimeout",
    "reset": "ReadError",
    "closed": "RemoteProtocolError",
    "malformed": "RemoteProtocolError",
}
TEXTS = {
    "dns": "[Errno -2] Name or service not known",
    "refused": "[Errno 111] Connection refused",
    "tls": "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed",
    "reset": "[Errno 104] Connection reset by peer",
    "closed": "Server disconnected without sending a response.",
    "malformed": "illegal status line: bytearray(b'')",
}
ASYNC_TEXTS = {"refused": "All connection attempts failed", "reset": ""}
TIMEOUTS: dict[str, Failure] = {
    "ConnectTimeout": "connect_timeout",
    "PoolTimeout": "pool_timeout",
    "WriteTimeout": "write_timeout",
    "ReadTimeout": "read_timeout",
}
HUNG_UP = ("Server disconnected", "peer closed connection")


def error_for(
    module: ModuleType, failure: ExchangeError, *, is_sync: bool, progress: str = ""
) -> Exception:
    """The error that comes out of the client.

    Args:
        module: httpx or httpx2.
        failure: What happened.
        is_sync: Whether the client is synchronous: the two word some errors differently.
        progress: How much of a body had come; empty before there is an answer.

    Returns:
        The client's own, if `forward` met it; else one of the same class and text.
    """
    if failure.original is not None:
        return failure.original
    kind = failure.failure
    if kind in ("closed", "malformed") and progress:
        text = f"peer closed connection without sending complete message body ({progress})"
    elif kind.endswith("_timeout"):
        text = "timed out" if is_sync else ""
    elif is_sync:
        text = TEXTS[kind]
    else:
        text = ASYNC_TEXTS.get(kind, TEXTS[kind])
    made: Exception = getattr(module, NAMES[kind])(failure.detail or text)
    made.__cause__ = failure
    return made


def failure_of(module: ModuleType, error: Exception) -> ExchangeError:
    """What an error of a real exchange means.

    Args:
        module: httpx or httpx2.
        error: Of whatever class.

    Returns:
        A failure that carries the error.
    """
    return ExchangeError(_kind(module, error), str(error), original=error)


def _kind(module: ModuleType, error: Exception) -> Failure:
    for name, kind in TIMEOUTS.items():
        if isinstance(error, getattr(module, name)):
            return kind
    if isinstance(error, module.ConnectError):
        return _connecting(error)
    if isinstance(error, module.ReadError | module.WriteError | module.CloseError):
        return "reset"
    if isinstance(error, module.RemoteProtocolError):
        return "closed" if str(error).startswith(HUNG_UP) else "malformed"
    return "other"


def _connecting(error: BaseException) -> Failure:
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, socket.gaierror):
            return "dns"
        if isinstance(below, ssl.SSLError):
            return "tls"
        below = below.__cause__ or below.__context__
    return "refused"
