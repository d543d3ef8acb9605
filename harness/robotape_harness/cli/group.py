"""The command's front: global options, subcommands by name, errors as one line with the way out."""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

from robotape_harness import cli
from robotape_harness.cli.exits import Exit
from robotape_harness.cli.hash_seed import start_anew

__all__ = ["main", "robotape"]

SUMMARIES = {
    "check": "Break a scenario in every way there is, and report what goes wrong.",
    "doctor": "Say whether a scenario is deterministic, and which line is to blame if not.",
    "explain": "Say what an oracle's verdict means, or what makes a finding's run pass.",
    "fuzz": "Search tools for input that gets past their validation.",
    "pin": "Write a finding out as a test that fails until it is repaired.",
    "replay": "Make a finding's run again, byte for byte.",
}
HELP = """Break an agent in simulation, and replay exactly what broke it.

\b
  robotape check agents/refund_desk.py:sound
  robotape check agents.refund_desk:sound --budget ci --workers 2 --json report.json
  robotape replay 3fa9c1d2e4
  robotape explain 3fa9c1d2e4
  robotape explain duplicate_side_effect
  robotape doctor agents/refund_desk.py:sound
  robotape pin 3fa9c1d2e4
  robotape fuzz agents/refund_desk.py:sound
"""
EXAMPLES = {
    "check": "robotape check agents/refund_desk.py:sound",
    "doctor": "robotape doctor agents/refund_desk.py:sound",
    "fuzz": "robotape fuzz agents/refund_desk.py:sound",
}
EPILOG = """\b
Exit codes:
    0  sound: nothing found, everything tried    (replay: no longer fails; doctor: the same)
    1  findings                                  (replay: reproduced; doctor: it differs)
    2  usage error, or the target is at fault
    3  inconclusive: the budget ended first, or the thread was blocked
   70  robotape itself failed
  130  Ctrl-C
"""


class LazyGroup(click.Group):
    """A group that loads a subcommand when it is called, and not for its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All subcommands, sorted."""
        return sorted(SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a subcommand; None if there is none of that name."""
        if cmd_name not in SUMMARIES:
            return None
        command: click.Command = getattr(cli, cmd_name).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(SUMMARIES.items()))


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"robotape {cli.version}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    help=HELP,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def robotape(debug: bool) -> None:
    """Take the global options; what is to be done, a subcommand knows."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: What was typed behind `robotape`; None takes the process's own, and may
            start the process anew to fix its hash seed.

    Returns:
        The exit code.
    """
    typed = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        # An agent says what it likes; no terminal's encoding is a reason to fail.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    if arguments is None and not SUMMARIES.keys().isdisjoint(typed):
        start_anew(None)  # before anything large is loaded
    if not typed:
        front = click.Context(robotape, info_name="robotape", **robotape.context_settings)
        click.echo(robotape.get_help(front), err=True)
        return Exit.USAGE
    try:
        return int(_run(typed, may_start_anew=arguments is None) or Exit.SOUND)
    except Exception as error:
        if "--debug" in typed:
            traceback.print_exc()
        return _end(error)


def _run(typed: list[str], *, may_start_anew: bool) -> Any:
    return robotape.main(
        typed, prog_name="robotape", standalone_mode=False, obj={"may_start_anew": may_start_anew}
    )


def _end(error: Exception) -> int:
    """Say what is wrong and the way out, and give the exit code."""
    if isinstance(error, click.Abort):
        click.echo("interrupted", err=True)
        return Exit.INTERRUPTED
    if isinstance(error, BrokenPipeError):  # nobody reads on: `robotape check … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.INTERNAL
    if isinstance(error, click.ClickException):
        click.echo(f"error: {error.format_message()}{_hint(error)}", err=True)
        return error.exit_code
    click.echo(
        f"error: robotape itself failed: {type(error).__name__}: {error}; please report it, with"
        " what `robotape --debug ...` shows",
        err=True,
    )
    return Exit.INTERNAL


def _hint(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return ""
    example = EXAMPLES.get(str(context.info_name)) if _is_missing(error) else None
    shown = f"\n  for example: {example}" if example else ""
    return f"{shown}\n  see {context.command_path} --help"


def _is_missing(error: click.ClickException) -> bool:
    return isinstance(error, click.MissingParameter)
