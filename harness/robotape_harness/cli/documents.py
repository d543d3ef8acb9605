"""Where `--json` puts its document: into a file beside the text, or to standard output instead."""

import sys
from pathlib import Path

from robotape_harness.campaign.store import check_writable
from robotape_harness.cli.exits import Refused
from robotape_harness.cli.options import STDOUT
from robotape_harness.report.terminal import write_json

__all__ = ["check_place", "put"]


def check_place(json_file: str | None) -> None:
    """Find out before hours of work that a document cannot be written.

    Args:
        json_file: As `--json` has it; None where it is not asked for.

    Raises:
        Refused: It is a folder, or in a folder that does not exist.
        UnwritableDirectory: Its folder takes no files.
    """
    if json_file in (None, STDOUT):
        return
    path = Path(str(json_file))
    if path.is_dir() or not path.parent.is_dir():
        raise Refused(f"cannot write {path}: it must be a file in a folder that exists")
    check_writable(path.parent)


def put(json_file: str | None, text: str) -> bool:
    """Write a document where it belongs.

    Args:
        json_file: As `--json` has it; None where it is not asked for.
        text: The document.

    Returns:
        Whether the text for people is still to be printed.
    """
    if json_file == STDOUT:
        write_json(text, sys.stdout)
        return False
    if json_file is not None:
        Path(json_file).write_text(text, "utf-8")
    return True
