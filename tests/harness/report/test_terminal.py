"""The stream: colours where a terminal is, plain text of one width everywhere else."""

import io

import pytest

from robotape_harness.report.lines import WIDTH, Span, line
from robotape_harness.report.terminal import columns, is_terminal, write, write_json

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


@pytest.mark.parametrize(("have", "use"), [("20", 40), ("60", 60), ("90", 90), ("200", WIDTH)])
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


@pytest.mark.parametrize(
    ("encoding", "said"), [("ascii", b"cut..."), ("latin-1", b"cut..."), ("utf-8", "cut…".encode())]
)
def test_an_encoding_without_the_sign_for_what_is_cut_gets_dots(encoding: str, said: bytes) -> None:
    stream = io.TextIOWrapper(below := io.BytesIO(), encoding=encoding)
    write([line("cut…")], stream)
    assert below.getvalue() == said + b"\n"


def test_json_is_utf_8_whatever_the_terminal_speaks() -> None:
    stream = io.TextIOWrapper(below := io.BytesIO(), encoding="ascii", errors="backslashreplace")
    write_json('{"é": "☂"}\n', stream)
    assert below.getvalue() == '{"é": "☂"}\n'.encode()
