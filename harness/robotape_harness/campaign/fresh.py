"""A fresh process that opens a target by its name and answers one question; see `alone`."""

import json
import os
import subprocess
import sys
from typing import Any

from robotape.errors import RobotapeError
from robotape_harness.oracles.liveness import without_folders

__all__ = ["FreshProcessError", "HASH_SEED", "ask"]

HASH_SEED = "PYTHONHASHSEED"
"""The variable of the environment that fixes the order of sets."""

PROGRAM = "from robotape_harness.campaign.alone import main; main()"
PATIENCE = 300.0  # real seconds
SHOWN = 300  # characters of what a process said before it broke off


class FreshProcessError(RobotapeError):
    """The process gave no answer; the message says why."""


def ask(
    question: dict[str, Any], *, hash_seed: str | None = None, folder: str | None = None
) -> dict[str, Any]:
    """Ask a fresh interpreter that imports what this one could.

    Args:
        question: As `alone` takes it.
        hash_seed: Its PYTHONHASHSEED; None for that of this process, or 0 where that has none.
        folder: Where it works; None for here.

    Raises:
        FreshProcessError: It could not be started, broke off, or took more than five minutes.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    environment[HASH_SEED] = hash_seed or os.environ.get(HASH_SEED, "0")
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            input=json.dumps(question),
            env=environment,
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            check=False,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired as error:
        raise FreshProcessError(f"it took longer than {PATIENCE:g} s") from error
    except OSError as error:
        raise FreshProcessError(error.strerror or str(error)) from error
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        last = without_folders(done.stderr.strip().rpartition("\n")[2][:SHOWN])
        raise FreshProcessError(f"it ended with {done.returncode}: {last}") from error
    if "trouble" in answer:
        raise FreshProcessError(answer["trouble"])
    return answer
