"""Laws of the swarm: a number draws one run, which holds nothing that fails already."""

from robotape_harness.campaign.outcome import Outcome
from robotape_harness.campaign.proposal import fault_key
from robotape_harness.campaign.stages import Known
from robotape_harness.campaign.swarm import MOST, Pool, drawn, pool_of, swarm
from tests.harness.campaign.test_pairs import known_of, lenient, with_ways
from tests.harness.oracles.planted import doing, pay_42, paying

KNOWN = known_of(with_ways(lenient))
POOL = pool_of(KNOWN)


def test_the_same_number_draws_the_same_run() -> None:
    assert [drawn(POOL, 0, n) for n in range(1, 50)] == [drawn(POOL, 0, n) for n in range(1, 50)]


def test_control_another_number_or_seed_draws_another() -> None:
    runs = [drawn(POOL, seed, n) for seed in (0, 1) for n in range(1, 50)]
    keys = [run.key for run in runs if run is not None]
    assert len(keys) > 20
    assert len(set(keys)) > 0.9 * len(keys)


def test_a_run_has_several_faults_at_different_calls_in_their_order() -> None:
    places = list(dict.fromkeys(fault.site.place for fault in POOL.faults))
    for number in range(1, 100):
        run = drawn(POOL, 0, number)
        if run is not None:
            where = [places.index(fault.site.place) for fault in run.case.faults]
            assert where == sorted(set(where))
            assert 2 <= len(where) <= MOST


def test_what_fails_alone_is_not_drawn_from() -> None:
    known = known_of(doing(pay_42, paying()))
    keys = {fault_key(fault) for fault in pool_of(known).faults}
    failing = set().union(*known.failing)
    assert failing
    assert keys.isdisjoint(failing)


def test_what_fails_together_is_not_drawn_again() -> None:
    first = next(run for n in range(1, 100) if (run := drawn(POOL, 0, n)) is not None)
    failing = frozenset({frozenset(map(fault_key, first.case.faults[:2]))})
    number = next(n for n in range(1, 100) if drawn(POOL, 0, n) == first)
    assert drawn(Pool(POOL.faults, failing), 0, number) is None


def test_calls_that_only_a_fault_brings_forth_are_drawn_from() -> None:
    assert "tool:spare#1" in {fault.site.alias for fault in POOL.faults}


def test_about_half_of_the_runs_draw_a_schedule() -> None:
    runs = [run for n in range(1, 200) if (run := drawn(POOL, 0, n)) is not None]
    share = sum(run.order is not None for run in runs) / len(runs)
    assert 0.3 < share < 0.7


def test_a_swarm_ends_where_there_is_nothing_to_draw() -> None:
    empty = Known(0, KNOWN.baseline, KNOWN.plan)
    for fault in KNOWN.plan.faults:
        empty.singles.append((fault, Outcome(state="finding", fired=(True,))))
    assert list(swarm(empty)) == []
