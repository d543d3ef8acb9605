"""Laws of the oracle of coverage: faults that never happen prove nothing."""

from dataclasses import replace

import pytest

from robotape_harness.faults.fault import Fault, Mode, Site
from robotape_harness.faults.inject import Struck
from robotape_harness.oracles.coverage import vacuous
from robotape_harness.oracles.verdict import Evidence
from robotape_harness.simulation.trial import simulate
from tests.harness.oracles.planted import accused, doing, names, pay_42, paying, under

NOWHERE = Site("tool", "tool:pay#2", "doer/tool:pay[1]")
MISSED = Struck(Fault("error", NOWHERE, "before_commit", "once"), transient=True)


def test_a_fault_that_never_happens_is_accused_alone() -> None:
    scenario = doing(pay_42, paying())
    trial = simulate(scenario)
    evidence = Evidence(trial=trial, baseline=trial, struck=(MISSED,))
    [verdict] = accused(vacuous, evidence)
    assert verdict.harm == 1
    assert "error before commit at tool:pay#2, once never happened" in verdict.why
    assert names(evidence) == ["vacuous"]


def test_control_a_fault_that_happened_and_a_run_without_one_are_not_vacuous() -> None:
    scenario = doing(pay_42, paying())
    assert not accused(vacuous, under(scenario, "error"))
    trial = simulate(scenario)
    assert not vacuous(Evidence(trial=trial, baseline=trial))


@pytest.mark.parametrize(("mode", "expected"), [("once", 1), ("forever", 0)])
def test_a_run_that_another_fault_ended_early_has_an_excuse(mode: Mode, expected: int) -> None:
    evidence = under(doing(pay_42, paying()), "error", "before_commit", mode)
    both = replace(evidence, struck=(*evidence.struck, MISSED))
    assert len(accused(vacuous, both)) == expected


def test_a_fault_that_missed_does_not_hide_what_another_one_did() -> None:
    evidence = under(doing(pay_42, paying()), "error", "after_commit")
    both = replace(evidence, struck=(*evidence.struck, MISSED))
    assert names(both) == ["duplicate_side_effect", "vacuous"]
