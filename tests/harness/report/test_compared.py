"""Two runs side by side: from where they part, effects included, and nothing too wide."""

import pytest

from robotape_harness.campaign.explain import Explanation, first_differing
from robotape_harness.report.compared import comparison, parting
from robotape_harness.report.lines import plain
from robotape_harness.simulation.trial import Trial, simulate
from tests.harness.oracles.planted import doing, pay_42, paying, under

NAIVE = doing(pay_42, paying())
FAILING = under(NAIVE, "error", "after_commit").trial
REFUSED = under(NAIVE, "error", "before_commit").trial


def beside(nearest: Trial) -> Explanation:
    return Explanation(
        changes=(),
        nearest=nearest,
        nearest_is="another",
        differs_at=first_differing(FAILING, nearest),
    )


def text(nearest: Trial, *, width: int = 100, rows: int = 9) -> str:
    return plain(comparison(FAILING, beside(nearest), width=width, rows=rows))


def test_it_begins_with_the_last_event_that_is_the_same() -> None:
    head, same, parted, *_ = text(REFUSED).splitlines()
    assert head.split("|")[0].strip() == "this run"
    assert head.split("|")[1].strip() == "the run that passes"
    left, right = same.split(" | ")
    assert left.split(maxsplit=1)[1].strip() == right.strip() == 'ACTION pay {"order":"42"}'
    assert parted.split(" | ")[0].split(maxsplit=1)[1].strip().startswith("++ committed: payment")
    assert parted.split(" | ")[1].startswith("ERROR pay ConnectionResetError")


def test_the_second_time_an_effect_happens_is_told_as_such() -> None:
    assert "++ committed again (2 times now): payment" in text(REFUSED)


def test_the_run_that_ends_first_has_ended() -> None:
    assert "| (it has ended)" in text(simulate(NAIVE))


def test_what_is_left_out_is_counted() -> None:
    rows = text(REFUSED, rows=2).splitlines()
    assert len(rows) == 4
    assert [part.split()[-2:] for part in rows[-1].split("|")] == [["(4", "more)"], ["(3", "more)"]]


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_every_line_fits(width: int) -> None:
    assert max(map(len, text(REFUSED, width=width).splitlines())) <= width


def test_the_step_where_they_part_is_one_of_the_failing_run() -> None:
    assert parting(FAILING, beside(REFUSED)) == 0
    assert parting(FAILING, beside(simulate(NAIVE))) == 1
    assert parting(FAILING, beside(FAILING)) == len(FAILING.tape)
