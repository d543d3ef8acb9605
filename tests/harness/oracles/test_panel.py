"""Laws of judging with all oracles: one bug has one name, and waivers hide nothing else."""

import json

from robotape_harness.oracles import ALL, IDS, Evidence, judge
from robotape_harness.oracles.panel import EXPLAINS
from robotape_harness.simulation.trial import simulate
from tests.harness.oracles.planted import doing, pay_42, paying, paying_with_key, under

NAIVE = under(doing(pay_42, paying()), "error", "after_commit")


def test_every_oracle_has_its_own_id_and_a_docstring_with_a_source() -> None:
    assert len(set(IDS)) == len(ALL) == 9
    for oracle in ALL:
        assert "Source:" in (oracle.__doc__ or "")


def test_explanations_name_oracles_that_there_are() -> None:
    assert {*EXPLAINS, *(name for names in EXPLAINS.values() for name in names)} <= set(IDS)
    assert all(name not in explained for name, explained in EXPLAINS.items())


def test_a_duplicate_is_not_reported_as_a_wrong_result_as_well() -> None:
    assert NAIVE.trial.outcome != NAIVE.baseline.outcome
    assert [verdict.oracle for verdict in judge(NAIVE).verdicts] == ["duplicate_side_effect"]


def test_a_waiver_sets_aside_with_its_reason_and_brings_nothing_else_back() -> None:
    judgement = judge(NAIVE, {"duplicate_side_effect": "the service forgives"})
    assert judgement.verdicts == ()
    [(verdict, reason)] = judgement.waived
    assert (verdict.oracle, reason) == ("duplicate_side_effect", "the service forgives")


def test_a_waiver_of_another_oracle_changes_nothing() -> None:
    assert judge(NAIVE, {"hang": "why not"}) == judge(NAIVE)


def test_judging_is_a_pure_function_of_the_run() -> None:
    before = NAIVE.trial.tape.to_bytes(), json.dumps(NAIVE.trial.ledger.totals())
    assert judge(NAIVE) == judge(NAIVE)
    assert before == (NAIVE.trial.tape.to_bytes(), json.dumps(NAIVE.trial.ledger.totals()))


def test_control_a_sound_agent_and_a_fault_free_run_are_not_accused() -> None:
    sound = under(doing(pay_42, paying_with_key()), "error", "after_commit")
    assert judge(sound).verdicts == ()
    trial = simulate(doing(pay_42, paying()))
    assert judge(Evidence(trial=trial, baseline=trial)).verdicts == ()
