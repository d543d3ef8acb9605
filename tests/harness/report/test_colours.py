"""Colours: every style has a look, and the text under them is the plain text."""

import io
import re
from typing import get_args

import pytest

from robotape_harness.report import colours
from robotape_harness.report.lines import Style, line, plain
from robotape_harness.report.page import report_lines
from tests.harness.report import samples


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_every_style_has_a_look() -> None:
    assert set(colours.LOOKS) == set(get_args(Style))


def test_under_the_colours_is_the_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    lines = [*report_lines(samples.report()), line("[bold]no markup[/bold] :smile: " + "x" * 300)]
    stream = Screen()
    colours.write(lines, stream)
    assert "\x1b[" in stream.getvalue()
    assert re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()) == plain(lines)
