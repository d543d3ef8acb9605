"""`robotape replay`: makes a finding's run again, and says whether it is the same."""

import shlex
import sys

import click

from robotape_harness.campaign.confirm import IN_A_TEST
from robotape_harness.campaign.record import FindingRecord
from robotape_harness.campaign.rerun import ReplayError, replay
from robotape_harness.cli.documents import check_place, put
from robotape_harness.cli.exits import Exit, Refused
from robotape_harness.cli.hash_seed import start_anew
from robotape_harness.cli.listing import found
from robotape_harness.cli.options import JsonCommand, findings_dir, is_finding, json_file
from robotape_harness.cli.refusals import refusing
from robotape_harness.report.replayed import fails, replay_json, replay_lines
from robotape_harness.report.terminal import columns, write
from robotape_harness.target import opened

__all__ = ["command", "openable"]


@click.command("replay", cls=JsonCommand, is_argument=is_finding)
@click.argument("finding", default="")
@json_file
@findings_dir
@click.pass_obj
def command(obj: dict[str, bool], finding: str, *, json_file: str | None, findings_dir: str) -> int:
    """Make a finding's run again, byte for byte.

    FINDING is its id, or as many of its first digits as no other one shares; without it, those
    there are are listed.
    """
    with refusing():
        check_place(json_file)
        record = openable(found(findings_dir, finding))
        if obj["may_start_anew"] and record.hash_seed is not None:
            start_anew(record.hash_seed)
        with opened(record.target) as scenario:
            try:
                outcome = replay(record, scenario)
            except ReplayError as error:
                hint = f"  see the run: robotape check {record.target}"
                raise Refused(f"{error}\n{hint}") from error
    if put(json_file, replay_json(record, outcome)):
        write(replay_lines(record, outcome, width=columns(sys.stdout)), sys.stdout)
    return Exit.FINDINGS if fails(outcome) else Exit.SOUND


def openable(record: FindingRecord) -> FindingRecord:
    """A finding whose scenario the command can open by its name.

    Raises:
        Refused: A test made it for itself.
    """
    if IN_A_TEST not in record.target:
        return record
    raise Refused(
        f"the scenario of {record.id} was made by a test, which alone can make it again;"
        f" run: pytest {shlex.quote(record.target)} --robotape-replay {record.id}"
    )
