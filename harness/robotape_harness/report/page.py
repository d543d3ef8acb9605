"""A campaign's report for people, as lines: findings worst first, coverage, and the result.

Guarantee: a function of the report alone; no instant of the wall clock, no path.
"""

from collections.abc import Iterator, Sequence

from robotape_harness.campaign.coverage import StageCoverage
from robotape_harness.campaign.explain import Explanation
from robotape_harness.campaign.findings import CampaignReport, Finding, group
from robotape_harness.faults.case import Case
from robotape_harness.report.compared import comparison, parting
from robotape_harness.report.coverage import covered, matrix, searched
from robotape_harness.report.excerpt import excerpt, tail
from robotape_harness.report.lines import WIDTH, Line, Span, Style, fitted, line, wrapped
from robotape_harness.report.wording import (
    advice,
    harm_style,
    harm_word,
    noun,
    passing_words,
    reference,
    schedule_words,
    title,
)
from robotape_harness.simulation.trial import Trial

__all__ = [
    "REPLAY",
    "compared_with",
    "fault_words",
    "finding_lines",
    "labelled",
    "report_lines",
    "result_lines",
]

ROWS = 4  # steps of a comparison on a finding's page
SHOWN = 5  # further findings of one kind that are listed
LABEL = 9
EMPTY: Line = ()
COUNTED = frozenset({"singles", "cuts"})  # stages that end with all that there is
REPLAY = "robotape replay"
"""The command that replays a finding, whose id goes behind it."""
RESULTS: dict[str, tuple[str, Style]] = {
    "sound": ("SOUND", "good"),
    "findings": ("FINDINGS", "bad"),
    "inconclusive": ("INCONCLUSIVE", "doubtful"),
    "target_error": ("TARGET ERROR", "bad"),
    "interrupted": ("INTERRUPTED", "doubtful"),
}


def report_lines(
    report: CampaignReport, *, width: int = WIDTH, replay: str = REPLAY, kept: str = ""
) -> list[Line]:
    """The whole report.

    Args:
        report: Of a campaign that has ended, in whatever way; of a target error only what
            was run is shown, for its message is an error's.
        width: Columns; 80 to 100 read best.
        replay: The command that replays a finding, without the id.
        kept: Where the findings are; empty if nowhere.
    """
    head = Span(f"  seed {report.seed}, {_plural(report.runs, 'simulated run')}", "dim")
    lines = [line(Span(report.scenario, "title"), head), EMPTY]
    groups = group(report.findings)
    for number, alike in enumerate(groups, start=1):
        lines += [*_group(alike, f"{number} of {len(groups)}", replay, width), EMPTY]
    if report.coverage is None:
        lines += _failed_baseline(report, width)
    else:
        lines += [line(Span("coverage", "title"), ": calls x faults"), EMPTY]
        lines += [*matrix(report.coverage, width=width), EMPTY]
        lines += [*covered(report.coverage, width=width), EMPTY]
        beyond = searched(report.coverage, width=width)
        lines += [*beyond, EMPTY] if beyond else []
    lines += _waivers(report, width)
    # What is wrong with the target is an error's business, and not the report's.
    last = [] if report.status == "target_error" else result_lines(report, width=width, kept=kept)
    return [*lines, *last]


def finding_lines(finding: Finding, *, width: int = WIDTH, number: str = "") -> list[Line]:
    """One finding in full: what went wrong, which fault did it, the tape, the way out."""
    worst = finding.verdicts[0]
    style = harm_style(worst.harm)
    head = line(
        Span(f"{harm_word(worst.harm).upper()}  {title(worst.oracle)}", style),
        Span(f"   {worst.oracle}{number and ', '}{number}", "dim"),
    )
    rows = [head, EMPTY]
    for verdict in finding.verdicts:
        also = "" if verdict is worst else f"{verdict.oracle}: "
        rows += wrapped(f"{also}{verdict.why}", indent=2, width=width)
    rows += [EMPTY, *labelled("fault", fault_words(finding.case), width, style="fault")]
    schedule = schedule_words(finding.case)
    rows += labelled("schedule", schedule, width, style="fault") if schedule else []
    passing = passing_words(finding)
    rows += labelled("passes", passing, width) if passing else []
    rows += [*labelled("tape", "of this run, as far as it matters", width), EMPTY]
    rows += [*excerpt(finding.trial, finding.struck, finding.verdicts, width=width), EMPTY]
    rows += _against(finding, width)
    if advice(worst.oracle):
        rows += labelled("fix", advice(worst.oracle), width)
    if reference(worst.oracle):
        rows += labelled("read", reference(worst.oracle), width, style="command")
    return rows


def compared_with(trial: Trial, explanation: Explanation) -> str:
    """Which run stands on the right, and where the two part."""
    step = parting(trial, explanation)
    return f"the nearest run that passes: {explanation.nearest_is}; the two part at step {step}"


def _against(finding: Finding, width: int) -> list[Line]:
    """The failing run beside one that passes, as far as it fits on a page."""
    explanation = finding.explanation
    if explanation is None:
        return []
    rows = labelled("beside", compared_with(finding.trial, explanation), width)
    return [*rows, EMPTY, *comparison(finding.trial, explanation, width=width, rows=ROWS), EMPTY]


