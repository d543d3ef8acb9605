"""`robotape explain`: what an oracle's verdict means, and how to mend or waive it."""

import difflib
import sys

import click

from robotape_harness.cli.exits import Exit, Refused
from robotape_harness.oracles.explained import explained
from robotape_harness.report.explained import explanation_lines, overview_lines
from robotape_harness.report.terminal import columns, write

__all__ = ["command"]


@click.command("explain")
@click.argument("oracle", default="")
def command(oracle: str) -> int:
    """Say what an oracle's verdict means, and how to mend or waive it.

    ORACLE is its id, such as duplicate_side_effect; without it, all there are are listed.
    """
    width = columns(sys.stdout)
    if not oracle:
        write(overview_lines(width=width), sys.stdout)
        return Exit.SOUND
    if oracle not in explained():
        known = ", ".join(explained())
        meant = difflib.get_close_matches(oracle, explained())
        way = f"did you mean {meant[0]}?" if meant else f"there are: {known}"
        raise Refused(f"no oracle is called {oracle!r}; {way}")
    write(explanation_lines(oracle, width=width), sys.stdout)
    return Exit.SOUND
