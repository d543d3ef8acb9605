"""Options that subcommands share, and the one whose value may be left out."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import click

__all__ = ["JSON", "STDOUT", "CheckCommand", "findings_dir"]

JSON = "--json"
STDOUT = "-"

findings_dir = click.option(
    "--findings-dir",
    default=".robotape/findings",
    show_default=True,
    metavar="DIR",
    help="Where findings are kept.",
)


class CheckCommand(click.Command):
    """A command whose `--json` takes a file, or none for standard output."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Let `--json` leave the word behind it alone if that is an option or the target."""
        return super().parse_args(ctx, list(_with_json_value(args)))


def _with_json_value(typed: Sequence[str]) -> Iterator[str]:
    for word, following in pairwise((*typed, "")):
        takes_none = following != STDOUT and _is_no_file(following)
        yield f"{JSON}={STDOUT}" if word == JSON and takes_none else word


def _is_no_file(word: str) -> bool:
    """Whether a word is missing, an option, or a target."""
    return not word or word.startswith("-") or word.endswith(".py") or ":" in Path(word).name
