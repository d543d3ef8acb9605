"""Findings and the report of a campaign, as values; files are the store's business."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from robotape_harness.campaign.coverage import Coverage
from robotape_harness.campaign.explain import Explanation
from robotape_harness.campaign.fingerprint import Fingerprint
from robotape_harness.faults.case import Case
from robotape_harness.faults.inject import Struck
from robotape_harness.oracles.verdict import Verdict
from robotape_harness.simulation.trial import Trial

__all__ = [
    "CampaignReport",
    "Confirmation",
    "Coverage",
    "Finding",
    "Shrinkage",
    "Status",
    "finding_id",
    "group",
]

Status = Literal["sound", "findings", "inconclusive", "target_error", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrinkage:
    """What shrinking a case came to.

    Attributes:
        faults: How many the case had before.
        deviations: How many choices of it were not benign before.
        runs: Runs it took.
        is_minimal: Whether the case is 1-minimal: no single step makes it smaller. False if the
            time or the runs ended first.
    """

    faults: int
    deviations: int
    runs: int
    is_minimal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What making the run of a finding once more gave.

    Attributes:
        alone: Whether it was made in a process of its own, its target opened by name.
        difference: Where the two runs part, in words; empty if they are the same, byte for byte.
        note: Why it was not made in a process of its own; empty if it was.
    """

    alone: bool
    difference: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One case in which a run went wrong.

    Attributes:
        id: 10 hexadecimal digits, a function of scenario name, case and oracle ids.
        scenario: Its name.
        case: What set the run apart: seed, faults, choices.
        struck: Its faults, and which attempts they met.
        verdicts: What is wrong, worst first; never empty.
        trial: The failing run.
        digest: SHA-256 of the failing run's tape, bytes and all.
        fingerprint: Which bug it is; None where nobody has read it off.
        shrunk: What shrinking came to; None if the case is as it was found.
        explanation: What makes the case pass, and the nearest run that does; None if nobody asked.
        confirmed: Whether the run can be made again; None if nobody tried.
    """

    id: str
    scenario: str
    case: Case
    struck: tuple[Struck, ...]
    verdicts: tuple[Verdict, ...]
    trial: Trial = field(repr=False)
    digest: str
    fingerprint: Fingerprint | None = None
    shrunk: Shrinkage | None = None
    explanation: Explanation | None = field(default=None, repr=False)
    confirmed: Confirmation | None = None

    def __str__(self) -> str:
        return f"{self.id}  {self.case}: {self.verdicts[0].why}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CampaignReport:
    """What a campaign found.

    Attributes:
        scenario: Its name; `scenario` where it has none.
        seed: Of every run.
        status: `sound`: nothing found and all tried. `findings`. `inconclusive`: the budget ended
            first, or the thread was blocked. `target_error`: the scenario itself is at fault.
            `interrupted`: Ctrl-C.
        baseline: The fault-free run; None if there was none.
        findings: Worst first; ties in the order of the baseline's calls.
        coverage: What was tried; None before the baseline had passed.
        runs: Simulated runs made, the fault-free ones and the repetition of findings included.
        message: For `inconclusive` and `target_error`: why, and what to do next, in prose (the
            steps that led there are on the baseline's tape); elsewhere empty, or what else has to
            be known.
        waived: Verdicts a waiver set aside: (fault, oracle, reason).
    """

    scenario: str
    seed: int
    status: Status
    baseline: Trial | None
    findings: tuple[Finding, ...]
    coverage: Coverage | None
    runs: int
    message: str = ""
    waived: tuple[tuple[str, str, str], ...] = ()

    def __repr__(self) -> str:
        """What a failed `assert report.status == "sound"` has to show: a line for each bug."""
        bugs = [str(alike[0]) for alike in group(self.findings)]
        head = f"{self.scenario}: {self.status}, {self.runs} runs"
        return "\n  ".join(filter(None, [head, self.message, *bugs]))


def finding_id(scenario: str, case: Case, oracles: Iterable[str]) -> str:
    """Name a finding: the same bug in the same case has the same name in every process.

    Args:
        scenario: Its name.
        case: What set the run apart.
        oracles: Ids of those that accuse, in any order.

    Returns:
        10 hexadecimal digits.
    """
    faults = [[str(fault), fault.params] for fault in case.faults]
    parts = [scenario, case.seed, faults, case.choices, sorted(set(oracles))]
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=5).hexdigest()


def group(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Put together what is one bug: the same fingerprint, or the same oracles at the same site.

    Args:
        findings: As the report has them, worst first.

    Returns:
        Groups in the order of their first finding; in each first the one that was shrunk, then
        the simplest fault: once before for ever, then as given.
    """
    groups: dict[object, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.fingerprint or _likeness(finding), []).append(finding)
    return [sorted(same, key=_simplest_first) for same in groups.values()]


def _likeness(finding: Finding) -> object:
    oracles = tuple(sorted({verdict.oracle for verdict in finding.verdicts}))
    return oracles, tuple(fault.site.alias for fault in finding.case.faults)


def _simplest_first(finding: Finding) -> tuple[bool, bool]:
    return finding.shrunk is None, finding.case.is_lasting
