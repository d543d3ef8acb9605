"""A tape's file: one header line, then one line a step; reading, appending, what a crash leaves.

It knows lines and records; what a tape does with them is `tape`'s business.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from robotape.errors import TapeError, TapeFormatError
from robotape.models.record import Record, decode

if sys.platform != "win32":
    import fcntl

__all__ = ["FORMAT", "Journal", "JournalInUse", "header", "read", "replace_file", "whole_length"]

FORMAT = 1
_FIELDS = {"tape_id": str, "seed": int, "author": str, "parent_id": str | None}


def header(tape_id: str, seed: int, author: str, parent_id: str | None) -> bytes:
    """The first line of a tape's file, newline included."""
    values = dict(zip(_FIELDS, (tape_id, seed, author, parent_id), strict=True))
    head = {"robotape": "tape", "format": FORMAT, **values}
    return json.dumps(head, separators=(",", ":")).encode() + b"\n"


def read(
    lines: Iterable[bytes], *, source: str, recover: bool
) -> Iterator[dict[str, Any] | Record]:
    """The header's fields, then the records, one at a time.

    Args:
        lines: As they stand in the file, newlines included.
        source: Named in errors.
        recover: Let go a last line that has no newline, as a crash leaves it.

    Raises:
        TapeFormatError: A line is damaged, or the first is no tape's header or a newer one's.
    """
    for number, line in enumerate(lines, 1):
        if recover and not line.endswith(b"\n"):
            return
        try:
            yield _fields(line) if number == 1 else decode(line)
        except ValueError as error:
            raise TapeFormatError(source, number, str(error)) from None


def _fields(line: bytes) -> dict[str, Any]:
    head = json.loads(line)
    if not isinstance(head, dict) or head.get("robotape") != "tape":
        raise ValueError("this is no tape: the first line must be a tape's header")
    if head.get("format") != FORMAT:
        raise ValueError(
            f"tape format {head.get('format')!r}; this robotape reads {FORMAT}. Update robotape"
        )
    missing = [name for name in _FIELDS if name not in head]
    if missing:
        raise ValueError(f"the header lacks {', '.join(missing)}")
    wrong = [name for name, kind in _FIELDS.items() if not isinstance(head[name], kind)]
    if wrong:
        raise ValueError(f"the header's {', '.join(wrong)} is of the wrong type")
    return {name: head[name] for name in _FIELDS}


def whole_length(path: Path) -> int:
    """Bytes of the file up to the end of its last whole line; 0 where there is no file."""
    if not path.exists():
        return 0
    with path.open("rb") as lines:
        return sum(len(line) for line in lines if line.endswith(b"\n"))


def replace_file(target: Path, lines: Iterable[bytes]) -> None:
    """Write a file; it is the old one or the whole new one at every moment, never a part."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as out:
            out.writelines(lines)
            out.flush()
            os.fsync(out.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


class JournalInUse(TapeError):
    """Somebody else is writing the file: a run that has not ended, or that was not closed.

    Attributes:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"{path} is being written by another run; wait for it to end, or close its tape. "
            "Two runs in one file would do everything twice"
        )


def _hold(file: IO[bytes]) -> None:
    """Keep the file to oneself until it is closed, or the process ends in whatever way.

    Not on Windows, where nobody is kept out.
    """
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise JournalInUse(str(file.name)) from None


class Journal:
    """A file that takes whole lines, each handed to the operating system before it returns."""

    def __init__(self, path: Path, *, fsync: bool = False) -> None:
        """Open a file behind its last whole line, making it if it is not there.

        Args:
            path: Its directory must exist.
            fsync: Wait for the disk at each line.

        Raises:
            JournalInUse: Another run writes the file, in this process or in another.
        """
        self._file: IO[bytes] = path.open("r+b" if path.exists() else "w+b", buffering=0)
        _hold(self._file)
        self._end = whole_length(path)
        self._is_cut = False
        self._fsync = fsync

    def _cut(self) -> None:
        self._file.truncate(self._end)
        self._file.seek(self._end)

    @property
    def position(self) -> int:
        """Bytes of the file up to the end of its last whole line."""
        return self._end

    def write(self, line: bytes) -> None:
        """Append one line.

        Raises:
            OSError: The disk is full, say; no part of the line is left in the file.
        """
        if not self._is_cut:
            self._cut()
            self._is_cut = True
        written = self._file.write(line)
        if written != len(line):
            self._cut()
            raise OSError(f"{self._file.name}: only {written} of {len(line)} bytes were written")
        self._end += written
        if self._fsync:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; more than once does nothing more."""
        self._file.close()
