"""Secrets: read from the environment, and taken out of everything that leaves.

Known are the values given to `keep_secret`, those read through `env_secret` and those of
environment variables whose names look secret. A value is found literally, percent-encoded,
JSON-escaped and JSON-escaped twice; other encodings are not looked for.
"""

import json
import os
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from robotape.errors import SecretError

__all__ = [
    "Redactor",
    "Secret",
    "env_secret",
    "keep_secret",
    "redact",
    "redactor",
    "scan_environment",
]

SHORTEST = 8
_SECRET_NAME = re.compile(
    r"(^|_)(API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(_|$)",
    re.IGNORECASE,
)


class Secret(str):
    """A string that does not show itself in a `repr`; otherwise an ordinary `str`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('**********')"


class Redactor:
    """Takes known values out of text and bytes; knows them from its making on."""

    def __init__(self, values: Iterable[tuple[str, str]]) -> None:
        """Prepare.

        Args:
            values: (name, value); values shorter than 8 characters are left out, for
                they would blot out half of any text.
        """
        self._names: dict[str, str] = {}
        escaped: set[str] = set()
        for name, value in values:
            if len(value) >= SHORTEST:
                spellings = _escaped(value)
                self._names.update(dict.fromkeys((value, repr(value)[1:-1], *spellings), name))
                escaped |= spellings
        self._text = re.compile(_any_of(self._names))
        data = _any_of(escaped).encode()
        self._bytes = re.compile(data)
        # An escape is passed over whole: the n of a \n is not the first letter of a secret.
        self._aligned = re.compile(b"(" + data + rb")|\\(?:u[0-9a-fA-F]{4}|.)", re.DOTALL)
        self.is_empty = not self._names

    def text(self, text: str) -> str:
        """The text with each known value replaced by `[redacted:NAME]`."""
        if len(text) < SHORTEST:  # most names on a tape are
            return text
        if self._text.search(text) is None:
            return text
        return self._text.sub(lambda found: f"[redacted:{self._names[found[0]]}]", text)

    def data(self, data: bytes) -> bytes:
        """The UTF-8 bytes with each known value replaced; JSON stays JSON."""
        if self._bytes.search(data) is None:
            return data
        return self._aligned.sub(self._replaced, data)

    def _replaced(self, found: re.Match[bytes]) -> bytes:
        if found[1] is None:
            return found[0]
        return f"[redacted:{self._names[found[1].decode()]}]".encode()


def _escaped(value: str) -> set[str]:
    """The value as it stands in a URL, in a JSON string, and in JSON text in a JSON string."""
    speakable = value.encode("utf-8", "backslashreplace").decode()
    texts = (speakable, repr(value)[1:-1])  # repr: as error messages quote it
    once = {json.dumps(value)[1:-1]}
    once |= {quote(speakable), quote(speakable, safe=""), quote_plus(speakable)}
    once |= {
        json.dumps(text, ensure_ascii=ascii)[1:-1] for text in texts for ascii in (True, False)
    }
    return once | {json.dumps(text, ensure_ascii=False)[1:-1] for text in once}


def _any_of(values: Iterable[str]) -> str:
    # Longest first, or a secret that begins with another would leave its tail behind.
    ordered = sorted(values, key=lambda value: (-len(value), value))
    return "|".join(map(re.escape, ordered)) or r"(?!)"


class _Known:
    """The secrets this process has met, and the redactor made of them."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.current: Redactor | None = None
        self.is_scanned = False

    def add(self, name: str, value: str) -> None:
        if len(value) >= SHORTEST and value not in self.values:
            self.values[value] = name
            self.current = None


# A secret stays secret for the life of the process, whoever read it: the one global here.
_known = _Known()


def scan_environment() -> None:
    """Learn the values of environment variables whose names look secret."""
    _known.is_scanned = True
    for name, value in os.environ.items():
        if _SECRET_NAME.search(name):
            _known.add(name, value)


def redactor() -> Redactor:
    """The redactor of all secrets known by now."""
    if _known.current is None:
        if not (_known.is_scanned and _known.values):
            scan_environment()
        _known.current = Redactor((name, value) for value, name in _known.values.items())
    return _known.current


def redact(text: str) -> str:
    """Text without any secret known by now."""
    return redactor().text(text)


def env_secret(name: str) -> Secret:
    """Read a secret from the environment and keep it out of everything that leaves.

    Args:
        name: Name of the environment variable.

    Returns:
        Its value, as an ordinary string with a masked `repr`.

    Raises:
        SecretError: The variable is unset or empty, or shorter than 8 characters, which
            cannot be redacted without blotting out ordinary text.
    """
    value = os.environ.get(name, "")
    if not value:
        raise SecretError(name, "is not set")
    if len(value) < SHORTEST:
        raise SecretError(name, f"is shorter than {SHORTEST} characters")
    return keep_secret(name, value)


def keep_secret(name: str, value: str) -> Secret:
    """Keep a secret that came some other way out of everything that leaves.

    Args:
        name: What stands in its place there, as `[redacted:name]`.
        value: Shorter than 8 characters, it is masked in a `repr` only.
    """
    _known.add(name, value)
    return Secret(value)