def fault_words(case: Case) -> str:
    """The faults that did it, or that none did."""
    return str(case) if case.faults else "none: the order of the tasks alone did it"


def result_lines(report: CampaignReport, *, width: int = WIDTH, kept: str = "") -> list[Line]:
    """What it comes to: one line, and more where there is something to know or to do.

    Args:
        report: Of a campaign that has ended, in whatever way.
        width: Columns.
        kept: Where the findings are; empty if nowhere.
    """
    word, style = RESULTS[report.status]
    place = f"kept in {kept}, a file each" if kept and report.findings else ""
    told = [text for text in (_result(report), *report.message.splitlines(), place) if text]
    margin = len(word) + 2
    rows = [row for text in told for row in wrapped(text, indent=margin, width=width)]
    return [line(Span(word, style), "  ", *rows[0][1:]), *rows[1:]] if rows else []


def _group(alike: Sequence[Finding], number: str, replay: str, width: int) -> Iterator[Line]:
    """The simplest in full, the others by name."""
    first, *others = alike
    yield from finding_lines(first, width=width, number=number)
    yield from _replaying(first, replay, width)
    if others:
        yield EMPTY
        yield line(f"  and {len(others)} more of the same:")
    for finding in others[:SHOWN]:
        yield line(
            "    ",
            Span(finding.id, "command"),
            f"  {fitted(str(finding.case), width - len(finding.id) - 6)}",
        )
    if others[SHOWN:]:
        rest = " ".join(finding.id for finding in others[SHOWN:])
        yield from wrapped(rest, indent=4, width=width, style="dim")


def _replaying(finding: Finding, replay: str, width: int) -> Iterator[Line]:
    """How to make the run again; or that nobody can."""
    confirmed = finding.confirmed
    if confirmed is not None and confirmed.difference:
        where = "alone in a fresh process" if confirmed.alone else "a second time"
        told = f"not reproducible: made {where}, the run goes another way: {confirmed.difference}"
        yield from labelled("replay", told, width, style="doubtful")
        return
    yield from labelled("replay", f"{replay} {finding.id}", width, style="command")
    if confirmed is not None and confirmed.note:
        yield from labelled("", confirmed.note, width, style="dim")


def _failed_baseline(report: CampaignReport, width: int) -> Iterator[Line]:
    if report.baseline is not None and len(report.baseline.tape):
        yield line(Span("the fault-free run", "title"))
        yield EMPTY
        yield from tail(report.baseline, width=width)
        yield EMPTY


def _waivers(report: CampaignReport, width: int) -> Iterator[Line]:
    if not report.waived:
        return
    yield line(Span("waived", "title"))
    yield EMPTY
    alike: dict[tuple[str, str], list[str]] = {}
    for fault, oracle, reason in report.waived:
        alike.setdefault((oracle, reason), []).append(fault)
    for (oracle, reason), faults in alike.items():
        yield from wrapped(f"{oracle}: {reason}", indent=2, width=width)
        for fault in faults:
            yield line("    ", Span(fitted(f"under {fault}", width - 4), "dim"))
    yield EMPTY


def _result(report: CampaignReport) -> str:
    """The first line of the result; empty where the report's message says it all."""
    count = len(report.findings)
    if report.status == "sound":
        return f"it held under {_listed(_held(report))}"
    if report.status == "findings":
        worst = harm_word(max(finding.verdicts[0].harm for finding in report.findings))
        return f"{_listed(_broken(report))} broke it; the worst is {worst}"
    if report.status == "interrupted":
        return f"after {_plural(report.runs, 'simulated run')}; {_plural(count, 'finding')} so far"
    return ""


def _held(report: CampaignReport) -> list[str]:
    """What was tried, stage by stage."""
    stages = () if report.coverage is None else report.coverage.stages
    tried = [
        stage
        for stage in stages
        if stage.tried and stage.name != "recorded" and not _is_idle(stage)
    ]
    return [
        f"{'all ' if stage.name in COUNTED else ''}{stage.tried:,} {noun(stage.name, stage.tried)}"
        for stage in tried
    ]


def _broken(report: CampaignReport) -> list[str]:
    """What broke it, stage by stage; what broke it before, only where nothing else does."""
    stages = () if report.coverage is None else report.coverage.stages
    broke = [stage for stage in stages if stage.findings]
    new = [stage for stage in broke if stage.name != "recorded"]
    return [
        f"{stage.findings:,} of {stage.tried:,} {noun(stage.name, stage.tried)}"
        for stage in new or broke
    ]


def _is_idle(stage: StageCoverage) -> bool:
    """Whether there was no schedule to choose, so that all were one."""
    return stage.name == "schedules" and bool(stage.left_out)


def _listed(parts: Sequence[str]) -> str:
    *before, last = parts or ["nothing"]
    return f"{', '.join(before)} and {last}" if before else last


def labelled(label: str, text: str, width: int, *, style: Style = "text") -> list[Line]:
    """A row of the table below a finding's headline: what it is, and what it says."""
    first, *rest = wrapped(text, indent=2 + LABEL, width=width, style=style)
    return [line("  ", Span(label.ljust(LABEL), "dim"), *first[1:]), *rest]


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
