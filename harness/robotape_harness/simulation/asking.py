"""Asking: whose code it is that makes a call, by the frames of the calling thread."""

import sys
from collections.abc import Iterator
from types import FrameType

from robotape_harness.simulation.detect import is_library

__all__ = ["asking_module", "is_users", "is_users_own", "place"]

OURS = ("robotape.", "robotape_harness.")
INSTALLED = ("site-packages", "dist-packages")


def place() -> str:
    """file:line of the innermost code that the user wrote.

    Where there is none, of the innermost outside the standard library; empty where all is.
    """
    innermost = ""
    for frame in _frames():
        at = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        if is_users(frame):
            return at
        innermost = innermost or at
    return innermost


def asking_module() -> str:
    """Name of the module of the innermost code outside the standard library; or empty."""
    return next(map(_module, _frames()), "")


def is_users(frame: FrameType) -> bool:
    """Whether a frame's code belongs to neither Python, an installed package nor robotape."""
    return is_users_own(frame.f_code.co_filename, _module(frame))


def is_users_own(path: str, module: str) -> bool:
    """The same of a file, and the module that was made from it."""
    if is_library(path) or any(name in path for name in INSTALLED):
        return False
    return not f"{module}.".startswith(OURS)


def _frames() -> Iterator[FrameType]:
    """Outside the standard library and the simulation, innermost first."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        ours = _module(frame).startswith("robotape_harness.simulation")
        if not ours and not is_library(frame.f_code.co_filename):
            yield frame
        frame = frame.f_back


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))
