"""Puts lines on a stream: in colour on a terminal, as plain text anywhere else."""

import os
import shutil
from collections.abc import Iterable, Iterator
from typing import TextIO

from robotape_harness import report
from robotape_harness.report.lines import WIDTH, Line, Span, plain

__all__ = ["columns", "is_terminal", "write", "write_json"]

NARROW = 40
STAND_INS = {"…": "..."}  # what a report writes itself and an old encoding does not have


def is_terminal(stream: TextIO) -> bool:
    """Whether somebody looks at the stream who can see colours and moving bars."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def columns(stream: TextIO) -> int:
    """How wide a report on this stream may be.

    Returns:
        40 to 100; 100 where the stream is no terminal, so that the text is always the same.
    """
    if not is_terminal(stream):
        return WIDTH
    return max(NARROW, min(shutil.get_terminal_size().columns, WIDTH))


def write(lines: Iterable[Line], stream: TextIO) -> None:
    """Print a report; the plain text is a function of the lines alone."""
    said = list(_sayable(lines, stream))
    if is_terminal(stream):
        report.colours.write(said, stream)
    else:
        stream.write(plain(said))
    stream.flush()


def write_json(text: str, stream: TextIO) -> None:
    """Print a JSON document: always UTF-8, as programs expect, whatever the terminal's encoding."""
    getattr(stream, "reconfigure", lambda **_: None)(encoding="utf-8")
    stream.write(text)
    stream.flush()


def _sayable(lines: Iterable[Line], stream: TextIO) -> Iterator[Line]:
    """The lines with stand-ins for what the stream's encoding does not have."""
    missing = {ord(sign): other for sign, other in STAND_INS.items() if not _has(stream, sign)}
    for spans in lines:
        yield tuple(Span(text.translate(missing), style) for text, style in spans)


def _has(stream: TextIO, sign: str) -> bool:
    try:
        sign.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
