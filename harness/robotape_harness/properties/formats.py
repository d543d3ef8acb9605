"""Strategies for strings that a function reads: addresses, e-mails, encodings, paths that exist."""

import ipaddress
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from robotape_harness.properties.scalars import Schema, Strategy

__all__ = ["format_of", "known"]

_HERE = Path(__file__)
_LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8)
_MAIL = st.builds("{}@{}.example.com".format, _LABEL, _LABEL)
_V4, _V6 = ipaddress.IPv4Address, ipaddress.IPv6Address
_SIZES = ("1", "0", "5B", "10 KB", "3.5MiB", "2gb")
_PATTERNS = ("", "a", "^a+$", "[0-9]{2,3}", "(a|b)", "\\d")


def _address(*classes: Any) -> Strategy:
    return st.one_of([_numbered(kind).map(str) for kind in classes])


def _numbered(kind: Any) -> Strategy:
    return st.integers(0, (1 << kind(0).max_prefixlen) - 1).map(kind)


def _network(*classes: Any) -> Strategy:
    return st.one_of(
        [
            st.builds(_cut, _numbered(kind), st.integers(0, kind(0).max_prefixlen))
            for kind in classes
        ]
    )


def _cut(address: Any, length: int) -> str:
    return str(ipaddress.ip_network(f"{address}/{length}", strict=False))


def _free(name: str) -> str:
    return str(_HERE.parent / f"{name}.new")


def _encoded(function: Any, *, is_text: bool) -> Strategy:
    encoder = function.__self__.encoder
    plain = st.text(max_size=9).map(str.encode) if is_text else st.binary(max_size=9)
    return plain.map(lambda data: encoder.encode(data).decode())


_BY_CLASS: Mapping[Any, Callable[[], Strategy]] = {
    ipaddress.IPv4Address: partial(_address, _V4),
    ipaddress.IPv6Address: partial(_address, _V6),
    ipaddress.IPv4Interface: partial(_network, _V4),
    ipaddress.IPv6Interface: partial(_network, _V6),
    ipaddress.IPv4Network: partial(_network, _V4),
    ipaddress.IPv6Network: partial(_network, _V6),
}
# Qualified name, within pydantic -> (what it reads, the strategy).
_BY_NAME: Mapping[str, tuple[str, Callable[[Any], Strategy]]] = {
    "ByteSize._validate": ("byte size", lambda _: st.sampled_from(_SIZES)),
    "EmailStr._validate": ("e-mail address", lambda _: _MAIL),
    "EncodedBytes.decode": ("encoded bytes", partial(_encoded, is_text=False)),
    "EncodedStr.decode_str": ("encoded text", partial(_encoded, is_text=True)),
    "IPvAnyAddress._validate": ("IP address", lambda _: _address(_V4, _V6)),
    "IPvAnyInterface._validate": ("IP interface", lambda _: _network(_V4, _V6)),
    "IPvAnyNetwork._validate": ("IP network", lambda _: _network(_V4, _V6)),
    "NameEmail._validate": ("e-mail address", lambda _: _MAIL),
    "PathType.validate_directory": ("folder", lambda _: st.just(str(_HERE.parent))),
    "PathType.validate_file": ("file", lambda _: st.just(str(_HERE))),
    "PathType.validate_new": (
        "free path",
        lambda _: _LABEL.map(lambda name: str(_HERE.parent / f"{name}.new")),
    ),
    "pattern_either_validator": ("pattern", lambda _: st.sampled_from(_PATTERNS)),
    "pattern_str_validator": ("pattern", lambda _: st.sampled_from(_PATTERNS)),
}


def format_of(checks: tuple[Schema, ...]) -> str:
    """What the functions on the way to a value read, such as `IP address`; empty if unknown."""
    for function in map(_function, checks):
        if isinstance(function, type) and function in _BY_CLASS:
            return function.__name__
        if _name(function) in _BY_NAME:
            return _BY_NAME[_name(function)][0]
    return ""


def known(checks: tuple[Schema, ...]) -> Strategy | None:
    """The strategy of a string that functions of pydantic's or Python's own read; else None."""
    for function in map(_function, checks):
        if isinstance(function, type) and function in _BY_CLASS:
            return _BY_CLASS[function]()
        if _name(function) in _BY_NAME:
            return _BY_NAME[_name(function)][1](function)
    return None


def _function(check: Schema) -> Any:
    return check.get("function", {}).get("function")


def _name(function: Any) -> str:
    is_theirs = str(getattr(function, "__module__", "")).startswith("pydantic.")
    return str(getattr(function, "__qualname__", "")) if is_theirs else ""
