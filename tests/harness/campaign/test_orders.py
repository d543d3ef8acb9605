"""Laws of orders: a number is one schedule, in every process."""

from robotape_harness.campaign.orders import choices_of, schedule_of
from robotape_harness.simulation.trial import simulate
from tests.harness.oracles.planted import doing, pay_42, paying


def drawn(order: int, seed: int) -> list[int]:
    choose = choices_of(order, seed).chooser("schedule:x")
    return [choose(1_000) for _ in range(8)]


def test_the_same_number_is_the_same_schedule() -> None:
    assert drawn(3, 7) == drawn(3, 7)


def test_control_another_number_or_seed_is_another() -> None:
    assert len({tuple(drawn(order, seed)) for order in (1, 2) for seed in (0, 1)}) == 4


def test_the_first_schedules_are_all_kinds_of_the_portfolio() -> None:
    baseline = simulate(doing(pay_42, paying()))
    kinds = [type(schedule_of(order, baseline, 0)).__name__ for order in range(1, 8)]
    assert set(kinds) == {"Uniform", "Sticky", "Pct", "PreemptionBounded"}
    assert kinds == [type(schedule_of(order, baseline, 0)).__name__ for order in range(1, 8)]
