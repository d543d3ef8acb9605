"""What replaying a finding gave, for people and for programs."""

import hashlib
import json

from robotape_harness.campaign.explain import Explanation
from robotape_harness.campaign.findings import Finding
from robotape_harness.campaign.record import FindingRecord
from robotape_harness.campaign.reductions import deviations
from robotape_harness.campaign.rerun import ReplayOutcome
from robotape_harness.report.compared import comparison
from robotape_harness.report.document import FORMAT, trial_document, verdict_document
from robotape_harness.report.excerpt import excerpt
from robotape_harness.report.lines import WIDTH, Line, Span, Style, fitted, line, wrapped
from robotape_harness.report.page import compared_with, fault_words, finding_lines, labelled
from robotape_harness.report.wording import schedule_words, title

__all__ = [
    "fails",
    "finding_explained",
    "finding_now",
    "replay_json",
    "replay_lines",
    "replay_result",
]

ROWS = 24  # steps of a comparison


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
        return [*head, *finding_lines(finding_now(record, outcome), width=width), (), *result]
    rows = labelled("was", _before(record), width)
    rows += labelled("fault", fault_words(record.case), width, style="fault")
    rows += [*labelled("tape", "of the run as it goes now", width), ()]
    return [*head, *result, (), *rows, *excerpt(outcome.trial, outcome.struck, width=width)]


def finding_explained(
    record: FindingRecord, outcome: ReplayOutcome, explanation: Explanation, *, width: int = WIDTH
) -> list[Line]:
    """What makes a finding's run pass, change by change, and that run beside the nearest other.

    Args:
        record: The finding, as its file has it.
        outcome: Of its replay; it still fails.
        explanation: Of the run as it is now.
        width: Columns.
    """
    worst = outcome.verdicts[0]
    about = f"  seed {record.case.seed}, finding {record.id} explained"
    rows = [line(Span(record.scenario, "title"), Span(about, "dim")), ()]
    rows += wrapped(f"{worst.oracle}: {worst.why}", indent=2, width=width)
    rows += [(), *labelled("fault", fault_words(record.case), width, style="fault")]
    rows += labelled("schedule", words, width) if (words := schedule_words(record.case)) else []
    rows += [*labelled("shrunk", _shrunk(record), width), (), line(Span("one change", "title")), ()]
    for change in explanation.changes:
        told = f"still wrong ({', '.join(change.oracles)})" if change.oracles else "passes"
        style: Style = "doubtful" if change.oracles else "good"
        rows += [line("  ", Span(told, style), "  ", fitted(change.what, width - len(told) - 4))]
    rows += [(), line(Span("two runs", "title")), ()]
    rows += wrapped(compared_with(outcome.trial, explanation), indent=2, width=width)
    shown = comparison(outcome.trial, explanation, width=width, rows=ROWS)
    return [*rows, (), *shown, (), *replay_result(record, outcome, width=width)]


def _shrunk(record: FindingRecord) -> str:
    """What the case was made from."""
    shrunk = record.shrunk
    if shrunk is None:
        return "no: it is as it was found"
    faults, turns = len(record.case.faults), len(deviations(record.case))
    end = "no single step makes it smaller" if shrunk.is_minimal else "the time ended first"
    if (faults, turns) == (shrunk.faults, shrunk.deviations):
        return f"{end}, in {shrunk.runs} runs"
    before = f"{shrunk.faults} faults and {shrunk.deviations} decisions of a schedule"
    return f"from {before}, in {shrunk.runs} runs; {end}"


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


def finding_now(record: FindingRecord, outcome: ReplayOutcome) -> Finding:
    """The finding as it is now."""
    return Finding(
        id=record.id,
        scenario=record.scenario,
        case=record.case,
        struck=outcome.struck,
        verdicts=outcome.verdicts,
        trial=outcome.trial,
        digest=hashlib.sha256(outcome.trial.tape.to_bytes()).hexdigest(),
        fingerprint=record.fingerprint,
        shrunk=record.shrunk,
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
