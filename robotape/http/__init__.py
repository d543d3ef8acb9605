"""HTTP over pooled connections, within limits that fail closed; it neither retries nor caches."""

from robotape.http.errors import (
    HttpConnectionError,
    HttpError,
    HttpRedirectError,
    HttpRefusedError,
    HttpTimeoutError,
    HttpTooLargeError,
)
from robotape.http.pool import HttpPool
from robotape.http.reply import HttpReply
from robotape.http.rules import HttpLimits
from robotape.http.streamed import HttpStream

__all__ = [
    "HttpConnectionError",
    "HttpError",
    "HttpLimits",
    "HttpPool",
    "HttpRedirectError",
    "HttpRefusedError",
    "HttpReply",
    "HttpStream",
    "HttpTimeoutError",
    "HttpTooLargeError",
]
