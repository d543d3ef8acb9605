"""Lines of a report: text in spans that say what they are; colours are somebody else's business."""

import textwrap
from collections.abc import Iterable
from typing import Literal, NamedTuple

__all__ = ["Line", "Span", "Style", "WIDTH", "fitted", "line", "plain", "wrapped"]

WIDTH = 100
"""Columns of a report that goes to no terminal."""

Style = Literal[
    "text",
    "dim",
    "title",
    "bad",
    "doubtful",
    "good",
    "fault",
    "effect",
    "repeat",
    "error",
    "command",
]


class Span(NamedTuple):
    """A piece of a line.

    Attributes:
        text: Without a line break.
        style: What it is, not how it looks.
    """

    text: str
    style: Style = "text"


Line = tuple[Span, ...]


def line(*parts: Span | str) -> Line:
    """Put a line together; a bare string is plain text."""
    return tuple(part if isinstance(part, Span) else Span(part) for part in parts)


def plain(lines: Iterable[Line]) -> str:
    """The lines as text, without styles; no line ends in a blank, each in a line break."""
    return "".join("".join(text for text, _ in spans).rstrip() + "\n" for spans in lines)


def fitted(text: str, width: int) -> str:
    """Text on one line of at most `width` columns; what was cut shows as `…`.

    Args:
        text: Line breaks and tabs become single blanks, other control characters `?`.
        width: Columns; at least 1.
    """
    flat = " ".join(text.split())
    shown = "".join(letter if letter.isprintable() else "?" for letter in flat)
    return shown if len(shown) <= width else f"{shown[: max(width - 1, 0)]}…"


def wrapped(text: str, *, indent: int, width: int, style: Style = "text") -> list[Line]:
    """Text on as many lines as it takes, each indented; a long word is left whole.

    Args:
        text: Each of its lines begins a new one.
        indent: Columns.
        width: Columns, the indent included.
    """
    folded = [piece for part in text.splitlines() for piece in _folded(part, width - indent)]
    return [line(" " * indent, Span(piece, style)) for piece in folded or [""]]


def _folded(text: str, width: int) -> list[str]:
    flat = fitted(text, len(text) + 1)
    return textwrap.wrap(flat, width, break_long_words=False, break_on_hyphens=False)
