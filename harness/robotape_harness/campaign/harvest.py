"""The harvest: makes findings of outcomes. Each is run once more here, and must go the same way."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from robotape_harness.campaign.baseline import first_difference
from robotape_harness.campaign.examine import Examiner
from robotape_harness.campaign.findings import Finding, finding_id
from robotape_harness.campaign.outcome import Outcome
from robotape_harness.campaign.proposal import Proposal
from robotape_harness.faults.case import Case
from robotape_harness.oracles import Evidence
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.trial import Limits, Trial

__all__ = ["Harvest", "Refine"]

NOT_REPRODUCED = "a second run of the same case went another way"
MISSED = "its first run left another tape than this one"
# Stages in which a bug that is known already is counted, and not reported again.
BY_BUG = frozenset({"schedules", "swarm"})
BY_BUG_AND_SITES = frozenset({"pairs"})


class Refine(Protocol):
    """Makes findings smaller, or surer."""

    def __call__(
        self,
        scenario: Scenario,
        findings: Sequence[Finding],
        baseline: Trial,
        *,
        limits: Limits | None = None,
    ) -> tuple[Finding, ...]:
        """Do so.

        Args:
            scenario: Where they were found.
            findings: The worst first, all under the baseline's seed.
            baseline: The fault-free run.
            limits: What each run may use up; None as the campaign has it.
        """
        ...


class Harvest:
    """The findings of one campaign.

    Attributes:
        runs: How many runs were made again.
        messages: What is to be known of findings that went another way.
    """

    def __init__(self, scenario: str, examiner: Examiner) -> None:
        """Begin empty.

        Args:
            scenario: Its name.
            examiner: Makes the runs again.
        """
        self._scenario = scenario
        self._examiner = examiner
        self._found: dict[str, Finding] = {}
        self._bugs: set[tuple[object, ...]] = set()
        self.runs = 0
        self.messages: list[str] = []

    def take(self, stage: str, proposal: Proposal, outcome: Outcome) -> None:
        """Make a finding of a case, unless it shows what another one shows already."""
        case = _effective(proposal.case, outcome)
        oracles = [verdict.oracle for verdict in outcome.verdicts]
        id = finding_id(self._scenario, case, oracles)
        if id in self._found:  # an old one, which has its place where it was found anew
            self._found[id] = self._found.pop(id)
            return
        if self._is_known(stage, case, outcome):
            return
        self._found[id] = self._made(id, case, outcome)

    def findings(self) -> tuple[Finding, ...]:
        """All findings, worst first."""
        return tuple(sorted(self._found.values(), key=lambda found: -found.verdicts[0].harm))

    def _is_known(self, stage: str, case: Case, outcome: Outcome) -> bool:
        sites = tuple(fault.site.alias for fault in case.faults)
        keys: set[tuple[object, ...]] = {outcome.bugs, (outcome.bugs, sites)}
        known = (stage in BY_BUG and outcome.bugs in self._bugs) or (
            stage in BY_BUG_AND_SITES and (outcome.bugs, sites) in self._bugs
        )
        self._bugs |= keys
        return known

    def _made(self, id: str, case: Case, outcome: Outcome) -> Finding:
        """A finding, once the same run was made again."""
        evidence = self._again(case)
        trial = evidence.trial
        digest = hashlib.sha256(trial.tape.to_bytes()).hexdigest()
        verdicts = outcome.verdicts
        if digest != outcome.digest:
            difference = first_difference(trial, self._again(case).trial) or MISSED
            self.messages.append(f"finding {id}: {NOT_REPRODUCED}: {difference}")
            verdicts = tuple(
                replace(verdict, why=f"{verdict.why} ({NOT_REPRODUCED})") for verdict in verdicts
            )
        return Finding(
            id=id,
            scenario=self._scenario,
            case=case,
            struck=evidence.struck,
            verdicts=verdicts,
            trial=trial,
            digest=digest,
        )

    def _again(self, case: Case) -> Evidence:
        self.runs += 1
        return self._examiner.evidence(case)


def _effective(case: Case, outcome: Outcome) -> Case:
    """A case without the faults that struck nothing, and with the schedule that was drawn."""
    fired = tuple(f for f, hit in zip(case.faults, outcome.fired, strict=True) if hit)
    choices = case.choices if outcome.choices is None else outcome.choices
    return replace(case, faults=fired or case.faults, choices=choices)
