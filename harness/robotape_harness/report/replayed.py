"""What replaying a finding gave, for people and for programs."""

import hashlib
import json

from robotape_harness.campaign.findings import Finding
from robotape_harness.campaign.rerun import ReplayOutcome
from robotape_harness.campaign.store import FindingRecord
from robotape_harness.report.document import FORMAT, trial_document, verdict_document
from robotape_harness.report.lines import WIDTH, Line, Span, Style, line, wrapped
from robotape_harness.report.page import finding_lines

__all__ = ["fails", "replay_json", "replay_lines"]


def fails(outcome: ReplayOutcome) -> bool:
    """Whether the run still goes wrong."""
    return bool(outcome.verdicts)


def replay_lines(
    record: FindingRecord, outcome: ReplayOutcome, *, width: int = WIDTH
) -> list[Line]:
    """The run as it went now, and how it compares with the recorded one.

    Args:
        record: The finding, as its file has it.
        outcome: Of its replay.
        width: Columns.
    """
    trial = outcome.trial
    finding = Finding(
        id=record.id,
        scenario=record.scenario,
        seed=record.seed,
        fault=record.fault,
        verdicts=outcome.verdicts or record.verdicts,
        trial=trial,
        digest=hashlib.sha256(trial.tape.to_bytes()).hexdigest(),
    )
    head = line(Span(record.scenario, "title"), Span(f"  seed {record.seed}, replayed", "dim"))
    return [head, (), *finding_lines(finding, width=width), (), *_result(record, outcome, width)]


def replay_json(record: FindingRecord, outcome: ReplayOutcome) -> str:
    """The same as canonical JSON text."""
    document = {
        "robotape_replay": FORMAT,
        "id": record.id,
        "scenario": record.scenario,
        "seed": record.seed,
        "fails": fails(outcome),
        "identical": outcome.identical,
        "first_difference": outcome.first_difference,
        "verdicts": [verdict_document(verdict) for verdict in outcome.verdicts],
        "run": trial_document(outcome.trial),
    }
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _result(record: FindingRecord, outcome: ReplayOutcome, width: int) -> list[Line]:
    word, told, style = _verdict(record, outcome)
    first, *rest = wrapped(told, indent=len(word) + 2, width=width)
    return [line(Span(word, style), "  ", *first[1:]), *rest]


def _verdict(record: FindingRecord, outcome: ReplayOutcome) -> tuple[str, str, Style]:
    if not fails(outcome):
        changed = "" if outcome.identical else f" ({outcome.first_difference})"
        return "NO LONGER FAILS", f"fixed? No oracle accuses this run any more{changed}", "good"
    if outcome.identical:
        digest = record.tape_sha256[:16]
        return "REPRODUCED", f"reproduced byte for byte: the tape's sha256 is {digest}...", "bad"
    told = f"but not byte for byte: {outcome.first_difference}"
    return "FAILS AGAIN", f"{told}{_other_versions(record)}", "doubtful"


def _other_versions(record: FindingRecord) -> str:
    made_by = ", ".join(f"{name} {version}" for name, version in sorted(record.versions.items()))
    return f"; it was found with {made_by}"
