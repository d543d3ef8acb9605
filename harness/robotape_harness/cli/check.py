"""`robotape check`: breaks one scenario, reports, and keeps the findings."""

import shlex
import sys

import click

from robotape_harness import cli
from robotape_harness.campaign.engine import run_campaign
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


@click.command("check", cls=JsonCommand, is_argument=is_target)
@click.argument("target")
@seed
@click.option(
    "--max-runs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Faults to try, at most; >= 1. Where some are left over, the result is inconclusive.",
)
@json_file
@click.option("--quiet", "-q", is_flag=True, help="Print the result alone, and no progress bar.")
@findings_dir
def command(
    target: str,
    *,
    seed: int,
    max_runs: int | None,
    json_file: str | None,
    quiet: bool,
    findings_dir: str,
) -> int:
    """Break a scenario with every single fault, and report what goes wrong.

    TARGET is path/file.py:scenario or module:scenario.
    """
    with refusing():
        check_writable(findings_dir)
        check_place(json_file)
        with opened(target) as scenario:
            report = _watched(scenario, seed, max_runs, quiet=quiet)
            for finding in report.findings:
                save(finding, findings_dir, target)
    if put(json_file, dumps(report)):
        _show(report, findings_dir, quiet=quiet)
    if report.status == "target_error":
        raise _refused(report, target)
    return STATUS_CODES[report.status]


def _watched(scenario: Scenario, seed: int, max_runs: int | None, *, quiet: bool) -> CampaignReport:
    """Run the campaign, under a bar if somebody waits."""
    if quiet or not is_terminal(sys.stderr):
        return run_campaign(scenario, seed=seed, max_runs=max_runs)
    with cli.bar.Bar(scenario.name) as progress:
        return run_campaign(scenario, seed=seed, max_runs=max_runs, progress=progress)


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
