"""`robotape explain`: what an oracle's verdict means; or what makes a finding's run pass."""

import difflib
import sys

import click

from robotape_harness.campaign.refine import explained as explained_finding
from robotape_harness.campaign.rerun import ReplayError, replay
from robotape_harness.cli.exits import Exit, Refused
from robotape_harness.cli.hash_seed import start_anew
from robotape_harness.cli.listing import found
from robotape_harness.cli.options import findings_dir, is_finding
from robotape_harness.cli.refusals import refusing
from robotape_harness.cli.replay import openable
from robotape_harness.oracles.explained import explained
from robotape_harness.report.explained import explanation_lines, overview_lines
from robotape_harness.report.replayed import (
    fails,
    finding_explained,
    finding_now,
    replay_lines,
)
from robotape_harness.report.terminal import columns, write
from robotape_harness.target import opened

__all__ = ["command"]


@click.command("explain")
@click.argument("what", metavar="[ORACLE|FINDING]", default="")
@findings_dir
@click.pass_obj
def command(obj: dict[str, bool], what: str, *, findings_dir: str) -> int:
    """Say what an oracle's verdict means, or what makes a finding's run pass.

    ORACLE is its id, such as duplicate_side_effect; without it, all there are are listed. FINDING
    is its id, or its first digits: each single change to its case is tried, and its run is
    shown beside the nearest one that passes.
    """
    width = columns(sys.stdout)
    if not what:
        write(overview_lines(width=width), sys.stdout)
    elif what in explained():
        write(explanation_lines(what, width=width), sys.stdout)
    elif is_finding(what):
        _explain(what, findings_dir, width, may_start_anew=obj["may_start_anew"])
    else:
        known = ", ".join(explained())
        meant = difflib.get_close_matches(what, explained())
        way = f"did you mean {meant[0]}?" if meant else f"there are: {known}"
        raise Refused(f"no oracle is called {what!r}; {way}")
    return Exit.SOUND


def _explain(finding: str, directory: str, width: int, *, may_start_anew: bool) -> None:
    with refusing():
        record = openable(found(directory, finding))
        if may_start_anew and record.hash_seed is not None:
            start_anew(record.hash_seed)
        with opened(record.target) as scenario:
            try:
                outcome = replay(record, scenario)
            except ReplayError as error:
                hint = f"  see the run: robotape check {record.target}"
                raise Refused(f"{error}\n{hint}") from error
            if not fails(outcome):
                write(replay_lines(record, outcome, width=width), sys.stdout)
                return
            now = finding_now(record, outcome)
            explanation = explained_finding(scenario, now, outcome.baseline)
    write(finding_explained(record, outcome, explanation, width=width), sys.stdout)
