"""A campaign's report for programs: one JSON document.

Guarantee: canonical, and a function of the report alone: no instant of the wall clock, no
path of this machine, no version; the same seed gives the same bytes.
"""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from robotape_harness.campaign.findings import CampaignReport, Coverage, Finding
from robotape_harness.faults.fault import Fault
from robotape_harness.oracles.verdict import Verdict
from robotape_harness.simulation.trial import Trial

__all__ = ["FORMAT", "document", "dumps", "trial_document", "verdict_document"]

FORMAT = 3
"""Number of the document's format; it changes when a reader would have to."""


def dumps(report: CampaignReport) -> str:
    """The report as JSON text: sorted keys, two blanks of indentation, a final line break."""
    return json.dumps(document(report), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def document(report: CampaignReport) -> dict[str, Any]:
    """The report in dicts, lists and scalars.

    Args:
        report: Of a campaign that has ended, in whatever way.
    """
    return {
        "robotape_report": FORMAT,
        "scenario": report.scenario,
        "seed": report.seed,
        "status": report.status,
        "message": report.message,
        "runs": report.runs,
        "baseline": None if report.baseline is None else trial_document(report.baseline),
        "findings": [_finding(finding) for finding in report.findings],
        "coverage": None if report.coverage is None else _coverage(report.coverage),
        "waived": [
            {"fault": fault, "oracle": oracle, "reason": reason}
            for fault, oracle, reason in report.waived
        ],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "faults": [_fault(fault) for fault in finding.case.faults],
        "verdicts": [verdict_document(verdict) for verdict in finding.verdicts],
        "run": trial_document(finding.trial),
    }


def _fault(fault: Fault) -> dict[str, Any]:
    return {
        "kind": fault.kind,
        "site": fault.site.alias,
        "phase": fault.phase,
        "mode": fault.mode,
        "params": fault.params,
        "when": asdict(fault.when),
    }


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """One accusation, in dicts, lists and scalars."""
    return {
        "oracle": verdict.oracle,
        "harm": verdict.harm,
        "why": verdict.why,
        "steps": list(verdict.steps),
    }


def trial_document(trial: Trial) -> dict[str, Any]:
    """What a run came to, its tape as a hash."""
    return {
        "ending": trial.ending,
        "error": None if trial.error is None else type(trial.error).__name__,
        "outcome": json.loads(trial.outcome) if trial.outcome else None,
        "effects": trial.ledger.totals(),
        "virtual_seconds": trial.seconds,
        "tape_sha256": hashlib.sha256(trial.tape.to_bytes()).hexdigest(),
        "tape_steps": len(trial.tape),
    }


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "possible": coverage.possible,
        "tried": coverage.tried,
        "impossible": [{"fault": fault, "why": why} for fault, why in coverage.impossible],
        "by_site": coverage.by_site,
        "outcomes": coverage.outcomes,
        "stages": [
            {
                "name": stage.name,
                "tried": stage.tried,
                "possible": stage.possible,
                "findings": stage.findings,
                "left_out": stage.left_out,
            }
            for stage in coverage.stages
        ],
        "vacuous": list(coverage.vacuous),
        "retried": list(coverage.retried),
        "revealed": list(coverage.revealed),
        "effects": coverage.effects,
        "refused": coverage.refused,
        "orders": None if coverage.orders is None else asdict(coverage.orders),
    }
