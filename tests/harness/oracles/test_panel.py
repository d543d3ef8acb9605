"""Laws of judging with all oracles: one bug has one name, and waivers hide nothing else."""

import json
from dataclasses import replace
from typing import Any

import pytest

from robotape_harness.oracles import ALL, IDS, Evidence, Verdict, ids_with, judge
from robotape_harness.oracles.panel import EXPLAINS
from robotape_harness.scenario import ScenarioError
from robotape_harness.simulation.trial import simulate
from tests.harness.oracles.planted import doing, pay_42, paying, paying_with_key, under

NAIVE = under(doing(pay_42, paying()), "error", "after_commit")


def test_every_oracle_has_its_own_id_and_a_docstring_with_a_source() -> None:
    assert len(set(IDS)) == len(ALL) == 26
    for oracle in ALL:
        assert "Source:" in (oracle.__doc__ or "")


def test_explanations_name_oracles_that_there_are() -> None:
    assert {*EXPLAINS, *(name for names in EXPLAINS.values() for name in names)} <= set(IDS)
    assert all(name not in explained for name, explained in EXPLAINS.items())


def test_a_duplicate_is_not_reported_as_a_wrong_result_as_well() -> None:
    assert NAIVE.trial.outcome != NAIVE.fault_free.outcome
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


# -- a scenario's own oracles


def with_own(oracle: Any) -> Evidence:
    return replace(NAIVE, oracles=(oracle,))


def paid_in_full(evidence: Evidence) -> list[Any]:
    """More than one payment is one too many."""
    number = len(evidence.ledger)
    return [f"{number} payments"] if number != 1 else []


def test_a_scenarios_own_oracle_accuses_under_its_name() -> None:
    own, other = (verdict for verdict in judge(with_own(paid_in_full)).verdicts[::-1])
    assert (own.oracle, own.harm, own.why) == ("paid_in_full", 3, "2 payments")
    assert other.oracle == "duplicate_side_effect"


def test_it_can_be_waived_and_a_verdict_of_its_own_keeps_its_harm() -> None:
    def graded(_: Evidence) -> Verdict:
        return Verdict("another name", 1, "so so", (0,))

    judgement = judge(with_own(graded), {"graded": "it is only me"})
    [(verdict, _)] = judgement.waived
    assert verdict == Verdict("graded", 1, "so so", (0,))


@pytest.mark.parametrize("said", [None, "", (), []])
def test_control_an_oracle_that_says_nothing_accuses_of_nothing(said: Any) -> None:
    def silent(_: Evidence) -> Any:
        return said

    assert judge(with_own(silent)) == judge(NAIVE)


@pytest.mark.parametrize("said", [True, [1], {"why": "no"}])
def test_an_oracle_that_gives_something_else_is_the_scenarios_fault(said: Any) -> None:
    def odd(_: Evidence) -> Any:
        return said

    with pytest.raises(ScenarioError, match="the oracle odd gave a "):
        judge(with_own(odd))


def test_an_oracle_that_fails_is_the_scenarios_fault() -> None:
    def broken(_: Evidence) -> Any:
        return 1 / 0

    with pytest.raises(ScenarioError, match="the oracle broken failed: ZeroDivisionError"):
        judge(with_own(broken))


def test_an_oracle_of_its_own_without_its_evidence_is_inconclusive() -> None:
    judgement = judge(Evidence.of_tape(NAIVE.tape, oracles=(paid_in_full,)))
    assert ("paid_in_full", "no effect ledger was kept") in judgement.inconclusive
    assert not judge(with_own(paid_in_full)).inconclusive


def test_a_name_that_is_taken_is_refused() -> None:
    def hang(_: Evidence) -> None:
        return None

    assert ids_with([paid_in_full]) == (*IDS, "paid_in_full")
    with pytest.raises(ScenarioError, match="an oracle called hang already"):
        ids_with([hang])
