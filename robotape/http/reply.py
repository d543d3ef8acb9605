"""A whole HTTP answer, as a value; how it came is decided elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass

from yarl import URL

from robotape.models.value import quick

__all__ = ["HttpReply"]


@quick
@dataclass(frozen=True, slots=True)
class HttpReply:
    """A whole answer, of whatever status.

    Attributes:
        status: As sent.
        headers: Names are found in any case.
        body: Decompressed.
        url: Where it came from in the end.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: URL
