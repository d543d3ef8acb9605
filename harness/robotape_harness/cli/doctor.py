"""`robotape doctor`: whether a scenario is deterministic, and the line that is to blame if not."""

import sys

import click

from robotape_harness.campaign.doctor import examine
from robotape_harness.cli.documents import check_place, put
from robotape_harness.cli.exits import Exit, Refused
from robotape_harness.cli.options import JsonCommand, is_target, json_file, seed
from robotape_harness.cli.refusals import refusing
from robotape_harness.report.diagnosed import diagnosis_json, diagnosis_lines
from robotape_harness.report.terminal import columns, write
from robotape_harness.target import opened

__all__ = ["command"]


@click.command("doctor", cls=JsonCommand, is_argument=is_target)
@click.argument("target")
@seed
@json_file
def command(target: str, *, seed: int, json_file: str | None) -> int:
    """Say whether a scenario is deterministic, and which line is to blame if not.

    TARGET is path/file.py:scenario or module:scenario.
    """
    with refusing():
        check_place(json_file)
        with opened(target) as scenario:
            name = scenario.name
            diagnosis = examine(scenario, target, seed=seed)
    if diagnosis.trouble:
        if diagnosis.ending == "blocked":
            click.echo(f"error: {diagnosis.trouble}", err=True)
            return Exit.INCONCLUSIVE
        raise Refused(diagnosis.trouble)
    if put(json_file, diagnosis_json(diagnosis, scenario=name, seed=seed)):
        lines = diagnosis_lines(diagnosis, scenario=name, seed=seed, width=columns(sys.stdout))
        write(lines, sys.stdout)
    return Exit.SOUND if diagnosis.difference is None else Exit.FINDINGS
