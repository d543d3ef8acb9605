"""Findings as files: one small JSON file each, from which a failure is replayed or pinned."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from robotape.errors import RobotapeError
from robotape.journal import replace_file
from robotape_harness.campaign.findings import Finding
from robotape_harness.campaign.record import FindingRecord, dump, parse, record_of

__all__ = [
    "AmbiguousFinding",
    "FindingFormatError",
    "FindingNotFound",
    "FindingStoreError",
    "UnwritableDirectory",
    "check_writable",
    "load",
    "save",
    "stored",
]

SUFFIX = ".json"
StrPath = str | os.PathLike[str]


class FindingStoreError(RobotapeError):
    """Something is wrong with the folder of findings, or with a file in it."""


class FindingNotFound(FindingStoreError):
    """No finding has this id.

    Attributes:
        asked: The id or prefix that was asked for.
        known: The ids there are, sorted.
    """

    def __init__(self, asked: str, directory: StrPath, known: Sequence[str]) -> None:
        self.asked = asked
        self.known = tuple(known)
        there = f"there are: {', '.join(self.known)}" if self.known else "there is none yet"
        super().__init__(f"no finding {asked!r} in {os.fspath(directory)}; {there}")


class AmbiguousFinding(FindingStoreError):
    """Several findings begin with this prefix.

    Attributes:
        asked: The prefix.
        matches: The ids that begin with it, sorted.
    """

    def __init__(self, asked: str, matches: Sequence[str]) -> None:
        self.asked = asked
        self.matches = tuple(matches)
        super().__init__(f"{asked!r} could be any of {', '.join(self.matches)}; give more digits")


class FindingFormatError(FindingStoreError, ValueError):
    """A finding's file is damaged, or newer than this code.

    Attributes:
        path: The file.
    """

    def __init__(self, path: StrPath, message: str) -> None:
        self.path = os.fspath(path)
        super().__init__(f"{self.path}: {message}")


class UnwritableDirectory(FindingStoreError):
    """Findings cannot be kept where they are to be kept.

    Attributes:
        path: The folder.
    """

    def __init__(self, path: StrPath, reason: str) -> None:
        self.path = os.fspath(path)
        super().__init__(f"cannot write findings into {self.path}: {reason}; choose another folder")


def save(finding: Finding, directory: StrPath, target: str) -> Path:
    """Write a finding into its file; the file is the old one or the whole new one.

    Args:
        finding: What was found.
        directory: Where findings are kept; made if it is not there.
        target: Where its scenario is found, as the user typed it.

    Returns:
        The file, `<id>.json` in the folder.

    Raises:
        UnwritableDirectory: The folder cannot be made or written into.
    """
    path = Path(directory, finding.id + SUFFIX)
    text = dump(record_of(finding, target))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, [text.encode("utf-8")])
    except OSError as error:
        raise UnwritableDirectory(directory, error.strerror or str(error)) from error
    return path


def load(directory: StrPath, id_or_prefix: str) -> FindingRecord:
    """Read a finding back.

    Args:
        directory: Where findings are kept.
        id_or_prefix: Its id, or as many of its first digits as no other one shares.

    Raises:
        FindingNotFound: There is none of that id; the error lists those there are.
        AmbiguousFinding: Several begin with the prefix.
        FindingFormatError: The file is damaged, or of a newer robotape.
    """
    known = stored(directory)
    matches = [name for name in known if id_or_prefix and name.startswith(id_or_prefix)]
    if not matches:
        raise FindingNotFound(id_or_prefix, directory, known)
    if len(matches) > 1 and id_or_prefix not in matches:
        raise AmbiguousFinding(id_or_prefix, matches)
    name = id_or_prefix if id_or_prefix in matches else matches[0]
    return _read(Path(directory, name + SUFFIX))


def stored(directory: StrPath) -> tuple[str, ...]:
    """The ids of the findings in a folder, sorted; none if there is no such folder."""
    try:
        names = os.listdir(directory)
    except OSError:
        return ()
    return tuple(
        sorted(
            name.removesuffix(SUFFIX)
            for name in names
            if name.endswith(SUFFIX) and not name.startswith(".")
        )
    )


def check_writable(directory: StrPath) -> None:
    """Make sure, before hours of work, that findings can be kept; leaves nothing behind.

    Raises:
        UnwritableDirectory: The folder, or the place where it would be made, refuses files.
    """
    place = Path(directory).absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise UnwritableDirectory(directory, error.strerror or str(error)) from error


def _read(path: Path) -> FindingRecord:
    try:
        return parse(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise FindingFormatError(path, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise FindingFormatError(path, f"no finding, or a damaged one: {error!r}") from error
    except ValueError as error:
        raise FindingFormatError(path, str(error)) from error
