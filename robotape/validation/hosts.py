"""The one spelling of a host: a name in ASCII, or an address; no name is looked up."""

import ipaddress
import re
import unicodedata

__all__ = ["canonical_host"]

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
# IDNA 2003 and 2008 read these differently: what one of them means is another host.
_DEVIATIONS = frozenset("\u00df\u03c2\u200c\u200d")


def canonical_host(text: str) -> str:
    """A host as everything that connects to it would understand it.

    Names: IDNA, lower case, without the dot at the end. Addresses: four decimal numbers for
    IPv4, however it was written (`127.1`, `0x7f000001`, `::ffff:7f00:1`); the shortest form
    for IPv6, without brackets.

    Raises:
        ValueError: It is neither; a port, a user, a zone and percent escapes are no part of it.

    Source:
        The host parser of the WHATWG URL standard.
    """
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
        if ":" not in text:
            raise ValueError("brackets are for IPv6 addresses")
    if ":" in text:
        return _ipv6(text)
    host = _ascii(text).removesuffix(".")
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _ipv4(labels)
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError("not a host name")
    return host


def _ipv6(text: str) -> str:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        raise ValueError("neither a host name nor an address; a port does not belong") from None
    if address.scope_id is not None:
        raise ValueError("an address with a zone means another host on another machine")
    return str(address.ipv4_mapped or address.compressed)


def _ascii(text: str) -> str:
    if len(text) > 254:
        raise ValueError("not a host name")
    if _DEVIATIONS & set(text):
        raise ValueError("a character that standards disagree about; write the xn-- form")
    try:
        host = unicodedata.normalize("NFKC", text).encode("idna").decode().lower()
        for label in host.split("."):
            # Two spellings in Punycode of one label would be two names for one host.
            if label.startswith("xn--") and label.encode().decode("idna").encode("idna") != (
                label.encode()
            ):
                raise ValueError
    except ValueError:  # UnicodeError is one
        raise ValueError("not a host name") from None
    return host


def _ipv4(parts: list[str]) -> str:
    numbers = [_number(part) for part in parts]
    *bytes_, rest = numbers
    if len(numbers) > 4 or any(number > 255 for number in bytes_):
        raise ValueError("not an IPv4 address")
    if rest >= 256 ** (4 - len(bytes_)):
        raise ValueError("not an IPv4 address")
    whole = sum(number << 8 * (3 - place) for place, number in enumerate(bytes_)) + rest
    return str(ipaddress.IPv4Address(whole))


def _number(part: str) -> int:
    if not _NUMBER.fullmatch(part) or len(part) > 16:
        raise ValueError("not an IPv4 address")
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    is_octal = len(part) > 1 and part.startswith("0")
    if is_octal and not set(part) <= set("01234567"):
        raise ValueError("not an IPv4 address")
    return int(part, 8 if is_octal else 10)
