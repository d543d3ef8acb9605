"""Replaying a finding from its file: the same run again, and whether it is the same."""

import hashlib
from dataclasses import dataclass

from robotape_harness.campaign.baseline import take_baseline, told
from robotape_harness.campaign.store import FindingRecord, FindingStoreError, line_hashes
from robotape_harness.campaign.strike import strike
from robotape_harness.faults.inject import Struck
from robotape_harness.oracles import Verdict, judge
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.trial import Limits, Trial

__all__ = ["ReplayError", "ReplayOutcome", "replay"]


class ReplayError(FindingStoreError):
    """A finding cannot be replayed, because its scenario does not pass without faults any more.

    Attributes:
        trouble: What is wrong with the fault-free run.
    """

    def __init__(self, id: str, trouble: str) -> None:
        self.trouble = trouble
        super().__init__(f"finding {id} cannot be replayed: {trouble}")


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

    Args:
        record: Of the finding.
        scenario: The one it was found in, as it is now.
        limits: Those of the campaign that found it; None derives them as the campaign does.

    Raises:
        ReplayError: The scenario's fault-free run fails, or differs from itself.
    """
    baseline = take_baseline(scenario, seed=record.case.seed, limits=limits)
    if baseline.trouble:
        raise ReplayError(record.id, baseline.trouble)
    evidence = strike(scenario, record.case, baseline.trial, limits=limits)
    tape = evidence.trial.tape
    identical = hashlib.sha256(tape.to_bytes()).hexdigest() == record.tape_sha256
    return ReplayOutcome(
        trial=evidence.trial,
        baseline=baseline.trial,
        identical=identical,
        struck=evidence.struck,
        verdicts=judge(evidence).verdicts,
        first_difference="" if identical else _first_difference(record, evidence.trial),
    )


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
