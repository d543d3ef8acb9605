"""`robotape replay`: makes a finding's run again, and says whether it is the same."""

import sys

import click

from robotape_harness.campaign.rerun import replay
from robotape_harness.campaign.store import load
from robotape_harness.cli.exits import Exit, Refused
from robotape_harness.cli.hash_seed import start_anew
from robotape_harness.cli.options import findings_dir
from robotape_harness.cli.refusals import refusing
from robotape_harness.report.replayed import fails, replay_json, replay_lines
from robotape_harness.report.terminal import columns, write
from robotape_harness.target import opened

__all__ = ["command"]

IN_A_TEST = "::"  # in the target of a finding whose scenario a test made for itself


@click.command("replay")
@click.argument("finding")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON instead.")
@findings_dir
@click.pass_obj
def command(obj: dict[str, bool], finding: str, *, as_json: bool, findings_dir: str) -> int:
    """Make a finding's run again: same seed, same choices, same fault.

    FINDING is its id, or as many of its first digits as no other one shares.
    """
    with refusing():
        record = load(findings_dir, finding)
        if IN_A_TEST in record.target:
            raise Refused(f"{record.id} was found by a test; run: pytest {record.target}")
        if obj["may_start_anew"] and record.hash_seed is not None:
            start_anew(record.hash_seed)
        with opened(record.target) as scenario:
            outcome = replay(record, scenario)
    if as_json:
        sys.stdout.write(replay_json(record, outcome))
    else:
        write(replay_lines(record, outcome, width=columns(sys.stdout)), sys.stdout)
    return Exit.FINDINGS if fails(outcome) else Exit.SOUND
