"""Lines: whatever an agent says, a line stays one line, within its width."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape_harness.report.lines import Span, fitted, line, plain, wrapped


@given(st.text(), st.integers(1, 120))
def test_fitted_text_is_one_printable_line_within_its_width(text: str, width: int) -> None:
    shown = fitted(text, width)
    assert len(shown) <= width
    assert shown.isprintable()
    assert shown.splitlines() in ([], [shown])


def test_control_text_that_fits_is_left_alone() -> None:
    assert fitted("refund 42", 9) == "refund 42"
    assert fitted("refund 42", 8) == "refund …"


@pytest.mark.parametrize("text", ["a\nb\tc", "a  b c", " a b\r\nc "])
def test_blanks_of_any_kind_are_one_blank(text: str) -> None:
    assert fitted(text, 80) == "a b c"


def test_an_escape_sequence_does_not_reach_the_terminal() -> None:
    assert "\x1b" not in fitted("\x1b[31mred", 80)


@given(st.text())
def test_wrapped_text_is_indented_and_loses_no_word(text: str) -> None:
    rows = wrapped(text, indent=4, width=40)
    texts = ["".join(span.text for span in row) for row in rows]
    assert all(text.startswith("    ") for text in texts)
    assert " ".join(texts).split() == fitted(text, len(text) + 1).split()


def test_a_line_of_its_own_stays_one() -> None:
    rows = wrapped("never ends\n  at desk.py:3", indent=2, width=80)
    assert plain(rows) == "  never ends\n  at desk.py:3\n"


def test_plain_text_has_no_styles_and_no_blanks_at_the_end() -> None:
    lines = [line("a ", Span("b  ", "bad")), (), line("c")]
    assert plain(lines) == "a b\n\nc\n"
