"""An oracle explained: every word of the text is there, and every line fits."""

import pytest

from robotape_harness.oracles import IDS
from robotape_harness.oracles.explained import explained
from robotape_harness.report.explained import explanation_lines, overview_lines
from robotape_harness.report.lines import plain


@pytest.mark.parametrize("oracle", IDS)
@pytest.mark.parametrize("width", [80, 100])
def test_every_word_is_there_and_every_line_fits(oracle: str, width: int) -> None:
    text = plain(explanation_lines(oracle, width=width))
    shown = text.split()
    words = explained()[oracle].replace("```python", "").replace("```", "").split()
    missing = [word for word in words if word.strip("*") not in shown and word not in shown]
    assert missing == []
    assert max(map(len, text.splitlines())) <= max(width, 85)  # code is not cut
    assert f'waived={{"{oracle}": ' in text


def test_a_label_is_a_title_and_no_markup() -> None:
    text = plain(explanation_lines("hang"))
    assert "\n  Fix. Give what waits a timeout" in text
    assert "*" not in text


def test_code_keeps_its_empty_lines_and_its_indent() -> None:
    text = plain(explanation_lines("duplicate_side_effect"))
    assert "\n\n\n    @tool(effect_key=lambda args: args.order_id)\n    async def refund(" in text
    assert '\n        """Pay an order back, once."""\n' in text


def test_control_what_nobody_wrote_about_is_an_error() -> None:
    with pytest.raises(KeyError):
        explanation_lines("my_oracle")


def test_all_there_are_stand_below_each_other() -> None:
    rows = plain(overview_lines()).splitlines()
    assert [row.split()[0] for row in rows[: len(IDS)]] == list(IDS)
    assert rows[-1].strip() == "robotape explain ORACLE says more"
