"""Laws of budgets: a purse never gives more than there is, and its presets are all in one place."""

import time

import pytest

from robotape_harness.campaign.budget import BUDGETS, DEFAULT, Budget, Purse, budget_of


def test_a_preset_goes_by_its_name_and_none_is_the_default() -> None:
    assert budget_of("ci") is BUDGETS["ci"]
    assert budget_of(None) is DEFAULT
    assert budget_of(mine := Budget(runs=3)) is mine


def test_an_unknown_preset_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="no budget 'huge'; there are: dev, ci, nightly"):
        budget_of("huge")


@pytest.mark.parametrize("wrong", [{"runs": 0}, {"seconds": 0}, {"search": -1}])
def test_a_budget_of_nothing_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"a budget's {next(iter(wrong))} must be"):
        Budget(**wrong)


def test_a_purse_gives_the_runs_there_are() -> None:
    purse = Purse(Budget(runs=2, search=1))
    assert (purse.left(is_search=False), purse.left(is_search=True)) == (2, 1)
    purse.spend(is_search=True)
    assert (purse.left(is_search=False), purse.left(is_search=True)) == (1, 0)
    purse.spend(is_search=False)
    assert purse.left(is_search=False) == 0


def test_control_without_a_limit_there_is_none() -> None:
    purse = Purse(Budget())
    purse.spend(is_search=False)
    assert purse.left(is_search=False) is None
    assert not purse.is_late


def test_seconds_are_real_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    purse = Purse(Budget(seconds=5.0))
    assert not purse.is_late
    now[0] += 5.0
    assert purse.is_late
