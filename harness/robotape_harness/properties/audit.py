"""What a tool's body does to the outside, seen by the interpreter's audit events; it stops nothing.

A hook of `sys.addaudithook` cannot be taken off again: one is set when it is first needed, and it
passes everything by while nobody watches.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from robotape_harness.ledger import Commit

__all__ = ["Effect", "of_commit", "watched"]

_NAMES: Mapping[str, tuple[str, ...]] = {
    "open": ("path", "mode"),
    "os.chmod": ("path", "mode"),
    "os.exec": ("path", "argv"),
    "os.link": ("path", "to"),
    "os.mkdir": ("path", "mode"),
    "os.posix_spawn": ("path", "argv"),
    "os.remove": ("path",),
    "os.rename": ("path", "to"),
    "os.rmdir": ("path",),
    "os.symlink": ("path", "to"),
    "os.system": ("command",),
    "os.truncate": ("path", "length"),
    "shutil.rmtree": ("path",),
    "socket.connect": ("socket", "address"),
    "socket.getaddrinfo": ("host", "port"),
    "subprocess.Popen": ("executable", "argv"),
}
_SOURCE = (".py", ".pyc", ".so")  # what an import opens is no effect of the tool


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that happened outside.

    Attributes:
        name: Of the audit event, or of the commit to a ledger.
        details: Its arguments, by name.
    """

    name: str
    details: Mapping[str, Any]

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.details.items())
        return f"{self.name}({told})"


_watching: list[list[Effect]] = []
_installed: list[bool] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching or event not in _NAMES:
        return
    details = dict(zip(_NAMES[event], arguments, strict=False))
    details.pop("socket", None)
    path = details.get("path")
    if event == "open" and (not isinstance(path, str) or path.endswith(_SOURCE)):
        return
    _watching[-1].append(Effect(event, details))


@contextmanager
def watched() -> Iterator[list[Effect]]:
    """Note what happens in the block, in any thread of the process.

    Yields:
        The effects so far, in their order.
    """
    if not _installed:
        _installed.append(True)
        sys.addaudithook(_hook)
    seen: list[Effect] = []
    _watching.append(seen)
    try:
        yield seen
    finally:
        _watching.remove(seen)


def of_commit(commit: Commit) -> Effect:
    """An entry of a ledger as an effect."""
    return Effect(commit.effect, dict(commit.details))
