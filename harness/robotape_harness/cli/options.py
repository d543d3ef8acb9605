"""Options that subcommands share, and the one whose value may be left out."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

__all__ = [
    "FINDINGS_DIR",
    "JSON",
    "JsonCommand",
    "STDOUT",
    "findings_dir",
    "is_finding",
    "is_target",
    "json_file",
    "seed",
]

JSON = "--json"
STDOUT = "-"
FINDINGS_DIR = ".robotape/findings"
FINDING = re.compile(r"[0-9a-f]{1,10}")

findings_dir = click.option(
    "--findings-dir",
    default=FINDINGS_DIR,
    show_default=True,
    metavar="DIR",
    help="Where findings are kept.",
)
json_file = click.option(
    JSON,
    "json_file",
    metavar="[FILE]",
    help="Write the result as JSON too; without FILE, instead, to standard output.",
)

seed = click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default="0",
    metavar="N",
    help="Of every run; >= 0.",
)


class JsonCommand(click.Command):
    """A command whose `--json` takes a file, or none for standard output."""

    def __init__(self, *given: Any, is_argument: Callable[[str], bool], **options: Any) -> None:
        """Take what click's commands take.

        Args:
            given: By position.
            is_argument: Whether a word behind `--json` is the command's argument and no file.
            options: By name.
        """
        super().__init__(*given, **options)
        self._is_argument = is_argument

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Let `--json` leave the word behind it alone if that is an option or the argument."""
        return super().parse_args(ctx, list(self._with_json_value(args)))

    def _with_json_value(self, typed: Sequence[str]) -> Iterator[str]:
        for word, following in pairwise((*typed, "")):
            takes_none = following != STDOUT and self._is_no_file(following)
            yield f"{JSON}={STDOUT}" if word == JSON and takes_none else word

    def _is_no_file(self, word: str) -> bool:
        return not word or word.startswith("-") or self._is_argument(word)


def is_target(word: str) -> bool:
    """Whether a word looks like what `check` takes."""
    return word.endswith(".py") or ":" in Path(word).name


def is_finding(word: str) -> bool:
    """Whether a word looks like what `replay` takes: an id, or its first digits."""
    return FINDING.fullmatch(word) is not None
