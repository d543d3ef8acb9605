"""Puts lines on a stream: in colour on a terminal, as plain text anywhere else."""

import os
import shutil
from collections.abc import Iterable
from typing import TextIO

from robotape_harness import report
from robotape_harness.report.lines import WIDTH, Line, plain

__all__ = ["columns", "is_terminal", "write"]

NARROW = 80


def is_terminal(stream: TextIO) -> bool:
    """Whether somebody looks at the stream who can see colours and moving bars."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def columns(stream: TextIO) -> int:
    """How wide a report on this stream may be.

    Returns:
        80 to 100; 100 where the stream is no terminal, so that the text is always the same.
    """
    if not is_terminal(stream):
        return WIDTH
    return max(NARROW, min(shutil.get_terminal_size().columns, WIDTH))


def write(lines: Iterable[Line], stream: TextIO) -> None:
    """Print a report; the plain text is a function of the lines alone."""
    if is_terminal(stream):
        report.colours.write(lines, stream)
    else:
        stream.write(plain(lines))
    stream.flush()
