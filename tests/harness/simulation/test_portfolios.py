"""The portfolio: every member has its turn, and together they find what each alone misses."""

from statistics import median

import pytest

from robotape_harness.simulation import Choices, Fifo, portfolio
from tests.laws.races import Program, deadlock, lost_update, runs_to_the_bug, strikes


@pytest.mark.parametrize(("program", "most"), [(lost_update, 10), (deadlock, 6)])
def test_the_portfolio_finds_a_hidden_bug_within_a_few_runs(program: Program, most: int) -> None:
    struck, baseline = strikes(program)
    assert not struck
    runs = []
    for block in range(20):
        chosen = portfolio(baseline.steps, block)
        runs.append(runs_to_the_bug(program, chosen.schedule, block))
    assert median(runs) <= most


@pytest.mark.parametrize("program", [lost_update, deadlock])
def test_control_first_in_first_out_never_finds_it(program: Program) -> None:
    assert runs_to_the_bug(program, lambda index: Fifo(), 0, most=50) == 50


def test_what_was_found_replays_from_its_choices_alone() -> None:
    _, baseline = strikes(lost_update)
    for index in range(200):
        struck, loop = strikes(
            lost_update, Choices.seeded(index), portfolio(baseline.steps)[index][1]
        )
        again, replayed = strikes(lost_update, Choices.replay(loop.choices.recorded))
        assert (again, replayed.steps) == (struck, loop.steps)


def test_the_portfolio_begins_with_fifo_and_has_every_member_in_each_round() -> None:
    chosen = portfolio(100, seed=4)
    size = len(chosen.members)
    assert chosen[0][1] == Fifo()
    rounds = [[chosen[1 + size * n + i] for i in range(size)] for n in range(3)]
    assert all(sorted(map(str, each)) == sorted(map(str, chosen.members)) for each in rounds)
    assert rounds[0] != rounds[1]
    names = [name for name, _ in chosen.members]
    assert len(set(names)) == size


def test_the_portfolio_follows_from_its_seed() -> None:
    def names(seed: int) -> list[str]:
        return [portfolio(100, seed)[index][0] for index in range(30)]

    assert names(1) == names(1)
    assert names(1) != names(2)


def test_a_portfolio_needs_a_horizon_and_has_no_end() -> None:
    with pytest.raises(ValueError, match="horizon is 0"):
        portfolio(0)
    with pytest.raises(IndexError, match="no end"):
        portfolio(1)[-1]
