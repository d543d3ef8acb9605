"""The hash seed: starts the command anew where the order of sets would not be the one it must be.

Python chooses the order of sets and of hashes once per process, from PYTHONHASHSEED; without
it a finding of an agent that depends on that order could not be replayed.
"""

import os
import sys

__all__ = ["FIXED", "start_anew"]

FIXED = "0"
"""What is used where the user has not chosen."""
VARIABLE = "PYTHONHASHSEED"
GUARD = "ROBOTAPE_STARTED_ANEW"


def start_anew(wanted: str | None) -> None:
    """Replace the process by the same command under another hash seed, if it has another.

    Args:
        wanted: As in the environment; None for any that is fixed.
    """
    present = os.environ.get(VARIABLE, "random")
    if wanted is None:
        wanted = FIXED if present == "random" else present
    if wanted in (present, os.environ.get(GUARD)):
        return
    sys.stdout.flush()
    sys.stderr.flush()
    environment = {**os.environ, VARIABLE: wanted, GUARD: wanted}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)
