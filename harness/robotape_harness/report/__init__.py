"""Reports: what a campaign found, for people and for programs.

Nothing in here runs or judges anything; colours are loaded where there is a terminal.
"""

import importlib
from types import ModuleType

__all__: list[str] = []


def __getattr__(name: str) -> ModuleType:
    if name == "colours":  # it imports rich, which only a terminal is worth
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
