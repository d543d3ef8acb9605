"""Laws of the agenda: one order, whatever order the user types."""

import pytest

from robotape_harness.campaign.agenda import STAGES, stages_of


def test_what_failed_before_comes_first_and_what_has_no_end_comes_last() -> None:
    searching = [stage.is_search for stage in stages_of(None)]
    assert STAGES[:2] == ("recorded", "singles")
    assert searching == sorted(searching)


def test_the_stages_come_in_the_order_of_the_agenda() -> None:
    assert [stage.name for stage in stages_of(["swarm", "singles"])] == ["singles", "swarm"]


@pytest.mark.parametrize(("asked", "said"), [(["pears"], "no stage pears"), ([], "needs a stage")])
def test_what_does_not_exist_is_refused_with_what_does(asked: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=f"{said}; there are: recorded, singles, "):
        stages_of(asked)
