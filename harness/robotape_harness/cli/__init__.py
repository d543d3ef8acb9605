"""The `robotape` command: what is typed and what comes back; the work is done in the rooms below.

Subcommands are loaded when they are called, so that `robotape --help` costs next to nothing.
"""

import importlib
from typing import Any

from robotape_harness.cli.group import main

__all__ = ["main"]

LAZY = frozenset({"bar", "check", "doctor", "explain", "fuzz", "pin", "replay"})


def __getattr__(name: str) -> Any:
    if name in LAZY:
        return importlib.import_module(f"{__name__}.{name}")
    if name == "version":
        import robotape

        return robotape.__version__
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
