"""Laws of workers: their number changes nothing but the time; a death costs one case."""

import multiprocessing
import os
from collections.abc import Iterator

import pytest

from robotape_harness.campaign.outcome import Outcome
from robotape_harness.campaign.proposal import Proposal
from robotape_harness.campaign.workers import (
    Alone,
    Workers,
    WorkersUnavailable,
    check_workers,
)
from robotape_harness.faults.case import Case

PROPOSALS = [Proposal(Case(seed=number)) for number in range(100)]


def named(proposal: Proposal) -> Outcome:
    return Outcome(state="recovered", trouble=str(proposal.case.seed))


def numbers(outcomes: Iterator[Outcome]) -> list[str]:
    return [outcome.trouble for outcome in outcomes]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_outcomes_come_in_the_order_of_the_cases(count: int) -> None:
    alone = numbers(Alone(named).outcomes(PROPOSALS))
    with Workers(named, count) as crew:
        assert numbers(crew.outcomes(PROPOSALS)) == alone == [str(n) for n in range(100)]
        assert numbers(crew.outcomes(PROPOSALS[:3])) == alone[:3]
        assert numbers(crew.outcomes([])) == []


def test_workers_are_processes_of_their_own_and_all_of_them_work() -> None:
    def where(_: Proposal) -> Outcome:
        return Outcome(state="recovered", trouble=str(os.getpid()))

    with Workers(where, 2) as crew:
        pids = set(numbers(crew.outcomes(PROPOSALS)))
    assert len(pids) == 2
    assert str(os.getpid()) not in pids


def test_a_worker_that_dies_takes_down_its_case_and_no_other() -> None:
    def dying(proposal: Proposal) -> Outcome:
        if proposal.case.seed in {5, 50}:
            os._exit(3)
        return named(proposal)

    with Workers(dying, 2) as crew:
        outcomes = list(crew.outcomes(PROPOSALS))
    lost = [n for n, outcome in enumerate(outcomes) if outcome.state == "unjudged"]
    assert lost == [5, 50]
    assert outcomes[5].trouble == "the process that ran it ended with exit code 3"
    assert [o.trouble for n, o in enumerate(outcomes) if n not in lost] == [
        str(n) for n in range(100) if n not in lost
    ]


def test_an_agent_that_presses_ctrl_c_does_so_in_the_parent_in_its_turn() -> None:
    def pressing(proposal: Proposal) -> Outcome:
        if proposal.case.seed == 7:
            raise KeyboardInterrupt
        return named(proposal)

    with Workers(pressing, 2) as crew:
        outcomes = crew.outcomes(PROPOSALS)
        assert [next(outcomes).trouble for _ in range(7)] == [str(n) for n in range(7)]
        with pytest.raises(KeyboardInterrupt):
            next(outcomes)


def test_nobody_is_left_when_the_block_is_left_in_the_middle() -> None:
    with Workers(named, 2) as crew:
        next(crew.outcomes(PROPOSALS))
        assert multiprocessing.active_children()
    assert not multiprocessing.active_children()


def test_bad_numbers_and_systems_without_fork_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ValueError, match="workers must be >= 1, got 0"):
        check_workers(0)
    check_workers(2)
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    check_workers(1)
    with pytest.raises(WorkersUnavailable, match="cannot fork"):
        check_workers(2)
