"""Steps that stay in the tape's file: the newest are kept in memory, older ones read back.

It knows places in a file; what a step means is `tape`'s business.
"""

from array import array
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Protocol

from robotape.errors import TapeFormatError
from robotape.models.record import Record, decode

__all__ = ["Counted", "Spill"]

# The place of every so many lines is noted.
_STRIDE = 256


class Positioned(Protocol):
    """What knows where in the file the next line begins, in bytes."""

    @property
    def position(self) -> int:
        """Bytes up to the end of the last line read or written."""


class Counted:
    """The lines of a file, and how many bytes of them have been given out."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.position = 0

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as lines:
            for line in lines:
                self.position += len(line)
                yield line


class Spill:
    """A list of records that grows at its end and holds only the newest in memory.

    Guarantee: reading gives what appending took; memory grows by 8 bytes for 256 records.
    The file must stay where it is, and only whoever appends may write to it.
    """

    def __init__(self, path: Path, keep: int, source: Positioned) -> None:
        """Begin empty.

        Args:
            path: Where the lines are.
            keep: Records in memory; >= 1.
            source: What gives or takes each line before its record is appended here.

        Raises:
            ValueError: `keep` is below 1.
        """
        if keep < 1:
            raise ValueError(f"a tape keeps at least one step in memory, got keep={keep}")
        self._path = path
        self._newest: deque[Record] = deque(maxlen=keep)
        # Of the lines number 0, 256, 512...; the first is the header.
        self._marks = array("Q", [0])
        self._count = 0
        self.follow(source)

    def follow(self, source: Positioned) -> None:
        """Take the places of further records from somebody else."""
        self._source = source
        self._end = source.position

    def append(self, entry: Record) -> None:
        """Take the record whose line was read or written last."""
        self._newest.append(entry)
        self._count += 1
        if self._count % _STRIDE == 0:
            self._marks.append(self._end)
        self._end = self._source.position

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Record:
        place = index + self._count if index < 0 else index
        if not 0 <= place < self._count:
            raise IndexError(f"the tape has {self._count} steps, there is no {index}")
        first = self._first
        return self._newest[place - first] if place >= first else next(self._read(place, first))

    def __iter__(self) -> Iterator[Record]:
        index = 0
        while index < self._count:
            first = self._first
            if index >= first:
                yield self._newest[index - first]
                index += 1
            else:
                yield from self._read(index, first)
                index = first

    @property
    def _first(self) -> int:
        """The index of the oldest record in memory."""
        return self._count - len(self._newest)

    def _read(self, start: int, stop: int) -> Iterator[Record]:
        with self._path.open("rb") as lines:
            block, before = divmod(start + 1, _STRIDE)
            lines.seek(self._marks[block])
            for number, line in enumerate(islice(lines, before, before + stop - start), start + 2):
                try:
                    yield decode(line)
                except ValueError as error:
                    raise TapeFormatError(self._path.name, number, str(error)) from None
