"""Refining a finding: its case made as small as it goes, and what makes it pass."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from robotape_harness.campaign.baseline import first_difference
from robotape_harness.campaign.budget import Purse
from robotape_harness.campaign.explain import Explanation, explain
from robotape_harness.campaign.findings import Confirmation, Finding, Shrinkage, finding_id
from robotape_harness.campaign.fingerprint import Fingerprint, fingerprints
from robotape_harness.campaign.reductions import deviations
from robotape_harness.campaign.shrink import BUDGET, Held, Shrunk, shrink
from robotape_harness.campaign.strike import limits_for, strike
from robotape_harness.faults.case import Case
from robotape_harness.oracles import Evidence, Verdict, judge
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.choices import Choices
from robotape_harness.simulation.trial import Limits, Trial, simulate

__all__ = ["explained", "fingerprints_of", "refine", "refined", "shows"]

NOT_AGAIN = "the same case, run again, does not fail in this way"


def fingerprints_of(finding: Finding, baseline: Trial) -> tuple[Fingerprint, ...]:
    """All that a finding accuses of, the worst first; it is known if the first of it is known.

    A campaign that has refined a finding knows all of these of the refined one; a later
    finding whose first fingerprint is among them is the same bug.
    """
    evidence = _evidence(finding, baseline)
    return tuple(
        dict.fromkeys(
            mark for verdict in finding.verdicts for mark in fingerprints(evidence, verdict)
        )
    )


def refine(
    scenario: Scenario,
    finding: Finding,
    baseline: Trial,
    *,
    keep: Fingerprint | None = None,
    purse: Purse | None = None,
    limits: Limits | None = None,
) -> Finding:
    """Make a finding's case as small as it goes, make its run again, and explain it.

    Guarantee: what comes out shows the same bug, `fingerprint`; its run has been made twice, or
    `confirmed` says where the second one went another way. A finding that cannot be made again
    comes back with its own case.

    Args:
        scenario: Where it was found, as the campaign ran it: its name and its waivers count.
        finding: As it was found.
        baseline: The fault-free run under the finding's seed.
        keep: Which of its accusations is to stay; None for the worst.
        purse: What this may use up, runs and seconds; None for 5 s.
        limits: What each run may use up; None as the campaign has it.
    """
    keep = keep or fingerprints_of(finding, baseline)[0]
    if keep.oracle == "vacuous":  # what never happened cannot be made smaller
        return replace(finding, fingerprint=keep)
    purse = purse or Purse(BUDGET)
    bench = _Bench(scenario, baseline, finding.case.seed, limits)
    shrunk = shrink(finding.case, lambda case: bench.holds(case, keep), purse=purse)
    made = None if shrunk is None else _made(finding, shrunk, bench)
    if made is None or not shows(made, bench.baselines[made.case.seed], keep):
        now = bench.again(finding.case)
        difference = first_difference(finding.trial, now) or NOT_AGAIN
        failed = Confirmation(alone=False, difference=difference)
        return replace(finding, fingerprint=keep, confirmed=failed)
    again = first_difference(made.trial, bench.again(made.case))
    explanation = bench.explained(made, purse)
    confirmed = Confirmation(alone=False, difference=again)
    return replace(made, fingerprint=keep, explanation=explanation, confirmed=confirmed)


def refined(
    scenario: Scenario,
    findings: Iterable[Finding],
    baseline: Trial,
    *,
    limits: Limits | None = None,
) -> tuple[Finding, ...]:
    """Refine the first finding of each bug; the others learn which bug they are.

    This is the one call that a campaign makes when it has ended.

    Args:
        scenario: Where they were found, as the campaign ran it.
        findings: As they were found, the worst first, all under the baseline's seed.
        baseline: The fault-free run.
        limits: What each run may use up; None as the campaign has it.

    Returns:
        As many, in the same order; but none twice, for several cases may shrink to the same.
    """
    known: dict[Fingerprint, Fingerprint] = {}
    done: dict[str, Finding] = {}
    for finding in findings:
        marks = fingerprints_of(finding, baseline)
        bug = known.get(marks[0])
        if bug is not None:
            done.setdefault(finding.id, replace(finding, fingerprint=bug))
            continue
        small = refine(scenario, finding, baseline, limits=limits)
        for mark in (*fingerprints_of(small, baseline), marks[0]):
            known.setdefault(mark, marks[0])
        done[small.id] = small
    return tuple(done.values())


def shows(finding: Finding, baseline: Trial, mark: Fingerprint) -> bool:
    """Whether a finding is one of this bug."""
    return mark in fingerprints_of(finding, baseline)


def explained(
    scenario: Scenario, finding: Finding, baseline: Trial, *, limits: Limits | None = None
) -> Explanation:
    """Explain a finding as it is.

    Args:
        scenario: The one it was found in, as it is now.
        finding: Its case and its run.
        baseline: The fault-free run under its seed.
        limits: What each run may use up; None as the campaign has it.
    """
    bench = _Bench(scenario, baseline, finding.case.seed, limits)
    return bench.explained(finding, Purse(BUDGET))


class _Bench:
    """Where cases of one scenario are run and judged, each against the baseline of its seed."""

    def __init__(
        self, scenario: Scenario, baseline: Trial, seed: int, limits: Limits | None
    ) -> None:
        self.baselines: dict[int, Trial] = {seed: baseline}
        self._scenario = scenario
        self._limits = limits or limits_for(baseline)

    def holds(self, case: Case, keep: Fingerprint) -> Held | None:
        """Run a case; a fault that never happens in it is no part of it."""
        evidence = self._run(case)
        if evidence is None:
            return None
        met = tuple(each.fault for each in evidence.struck if each.attempts)
        if len(met) < len(case.faults):
            fewer = replace(case, faults=met)
            return self.holds(fewer, keep) if met or case.choices is not None else None
        for verdict in judge(evidence, self._scenario.waived).verdicts:
            if keep in fingerprints(evidence, verdict):
                return Held(_as_recorded(case, evidence.trial), _likely(evidence, verdict))
        return None

    def judged(self, case: Case) -> tuple[Trial, tuple[Verdict, ...]] | None:
        """Run a case and ask the oracles, of what happened alone; None if its run broke off."""
        evidence = self._run(case)
        if evidence is None:
            return None
        met = tuple(each for each in evidence.struck if each.attempts)
        judgement = judge(replace(evidence, struck=met), self._scenario.waived)
        return evidence.trial, judgement.verdicts

    def again(self, case: Case) -> Trial:
        """Make the run of a case as whoever replays it does."""
        return self.evidence(case).trial

    def evidence(self, case: Case, *, choices: Choices | None = None) -> Evidence:
        """Run a case against the baseline of its seed."""
        baseline = self._baseline(case.seed)
        return strike(self._scenario, case, baseline, choices=choices, limits=self._limits)

    def verdicts(self, evidence: Evidence) -> tuple[Verdict, ...]:
        """Who accuses, waivers applied."""
        return judge(evidence, self._scenario.waived).verdicts

    def explained(self, finding: Finding, purse: Purse) -> Explanation:
        """What makes a finding's case pass."""
        baseline = self._baseline(finding.case.seed)
        return explain(finding.case, finding.trial, baseline, self.judged, purse=purse)

    def _run(self, case: Case) -> Evidence | None:
        """Run a case whose choices may have been cut; None if the run broke off."""
        if self._baseline(case.seed).ending != "answered":
            return None
        recorded = case.choices
        lenient = None if recorded is None else Choices.replay(recorded, lenient=True)
        evidence = self.evidence(case, choices=lenient)
        broken_off = evidence.trial.ending in {"blocked", "target_error"}
        return None if broken_off else evidence

    def _baseline(self, seed: int) -> Trial:
        if seed not in self.baselines:
            self.baselines[seed] = simulate(self._scenario, seed=seed, limits=self._limits)
        return self.baselines[seed]


