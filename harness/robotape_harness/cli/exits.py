"""The command's exit codes, and errors that end it: `error: <what is wrong>; <the way out>`."""

from collections.abc import Mapping
from enum import IntEnum

import click

__all__ = ["Exit", "Refused", "STATUS_CODES"]


class Exit(IntEnum):
    """What the command ends with."""

    SOUND = 0
    FINDINGS = 1
    USAGE = 2
    INCONCLUSIVE = 3
    INTERNAL = 70  # EX_SOFTWARE of sysexits.h: robotape itself is at fault
    INTERRUPTED = 130  # 128 + SIGINT, as a shell has it


STATUS_CODES: Mapping[str, Exit] = {
    "sound": Exit.SOUND,
    "findings": Exit.FINDINGS,
    "target_error": Exit.USAGE,
    "inconclusive": Exit.INCONCLUSIVE,
    "interrupted": Exit.INTERRUPTED,
}
"""Status of a campaign -> exit code."""


class Refused(click.ClickException):
    """The command cannot do what it was asked to; its cause says in which way."""

    exit_code = Exit.USAGE
