"""Laws of evidence: what a run does not tell makes an answer inconclusive, never sound."""

import pytest

from robotape_harness.oracles import IDS, judge
from robotape_harness.oracles.verdict import Evidence, MissingEvidence
from robotape_harness.simulation.trial import simulate
from tests.harness.oracles.planted import doing, pay_42, paying, under

TRIAL = simulate(doing(pay_42, paying()))


def test_a_simulated_run_tells_everything() -> None:
    evidence = Evidence(trial=TRIAL, baseline=TRIAL)
    assert evidence.ended is evidence.fault_free is TRIAL
    assert evidence.ledger is TRIAL.ledger
    assert evidence.faults == ()
    assert len(evidence.calls) == len(evidence.usual_calls) == 1
    assert judge(evidence).inconclusive == ()


@pytest.mark.parametrize("missing", ["ledger", "fault_free", "ended", "faults", "usual_calls"])
def test_a_tape_alone_tells_less_and_says_so(missing: str) -> None:
    evidence = Evidence.of_tape(TRIAL.tape)
    assert len(evidence.calls) == 1
    with pytest.raises(MissingEvidence):
        getattr(evidence, missing)


def test_what_is_inconclusive_has_a_reason_and_no_verdict() -> None:
    judgement = judge(Evidence.of_tape(TRIAL.tape))
    asked = {oracle for oracle, _ in judgement.inconclusive}
    assert judgement.verdicts == ()
    assert asked < set(IDS)
    assert {"duplicate_side_effect", "wrong_result", "hang", "leak", "vacuous"} <= asked
    assert all(why for _, why in judgement.inconclusive)


def test_control_what_a_tape_does_tell_is_judged() -> None:
    judged = set(IDS) - {oracle for oracle, _ in judge(Evidence.of_tape(TRIAL.tape)).inconclusive}
    assert {"no_backoff", "no_cap", "retry_after_violated", "partial_accepted"} <= judged


def test_a_ledger_and_a_fault_free_run_make_more_of_it() -> None:
    less = judge(Evidence.of_tape(TRIAL.tape)).inconclusive
    more = judge(Evidence.of_tape(TRIAL.tape, ledger=TRIAL.ledger, baseline=TRIAL)).inconclusive
    assert set(dict(more)) < set(dict(less))
    assert "duplicate_side_effect" not in dict(more)


def test_a_call_is_named_by_its_site_where_it_has_one() -> None:
    evidence = under(doing(pay_42, paying()), "error")
    [call] = evidence.calls
    assert evidence.name(call) == "tool:pay#1"
    assert Evidence(trial=TRIAL).name(call) == "doer/tool:pay[0]"
