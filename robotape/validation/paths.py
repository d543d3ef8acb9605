"""The one spelling of a path below a root; nothing is opened."""

import os
import re
import unicodedata
from pathlib import Path

__all__ = ["canonical_path", "path_below"]

_ESCAPE = re.compile(r"%(?:2e|2f|5c|00|25)", re.IGNORECASE)


def canonical_path(text: str) -> str:
    """A relative path with `/` between its parts, in NFC, without `.` and empty parts.

    Raises:
        ValueError: It is absolute, has a part `..`, a backslash, a colon, a control
            character, a percent escape of one of those, a part that ends in a dot or a space,
            or a part that becomes one of those by NFKC. What somebody further on could read
            as a way out is refused, not cleaned.
    """
    text = unicodedata.normalize("NFC", text)
    for reading in (text, unicodedata.normalize("NFKC", text)):
        _refuse_ways_out(reading)
    parts = [part for part in text.split("/") if part not in ("", ".")]
    return "/".join(parts) or "."


def _refuse_ways_out(text: str) -> None:
    if text.startswith(("/", "~")):
        raise ValueError("the path must be relative")
    if "\\" in text or ":" in text or _ESCAPE.search(text):
        raise ValueError("a backslash, a colon or an escape does not belong in the path")
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in text):
        raise ValueError("an invisible character does not belong in the path")
    parts = text.split("/")
    if ".." in parts:
        raise ValueError("the path must not go upwards")
    if any(part != part.rstrip(". ") for part in parts if part != "."):
        raise ValueError("a part of the path must not end in a dot or a space")


def path_below(root: str, text: str) -> str:
    """As `canonical_path`, with symbolic links followed: where the path really leads.

    Raises:
        ValueError: As there; or a link leads out of the root.
    """
    top = Path(os.path.realpath(root))
    # What does not exist is not followed further: somebody may be about to make it.
    found = Path(os.path.realpath(top / canonical_path(text)))
    if not found.is_relative_to(top):
        raise ValueError("the path leads out of its root")
    return found.relative_to(top).as_posix()
