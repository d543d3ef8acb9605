"""Several faults in one run, and faults that choose their moment: who meets what, exactly."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from robotape import Tool
from robotape_harness.campaign.strike import strike
from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Fault, Site, sites_of
from robotape_harness.faults.when import When
from robotape_harness.oracles import Evidence
from robotape_harness.scenario import Scenario
from robotape_harness.simulation import Choices
from robotape_harness.simulation.trial import Trial, simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, doing, pay_42, paying_with_key

PAYING = doing(pay_42, paying_with_key())
PAY = Site("tool", "tool:pay#1", "doer/tool:pay[0]", is_keyed=True)
ANY = Site("tool", "tool:pay")
ERROR = Fault("error", PAY, "before_commit", "once")
LOST = replace(ERROR, phase="after_commit")


def under(
    faults: Sequence[Fault], scenario: Scenario = PAYING, choices: Choices | None = None
) -> Evidence:
    baseline = simulate(scenario)
    assert baseline.ending == "answered", baseline.error
    return strike(scenario, Case(faults=tuple(faults)), baseline, choices=choices)


def met(evidence: Evidence) -> list[list[int]]:
    """Fault by fault, the attempts of the one call."""
    return [[attempt for _, attempt in struck.attempts] for struck in evidence.struck]


def commits(trial: Trial) -> int:
    return len(trial.ledger)


# -- several


def test_the_outermost_strikes_first_and_the_next_once_a_later_attempt() -> None:
    evidence = under([ERROR, LOST])
    assert met(evidence) == [[1], [2]]
    assert [struck.fault for struck in evidence.struck] == [ERROR, LOST]
    assert evidence.trial.ending == "answered"
    assert met(under([LOST, ERROR])) == [[2], [1]]  # within LOST the body never returned


def test_the_order_decides_who_sees_an_attempt_first() -> None:
    late = Fault("delay", PAY, "before_commit", "once", {"seconds": 5.0})
    assert met(under([late, ERROR])) == [[1], [1]]
    assert met(under([ERROR, late])) == [[1], [2]]
    assert under([late, ERROR]).trial.seconds >= 5.0


def test_two_of_a_kind_strike_two_attempts() -> None:
    assert met(under([ERROR, ERROR])) == [[1], [2]]


def test_once_and_for_ever_at_one_site() -> None:
    forever = replace(ERROR, mode="forever")
    assert met(under([LOST, forever])) == [[], [1, 2, 3, 4]]
    once_first = under([ERROR, replace(LOST, mode="forever")])
    assert met(once_first) == [[1], [2, 3, 4]]
    assert commits(once_first.trial) == 1  # the key


def test_faults_at_two_sites_meet_their_own_calls() -> None:
    async def look(order: str) -> str:
        """Look."""
        return order

    async def both(doer: Doer, _: World) -> str:
        await doer.call("look", order="42")
        return str(await doer.call("pay", order="42"))

    scenario = doing(both, Tool(look), paying_with_key())
    looking, paying = sites_of(simulate(scenario).tape)
    evidence = under([replace(ERROR, site=paying), replace(ERROR, site=looking)], scenario)
    assert [struck.attempts for struck in evidence.struck] == [
        ((paying.place, 1),),
        ((looking.place, 1),),
    ]


def test_a_second_delivery_meets_the_faults_further_in() -> None:
    twice = Fault("repeat", PAY, "duplicate_delivery", "once")
    slow = Fault("delay", PAY, "before_commit", "forever", {"seconds": 3.0})
    evidence = under([twice, slow])
    assert met(evidence) == [[1], [1, 1]]
    assert met(under([slow, twice])) == [[1], [1]]


def test_no_fault_composes_with_all() -> None:
    evidence = under([])
    assert (evidence.struck, evidence.trial.outcome) == ((), evidence.fault_free.outcome)


# -- which attempt


@pytest.mark.parametrize(
    ("mode", "when", "expected"),
    [
        ("once", When(), [1]),
        ("forever", When(), [1, 2, 3, 4]),
        ("forever", When(every=2), [1]),  # attempt 2 passes, and that is the end of it
    ],
)
def test_when_decides_among_the_attempts_of_a_call(
    mode: Any, when: When, expected: list[int]
) -> None:
    assert met(under([replace(ERROR, mode=mode, when=when)])) == [expected]


def test_the_nth_counts_attempts_of_every_call_at_the_site() -> None:
    async def thrice(doer: Doer, _: World) -> str:
        for order in ("1", "2", "3"):
            await doer.call("pay", order=order)
        return "paid"

    scenario = doing(thrice, paying_with_key())
    third = replace(ERROR, site=ANY, when=When(nth=3))
    [struck] = under([third], scenario).struck
    assert struck.attempts == (("doer/tool:pay[2]", 1),)
    second_on = replace(third, mode="forever", when=When(nth=2, every=2))
    [struck] = under([second_on], scenario).struck
    assert struck.attempts == (("doer/tool:pay[1]", 1), ("doer/tool:pay[2]", 1))


def test_arguments_choose_the_call() -> None:
    async def pay_both(doer: Doer, _: World) -> str:
        for order in ("41", "42"):
            await doer.call("pay", order=order)
        return "paid"

    scenario = doing(pay_both, paying_with_key())
    chosen = replace(ERROR, site=ANY, when=When(match={"order": "42"}))
    [struck] = under([chosen], scenario).struck
    assert struck.attempts == (("doer/tool:pay[1]", 1),)
    other = replace(chosen, when=When(match={"order": "43"}))
    assert under([other], scenario).struck[0].attempts == ()


def test_a_site_of_a_name_meets_every_call_of_that_name_and_no_other() -> None:
    async def mixed(doer: Doer, _: World) -> str:
        await doer.call("look", order="1")
        await doer.call("pay", order="1")
        await doer.call("pay", order="2")
        return "done"

    async def look(order: str) -> str:
        """Look."""
        return order

    scenario = doing(mixed, Tool(look), paying_with_key())
    late = Fault("delay", ANY, "before_commit", "forever", {"seconds": 1.0})
    [struck] = under([late], scenario).struck
    assert [call_id for call_id, _ in struck.attempts] == ["doer/tool:pay[0]", "doer/tool:pay[1]"]
    assert not ANY.covers("doer/tool:pay[0]")  # an id does not tell


# -- chance


def likely(chance: float, **options: Any) -> Fault:
    return replace(ERROR, when=When(chance=chance, **options))


def test_chance_is_drawn_from_the_choices_under_the_sites_name() -> None:
    evidence = under([likely(0.5)], choices=Choices.seeded(1))
    drawn = [c for c in evidence.trial.choices.recorded if c.label.startswith("fault:")]
    assert {choice.label for choice in drawn} == {"fault:tool:pay#1/error"}
    assert drawn


def test_a_run_whose_choices_are_benign_is_spared() -> None:
    assert met(under([likely(0.999)])) == [[]]


def test_seeds_differ_and_a_recording_strikes_the_same_attempts() -> None:
    runs = [under([likely(0.5)], choices=Choices.seeded(seed)) for seed in range(12)]
    assert {bool(met(run)[0]) for run in runs} == {True, False}
    for run in runs:
        recorded = run.trial.choices.recorded
        again = strike(PAYING, Case(faults=(likely(0.5),), choices=recorded), simulate(PAYING))
        assert met(again) == met(run)
        assert again.trial.tape.to_bytes() == run.trial.tape.to_bytes()


def test_once_with_a_chance_strikes_once_at_any_attempt() -> None:
    forever = replace(likely(0.5), mode="forever")
    counts = [len(met(under([forever], choices=Choices.seeded(s)))[0]) for s in range(12)]
    assert max(counts) > 1
    once = [len(met(under([likely(0.5)], choices=Choices.seeded(s)))[0]) for s in range(12)]
    assert max(once) == 1


def test_what_is_certain_draws_nothing() -> None:
    evidence = under([ERROR])
    assert met(evidence) == [[1]]
    assert not [c for c in evidence.trial.choices.recorded if c.label.startswith("fault:")]
