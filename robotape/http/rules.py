"""What a pool allows: pure decisions about URLs, redirects and sizes; nothing is sent here."""

import ipaddress
import math
from dataclasses import dataclass
from functools import lru_cache

from yarl import URL

from robotape.errors import mark_permanent
from robotape.http.errors import HttpRedirectError
from robotape.http.reply import HttpReply

__all__ = ["HttpLimits", "followed", "host_name", "refusal"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """How much a pool gives one host, and takes from it.

    Attributes:
        connections_per_host: Open at once; further requests wait for a free one; >= 1.
        connect_timeout: Seconds for a connection to one address, TLS included; > 0.
        timeout: Seconds for a request as a whole, waiting for a connection included; > 0.
        keep_alive: Seconds an idle connection is kept for the next request; > 0.
        max_bytes: Size of an answer's body, decompressed; >= 0.
        max_stream_bytes: The same, for a body that is read as it comes; >= 0.
    """

    connections_per_host: int = 100
    connect_timeout: float = 10.0
    timeout: float = 60.0
    keep_alive: float = 30.0
    max_bytes: int = 16 * 2**20
    max_stream_bytes: int = 256 * 2**20

    def __post_init__(self) -> None:
        if self.connections_per_host < 1 or min(self.max_bytes, self.max_stream_bytes) < 0:
            raise ValueError(f"want connections_per_host >= 1 and sizes >= 0, got {self}")
        for seconds in (self.connect_timeout, self.timeout, self.keep_alive):
            if not 0 < seconds < math.inf:
                raise ValueError(f"want finite seconds > 0, got {self}")


def host_name(name: str) -> str:
    """A host name as URLs hold it: lower case, IDNA.

    Raises:
        ValueError: It is none.
    """
    host = URL.build(scheme="https", host=name).raw_host
    if not host:
        raise ValueError(f"not a host name: {name!r}")
    return host


@lru_cache(maxsize=256)  # a client asks one address all the time
def refusal(url: URL, hosts: frozenset[str] | None, *, allow_http: bool) -> str:
    """Say why a URL must not be asked.

    Args:
        url: What is to be asked.
        hosts: The only hosts allowed; None for any.
        allow_http: Whether plain HTTP may leave this machine; to loopback it always may.

    Returns:
        The reason; empty if the URL may be asked.

    Raises:
        ValueError: It is no absolute URL.
    """
    host = url.raw_host
    if not host:
        raise ValueError(f"want an absolute URL, got {url}")
    if url.user is not None or url.password is not None:
        return "the URL holds credentials: send them in a header"
    if hosts is not None and host not in hosts:
        return "the host is not in allow_hosts"
    if url.scheme == "https" or (url.scheme == "http" and (allow_http or _is_loopback(host))):
        return ""
    return "only HTTPS leaves this machine (allow_http=True permits plain HTTP)"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def followed(method: str, reply: HttpReply, *, has_body: bool) -> URL | None:
    """Say where to ask next.

    A redirect is followed for GET and HEAD within one origin, so that nothing of a
    request, credentials included, reaches another.

    Returns:
        None if the answer is the last.

    Raises:
        HttpRedirectError: It points where this request must not go.
    """
    target = reply.headers.get("Location") if reply.status in _REDIRECTS else None
    if target is None:
        return None
    location: URL | None
    try:
        location = reply.url.join(URL(target))
    except ValueError:
        location = None
    if method not in {"GET", "HEAD"} or has_body:
        reason = f"a {method} is not sent on; ask the final address yourself"
    elif location is None or _origin(location) != _origin(reply.url):
        reason = "another origin gets nothing of this request; ask it yourself"
    else:
        return location
    raise mark_permanent(
        HttpRedirectError(method, reply.url, reason, status=reply.status, location=location)
    )


def _origin(url: URL) -> tuple[str, str | None, int | None]:
    return url.scheme, url.raw_host, url.port
