"""The stream: colours where a terminal is, plain text of one width everywhere else."""

import io

import pytest

from robotape_harness.report.lines import WIDTH, Span, line
from robotape_harness.report.terminal import columns, is_terminal, write

LINES = [line("a", Span("bad", "bad")), ()]


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


def test_a_file_gets_plain_text() -> None:
    stream = io.StringIO()
    write(LINES, stream)
    assert stream.getvalue() == "abad\n\n"


def test_a_terminal_gets_colours() -> None:
    stream = Screen()
    write(LINES, stream)
    assert "\x1b[" in stream.getvalue()


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_control_who_wants_no_colours_gets_none(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    stream = Screen()
    write([line(Span("bad", "error"))], stream)
    assert "\x1b[3" not in stream.getvalue()


@pytest.mark.parametrize(("have", "use"), [("40", 80), ("90", 90), ("200", WIDTH)])
def test_a_terminal_s_width_is_used_within_reason(
    monkeypatch: pytest.MonkeyPatch, have: str, use: int
) -> None:
    monkeypatch.setenv("COLUMNS", have)
    assert columns(Screen()) == use
    assert columns(io.StringIO()) == WIDTH


def test_a_dumb_terminal_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_terminal(Screen())
    monkeypatch.setenv("TERM", "dumb")
    assert not is_terminal(Screen())
