"""How a report looks on a terminal: one colour scheme, carried out by rich."""

from collections.abc import Iterable, Mapping
from typing import TextIO

from rich.console import Console
from rich.text import Text

from robotape_harness.report.lines import Line, Style

__all__ = ["write"]

# Colours of the terminal's own palette, so that light and dark backgrounds both can be read.
LOOKS: Mapping[Style, str] = {
    "text": "",
    "dim": "dim",
    "title": "bold",
    "bad": "bold red",
    "doubtful": "bold yellow",
    "good": "bold green",
    "fault": "bold magenta",
    "effect": "cyan",
    "repeat": "bold red",
    "error": "red",
    "command": "bold cyan",
}


def write(lines: Iterable[Line], stream: TextIO) -> None:
    """Print lines in colour; NO_COLOR and the terminal's own abilities are respected."""
    console = Console(file=stream, highlight=False, soft_wrap=True)
    for spans in lines:
        text = Text()
        for piece, style in spans:
            text.append(piece, LOOKS[style])
        text.rstrip()
        console.print(text)
