"""`robotape check`: breaks one scenario, reports, and keeps the findings."""

import sys
from pathlib import Path

import click

from robotape_harness import cli
from robotape_harness.campaign.engine import run_campaign
from robotape_harness.campaign.findings import CampaignReport
from robotape_harness.campaign.store import check_writable, save
from robotape_harness.cli.exits import STATUS_CODES, Refused
from robotape_harness.cli.options import STDOUT, CheckCommand, findings_dir
from robotape_harness.cli.refusals import refusing
from robotape_harness.report.document import dumps
from robotape_harness.report.page import report_lines, result_lines
from robotape_harness.report.terminal import columns, is_terminal, write
from robotape_harness.scenario import Scenario
from robotape_harness.target import opened

__all__ = ["command"]


@click.command("check", cls=CheckCommand)
@click.argument("target")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of every run."
)
@click.option(
    "--max-runs",
    type=click.IntRange(min=1),
    help="Faults to try, at most; where some are left over, the result is inconclusive.",
)
@click.option(
    "--json",
    "json_file",
    metavar="[FILE]",
    help="Write the report as JSON too; without FILE, instead, to standard output.",
)
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

    TARGET is module:scenario or path/file.py:scenario.
    """
    with refusing():
        check_writable(findings_dir)
        _check_place(json_file)
        with opened(target) as scenario:
            report = _watched(scenario, seed, max_runs, quiet=quiet)
            for finding in report.findings:
                save(finding, findings_dir, target)
    if json_file not in (None, STDOUT):
        Path(str(json_file)).write_text(dumps(report), "utf-8")
    _show(report, as_json=json_file == STDOUT, quiet=quiet)
    if report.status == "target_error":
        raise Refused(report.message)
    return STATUS_CODES[report.status]


def _check_place(json_file: str | None) -> None:
    """Find out before hours of work that the report cannot be written."""
    if json_file in (None, STDOUT):
        return
    path = Path(str(json_file))
    if path.is_dir() or not path.parent.is_dir():
        raise Refused(f"cannot write {path}: it must be a file in a folder that exists")
    check_writable(path.parent)


def _watched(scenario: Scenario, seed: int, max_runs: int | None, *, quiet: bool) -> CampaignReport:
    """Run the campaign, under a bar if somebody waits."""
    if quiet or not is_terminal(sys.stderr):
        return run_campaign(scenario, seed=seed, max_runs=max_runs)
    with cli.bar.Bar(scenario.name) as progress:
        return run_campaign(scenario, seed=seed, max_runs=max_runs, progress=progress)


def _show(report: CampaignReport, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        sys.stdout.write(dumps(report))
        return
    width = columns(sys.stdout)
    lines = result_lines(report, width=width) if quiet else report_lines(report, width=width)
    write(lines, sys.stdout)
