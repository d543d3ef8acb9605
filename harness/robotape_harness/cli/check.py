"""`robotape check`: breaks one scenario, reports, and keeps the findings."""

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from robotape_harness import cli
from robotape_harness.campaign.agenda import STAGES, stages_of
from robotape_harness.campaign.budget import BUDGETS
from robotape_harness.campaign.confirm import confirmed
from robotape_harness.campaign.earlier import earlier_cases
from robotape_harness.campaign.engine import Memory, run_campaign
from robotape_harness.campaign.findings import CampaignReport
from robotape_harness.campaign.store import check_writable, save
from robotape_harness.cli.documents import check_place, put
from robotape_harness.cli.exits import STATUS_CODES, Refused
from robotape_harness.cli.options import (
    FINDINGS_DIR,
    JsonCommand,
    findings_dir,
    is_target,
    json_file,
    seed,
)
from robotape_harness.cli.refusals import refusing
from robotape_harness.report.document import dumps
from robotape_harness.report.page import REPLAY, report_lines, result_lines
from robotape_harness.report.terminal import columns, is_terminal, write
from robotape_harness.scenario import Scenario
from robotape_harness.target import opened

__all__ = ["command"]

JOURNALS = "campaigns"


def _stages(ctx: click.Context, _: click.Parameter, typed: str | None) -> tuple[str, ...] | None:
    """The stages of a list with commas."""
    if typed is None:
        return None
    names = tuple(filter(None, map(str.strip, typed.split(","))))
    try:
        stages_of(names)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx) from error
    return names


@click.command("check", cls=JsonCommand, is_argument=is_target)
@click.argument("target")
@seed
@click.option(
    "--budget",
    type=click.Choice(list(BUDGETS)),
    help="What it may spend; without it, every fault and 250 runs more.",
)
@click.option(
    "--max-runs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Cases to try, at most; >= 1. Where faults are left over, the result is inconclusive.",
)
@click.option(
    "--stages",
    metavar="LIST",
    callback=_stages,
    help=f"Which stages, with commas between: {','.join(STAGES)}. Without it, all.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default="1",
    metavar="N",
    help="Processes that run cases; the report is the same with any number.",
)
@click.option(
    "--strict", is_flag=True, help="A fault that strikes nothing is a finding, not a remark."
)
@json_file
@click.option("--quiet", "-q", is_flag=True, help="Print the result alone, and no progress bar.")
@findings_dir
def command(
    target: str,
    *,
    seed: int,
    json_file: str | None,
    quiet: bool,
    findings_dir: str,
    **chosen: Any,
) -> int:
    """Break a scenario in every way there is, and report what goes wrong.

    TARGET is path/file.py:scenario or module:scenario.
    """
    with refusing():
        check_writable(findings_dir)
        check_place(json_file)
        with opened(target) as scenario:
            memory = _memory(scenario, findings_dir, quiet=quiet)
            report = _watched(scenario, quiet=quiet, seed=seed, memory=memory, **chosen)
            report = replace(report, findings=confirmed(report.findings, target))
            for finding in report.findings:
                save(finding, findings_dir, target)
    if put(json_file, dumps(report)):
        _show(report, findings_dir, quiet=quiet)
    if report.status == "target_error":
        raise _refused(report, target)
    if report.status == "interrupted" and not quiet:
        _tell("the same command goes on from here")
    return STATUS_CODES[report.status]


def _memory(scenario: Scenario, findings_dir: str, *, quiet: bool) -> Memory:
    """What earlier campaigns left, and where this one leaves what it has done."""
    cases, left_out = earlier_cases(findings_dir, scenario.name)
    tell = _say_nothing if quiet else _tell
    for why in left_out:
        tell(f"passed over: {why}")
    is_usual = findings_dir == FINDINGS_DIR
    journal = Path(findings_dir).parent / JOURNALS if is_usual else Path(findings_dir, JOURNALS)
    return Memory(findings=cases, journal=journal, tell=tell)


def _tell(note: str) -> None:
    click.echo(note, err=True)


def _say_nothing(note: str) -> None:
    """Be quiet."""


def _watched(scenario: Scenario, *, quiet: bool, **chosen: Any) -> CampaignReport:
    """Run the campaign, under a bar if somebody waits."""
    if quiet or not is_terminal(sys.stderr):
        return run_campaign(scenario, **chosen)
    with cli.bar.Bar(scenario.name) as progress:
        return run_campaign(scenario, progress=progress, **chosen)


def _show(report: CampaignReport, kept: str, *, quiet: bool) -> None:
    width = columns(sys.stdout)
    if not quiet:
        elsewhere = "" if kept == FINDINGS_DIR else f" --findings-dir {shlex.quote(kept)}"
        lines = report_lines(report, width=width, replay=f"{REPLAY}{elsewhere}", kept=kept)
    elif report.status != "target_error":  # that is told as an error
        lines = result_lines(report, width=width)
    else:
        return
    write(lines, sys.stdout)


def _refused(report: CampaignReport, target: str) -> Refused:
    """The error that a target at fault ends with; its cause is for `--debug`."""
    raised = report.baseline is not None and report.baseline.ending == "raised"
    is_shown = click.get_current_context().find_root().params.get("debug")
    hint = f"\n  see where: robotape --debug check {target}" if raised and not is_shown else ""
    refused = Refused(f"{report.message}{hint}")
    refused.__cause__ = None if report.baseline is None else report.baseline.error
    return refused