def _made(finding: Finding, shrunk: Shrunk, bench: _Bench) -> Finding | None:
    """The finding of the smaller case; None if that passes when it is replayed."""
    evidence = bench.evidence(shrunk.case)
    verdicts = bench.verdicts(evidence)
    if not verdicts:
        return None
    faults, changed = shrunk.before
    oracles = [verdict.oracle for verdict in verdicts]
    return Finding(
        id=finding_id(finding.scenario, shrunk.case, oracles),
        scenario=finding.scenario,
        case=shrunk.case,
        struck=evidence.struck,
        verdicts=verdicts,
        trial=evidence.trial,
        digest=hashlib.sha256(evidence.trial.tape.to_bytes()).hexdigest(),
        shrunk=Shrinkage(
            faults=faults, deviations=changed, runs=shrunk.runs, is_minimal=shrunk.is_minimal
        ),
    )


def _as_recorded(case: Case, trial: Trial) -> Case:
    """The same case with the choices that its run asked for; None where all of them are benign."""
    recorded = Case(seed=case.seed, faults=case.faults, choices=trial.choices.recorded)
    return recorded if deviations(recorded) else replace(recorded, choices=None)


def _likely(evidence: Evidence, verdict: Verdict) -> tuple[int, ...]:
    """The faults that struck the calls an accusation is about."""
    tape = evidence.trial.tape
    about = {tape[index].call_id for index in verdict.steps if index < len(tape)}
    return tuple(
        index
        for index, each in enumerate(evidence.struck)
        if any(call_id in about for call_id, _ in each.attempts)
    )


def _evidence(finding: Finding, baseline: Trial) -> Evidence:
    return Evidence(trial=finding.trial, baseline=baseline, struck=finding.struck)
