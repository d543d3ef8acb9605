"""The coverage matrix: every site, every kind, and the reasons why the rest cannot happen."""

import pytest

from robotape_harness.campaign.coverage import Coverage
from robotape_harness.report.coverage import covered, matrix
from robotape_harness.report.lines import plain
from tests.harness.report import samples

MATRIX = """\
                      a b c
  llm[refund_desk]#1  . . .
  tool:refund#1       X w -
  . recovered   X finding   w waived   - cannot happen

  a timeout   b transient error   c wrong tool name
"""
NUMBERS = """\
  20 of 20 possible faults tried; 3 cannot happen:
     1  only a model names tools
     2  a model call commits nothing
"""


def test_sites_and_kinds_are_a_matrix() -> None:
    assert plain(matrix(samples.coverage(), width=100)) == MATRIX


def test_what_cannot_happen_is_counted_by_reason() -> None:
    assert plain(covered(samples.coverage(), width=100)) == NUMBERS


def test_control_where_everything_can_happen_no_reason_is_given() -> None:
    text = plain(covered(samples.coverage(impossible=()), width=100))
    assert text == "  20 of 20 possible faults tried\n"


def test_a_kind_that_a_site_does_not_know_is_blank_there() -> None:
    sites = {"a": {"x": "recovered", "y": "untried"}, "b": {"y": "finding"}}
    rows = plain(matrix(samples.coverage(by_site=sites), width=80)).splitlines()
    assert rows[1:3] == ["  a  . ?", "  b    X"]


@pytest.mark.parametrize("width", [80, 100])
def test_the_matrix_fits_whatever_the_sites_are_called(width: int) -> None:
    row = {f"kind_{number}": "recovered" for number in range(20)}
    sites = {f"tool:{'long_name_' * 20}{number}": row for number in range(3)}
    wide: Coverage = samples.coverage(by_site=sites)
    rows = plain(matrix(wide, width=width)).splitlines()
    cells = [row for row in rows if row.startswith("  tool:")]
    assert len(cells) == 3
    assert max(map(len, rows)) <= width


def test_control_beyond_the_alphabet_the_letters_begin_again() -> None:
    row = {f"kind_{number}": "recovered" for number in range(60)}
    text = plain(matrix(samples.coverage(by_site={"a": row}), width=100))
    assert all(f" kind {number}" in text for number in range(60))
