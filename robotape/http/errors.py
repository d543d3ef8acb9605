"""What can go wrong with a request, as exceptions; whether it did is decided elsewhere.

* HttpError (a RobotapeError)
  * HttpRefusedError (also PermissionError)      the pool's own rules forbid it; nothing was sent
  * HttpRedirectError                            a redirect that is not followed
  * HttpTooLargeError                            the answer outgrew the size limit
  * HttpConnectionError (also ConnectionError)   refused, reset, DNS, TLS, cut short
  * HttpTimeoutError (also TimeoutError)         no connection, or no whole answer, in time

No error of the HTTP library comes out or hangs on as a cause: some carry the request's
headers, and with them its credentials.
"""

from yarl import URL

from robotape.errors import RobotapeError, mark_permanent
from robotape.http.reply import HttpReply

__all__ = [
    "HttpConnectionError",
    "HttpError",
    "HttpRedirectError",
    "HttpRefusedError",
    "HttpTimeoutError",
    "HttpTooLargeError",
]


class HttpError(RobotapeError):
    """A request brought no usable answer.

    Attributes:
        method: Of the request.
        url: Where to, without credentials, query and fragment, which are nobody's business.
    """

    def __init__(self, method: str, url: URL, reason: str) -> None:
        self.method = method
        self.url = _shown(url)
        super().__init__(f"{method} {self.url}: {reason}")


class HttpRefusedError(HttpError, PermissionError):
    """The pool's own rules forbid the request; nothing was sent, and asking again is no use."""


class HttpRedirectError(HttpError):
    """The answer points elsewhere, and following it is not safe; asking again is no use.

    Attributes:
        status: Of the answer.
        location: Where it points, shown as `url` is; empty if that is no URL.
    """

    def __init__(
        self, method: str, url: URL, reason: str, *, status: int, location: URL | None
    ) -> None:
        self.status = status
        self.location = "" if location is None else _shown(location)
        super().__init__(method, url, f"{status} to {self.location or 'no URL'}: {reason}")


class HttpTooLargeError(HttpError):
    """The answer outgrew the size limit; the rest of it was not read, and asking again is no use.

    Attributes:
        reply: The answer with an empty body.
        limit: Bytes allowed.
    """

    def __init__(self, method: str, reply: HttpReply, limit: int) -> None:
        self.reply = reply
        self.limit = limit
        super().__init__(method, reply.url, f"the answer is larger than {limit} bytes")
        mark_permanent(self)


class HttpConnectionError(HttpError, ConnectionError):
    """There was no connection, or it broke before the whole answer was here."""


class HttpTimeoutError(HttpError, TimeoutError):
    """There was no connection, or no whole answer, in time."""


def _shown(url: URL) -> str:
    return f"{url.scheme}://{url.host_port_subcomponent or ''}{url.raw_path}"
