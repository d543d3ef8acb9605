"""The progress bar: on standard error, and gone when the campaign is over."""

import io
import sys

import pytest

from robotape_harness.cli.bar import Bar


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_shows_how_far_the_campaign_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", screen := Screen())
    with Bar("desk:[naive]") as progress:
        progress(30, 60)
        progress(60, 60)
    assert "60/60" in screen.getvalue()
    assert "desk:[naive]" in screen.getvalue()


def test_nothing_is_shown_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", screen := Screen())
    Bar("desk")
    assert screen.getvalue() == ""
