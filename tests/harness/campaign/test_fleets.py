"""Laws of striking a fleet: two runs that differ in the outage alone."""

from robotape_harness.campaign.fleets import strike_fleet
from robotape_harness.faults.fleet import Fleet
from robotape_harness.faults.provider import Outage
from robotape_harness.oracles import judge
from robotape_harness.simulation.trial import Limits
from tests.harness.oracles.planted import doing, pay_42, paying_with_key

FLEET = Fleet(scenario=doing(pay_42, paying_with_key()), outage=Outage(at=0.0, seconds=5.0))


def test_the_outage_strikes_one_run_and_not_the_other() -> None:
    evidence = strike_fleet(FLEET)
    [struck] = evidence.struck
    assert len(struck.attempts) >= FLEET.size
    assert len(evidence.calls[0].attempts) > 1
    assert len(evidence.usual_calls[0].attempts) == 1


def test_same_seed_same_evidence() -> None:
    one, other, another = (strike_fleet(FLEET, seed=seed) for seed in (3, 3, 4))
    assert one.tape.to_bytes() == other.tape.to_bytes() != another.tape.to_bytes()
    assert one.struck == other.struck
    assert judge(one) == judge(other)


def test_a_fleet_keeps_to_its_limits() -> None:
    assert strike_fleet(FLEET, limits=Limits(calls=10)).trial.ending == "hung"
