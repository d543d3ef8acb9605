"""What replaying a finding gave, for people and for programs."""

import hashlib
import json

from robotape_harness.campaign.findings import Finding
from robotape_harness.campaign.rerun import ReplayOutcome
from robotape_harness.campaign.store import FindingRecord
from robotape_harness.report.document import FORMAT, trial_document, verdict_document
from robotape_harness.report.excerpt import excerpt
from robotape_harness.report.lines import WIDTH, Line, Span, Style, line, wrapped
from robotape_harness.report.page import fault_words, finding_lines, labelled
from robotape_harness.report.wording import title

__all__ = ["fails", "replay_json", "replay_lines", "replay_result"]


def fails(outcome: ReplayOutcome) -> bool:
    """Whether the run still goes wrong."""
    return bool(outcome.verdicts)


def replay_lines(
    record: FindingRecord, outcome: ReplayOutcome, *, width: int = WIDTH
) -> list[Line]:
    """What is true of the finding now: of a repaired one this comes first, and no advice.

    Args:
        record: The finding, as its file has it.
        outcome: Of its replay.
        width: Columns.
    """
    about = f"  seed {record.case.seed}, finding {record.id} replayed"
    head = [line(Span(record.scenario, "title"), Span(about, "dim")), ()]
    result = replay_result(record, outcome, width=width)
    if fails(outcome):
        return [*head, *finding_lines(_finding(record, outcome), width=width), (), *result]
    rows = labelled("was", _before(record), width)
    rows += labelled("fault", fault_words(record.case), width, style="fault")
    rows += [*labelled("tape", "of the run as it goes now", width), ()]
    return [*head, *result, (), *rows, *excerpt(outcome.trial, outcome.struck, width=width)]


def replay_json(record: FindingRecord, outcome: ReplayOutcome) -> str:
    """The same as canonical JSON text."""
    document = {
        "robotape_replay": FORMAT,
        "id": record.id,
        "scenario": record.scenario,
        "seed": record.case.seed,
        "fails": fails(outcome),
        "identical": outcome.identical,
        "first_difference": outcome.first_difference,
        "verdicts": [verdict_document(verdict) for verdict in outcome.verdicts],
        "run": trial_document(outcome.trial),
    }
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _finding(record: FindingRecord, outcome: ReplayOutcome) -> Finding:
    """The finding as it is now."""
    return Finding(
        id=record.id,
        scenario=record.scenario,
        case=record.case,
        struck=outcome.struck,
        verdicts=outcome.verdicts,
        trial=outcome.trial,
        digest=hashlib.sha256(outcome.trial.tape.to_bytes()).hexdigest(),
    )


def _before(record: FindingRecord) -> str:
    """What the oracles said when it was found."""
    words = (f"{title(verdict.oracle)} ({verdict.oracle})" for verdict in record.verdicts)
    return "; ".join(words)


def replay_result(
    record: FindingRecord, outcome: ReplayOutcome, *, width: int = WIDTH
) -> list[Line]:
    """Whether it is the same run, and whether it still goes wrong."""
    word, told, style = _verdict(record, outcome)
    first, *rest = wrapped(told, indent=len(word) + 2, width=width)
    return [line(Span(word, style), "  ", *first[1:]), *rest]


def _verdict(record: FindingRecord, outcome: ReplayOutcome) -> tuple[str, str, Style]:
    if not fails(outcome):
        changed = "" if outcome.identical else f"\n{outcome.first_difference}"
        return "NO LONGER FAILS", f"no oracle accuses this run any more{changed}", "good"
    if outcome.identical:
        digest = record.tape_sha256[:16]
        return "REPRODUCED", f"reproduced byte for byte: the tape's sha256 is {digest}...", "bad"
    told = f"but not byte for byte: {outcome.first_difference}"
    return "FAILS AGAIN", f"{told}{_other_versions(record)}", "doubtful"


def _other_versions(record: FindingRecord) -> str:
    made_by = ", ".join(f"{name} {version}" for name, version in sorted(record.versions.items()))
    return f"; it was found with {made_by}"
