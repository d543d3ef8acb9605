"""Replaying a finding from its file: the same run again, and whether it is the same."""

import hashlib
from dataclasses import dataclass, replace
from typing import get_args

from robotape.errors import RobotapeError
from robotape_harness.campaign.baseline import take_baseline, told
from robotape_harness.campaign.record import FindingRecord, line_hashes
from robotape_harness.campaign.store import FindingStoreError
from robotape_harness.campaign.strike import strike
from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Boundary, sites_of
from robotape_harness.faults.inject import Struck
from robotape_harness.oracles import Evidence, Verdict, judge
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.choices import Choices
from robotape_harness.simulation.trial import Limits, Trial

__all__ = ["CALLS", "ReplayError", "ReplayOutcome", "UnknownCase", "replay", "run_known"]

VACUOUS = "vacuous"
CALLS = frozenset(get_args(Boundary)) - {"run"}
"""Boundaries whose sites are calls of the fault-free run."""

_ANEW = "the code changed since: check the scenario anew, and drop this finding"


class ReplayError(FindingStoreError):
    """A finding cannot be replayed: without faults its scenario does not pass, or its case is gone.

    Attributes:
        trouble: What is wrong with the fault-free run, or what there is no more.
    """

    def __init__(self, id: str, trouble: str) -> None:
        self.trouble = trouble
        super().__init__(f"finding {id} cannot be replayed: {trouble}")


class UnknownCase(RobotapeError):
    """A case names a fault or a call that there is no more; the message says which there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOutcome:
    """What replaying a finding gave.

    Attributes:
        trial: The run made now.
        baseline: The fault-free run made now.
        identical: Whether its tape is the recorded one, byte for byte.
        struck: The faults, and which attempts they met now.
        verdicts: What the oracles say now, worst first, waivers not applied; none if the bug
            is repaired.
        first_difference: Which step is the first to differ; empty if `identical`.
    """

    trial: Trial
    baseline: Trial
    identical: bool
    struck: tuple[Struck, ...]
    verdicts: tuple[Verdict, ...]
    first_difference: str


def replay(
    record: FindingRecord, scenario: Scenario, *, limits: Limits | None = None
) -> ReplayOutcome:
    """Make a finding's run again: same seed, same faults, same choices.

    Where the run asks for other decisions than were recorded, it goes on with those that still
    fit, and is not identical.

    Args:
        record: Of the finding.
        scenario: The one it was found in, as it is now.
        limits: Those of the campaign that found it; None derives them as the campaign does.

    Raises:
        ReplayError: The scenario's fault-free run fails, or differs from itself; or there is no
            such fault, or no such call, any more.
    """
    baseline = take_baseline(scenario, seed=record.case.seed, limits=limits)
    if baseline.trouble:
        raise ReplayError(record.id, baseline.trouble)
    try:
        evidence, diverged = _as_recorded(record, scenario, baseline.trial, limits)
    except UnknownCase as error:
        raise ReplayError(record.id, str(error)) from error
    trial = evidence.trial
    digest = hashlib.sha256(trial.tape.to_bytes()).hexdigest()
    identical = not diverged and digest == record.tape_sha256
    difference = "" if identical else _first_difference(record, trial)
    met = tuple(each for each in evidence.struck if each.attempts)
    is_about_that = any(verdict.oracle == VACUOUS for verdict in record.verdicts)
    judged = evidence if is_about_that else replace(evidence, struck=met)
    return ReplayOutcome(
        trial=trial,
        baseline=baseline.trial,
        identical=identical,
        struck=evidence.struck,
        verdicts=judge(judged).verdicts,
        first_difference="; ".join(filter(None, [difference, diverged])),
    )


def _as_recorded(
    record: FindingRecord, scenario: Scenario, baseline: Trial, limits: Limits | None
) -> tuple[Evidence, str]:
    """Make the run; where it asks for other decisions, go on with those that still fit.

    Returns:
        The run; and what it asked for instead, or empty.
    """
    evidence = run_known(record.case, scenario, baseline, limits=limits)
    divergence = evidence.trial.choices.divergence
    if divergence is None:
        return evidence, ""
    again = run_known(record.case, scenario, baseline, limits=limits, is_lenient=True)
    return again, str(divergence)


def run_known(
    case: Case,
    scenario: Scenario,
    baseline: Trial,
    *,
    limits: Limits | None = None,
    is_lenient: bool = False,
) -> Evidence:
    """Make the run of a case that was written down, perhaps long ago.

    Args:
        case: As it was written down.
        scenario: As it is now.
        baseline: Its fault-free run under the case's seed.
        limits: What the run may use up; None derives it as the campaign does.
        is_lenient: Whether choices that no longer fit are passed over, and 0 goes for those
            that are not there.

    Raises:
        UnknownCase: The catalogue has no such fault, or the fault-free run no such call.
    """
    choices = Choices.replay(case.choices, lenient=True) if is_lenient and case.choices else None
    try:
        evidence = strike(scenario, case, baseline, choices=choices, limits=limits)
    except ValueError as error:  # the catalogue's
        raise UnknownCase(f"{error}; {_ANEW}") from error
    known = {site.place: site for site in sites_of(baseline.tape)}
    for each in evidence.struck:
        site = each.fault.site
        if not each.attempts and site.place not in known and site.boundary in CALLS:
            made = ", ".join(found.alias for found in known.values()) or "none"
            raise UnknownCase(
                f"there is no call {site.alias} any more: the fault-free run makes none at"
                f" {site.place!r}; its calls are {made}; {_ANEW}"
            )
    return evidence


def _first_difference(record: FindingRecord, trial: Trial) -> str:
    now = line_hashes(trial.tape)
    same = 0
    while same < min(len(now), len(record.steps)) and now[same] == record.steps[same]:
        same += 1
    if same == 0:
        return "the tapes differ from their header on: another seed, or another agent's name"
    index = same - 1  # the header is a line, and no step
    if same == len(now):
        return f"the run now ends at step {index}; the recorded one had {len(record.steps) - 1}"
    step = told(index, trial.tape[index])
    if same == len(record.steps):
        return f"the recorded run ended at step {index}; now it goes on with {step}"
    return f"the first step that differs is now {step}"
