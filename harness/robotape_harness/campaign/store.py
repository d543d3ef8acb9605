"""Findings as files: one small JSON file each, from which a failure is replayed or pinned."""

import contextlib
import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import robotape
from robotape.errors import RobotapeError
from robotape.tape import Tape
from robotape_harness.campaign.findings import Finding
from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Fault, Site
from robotape_harness.faults.when import When
from robotape_harness.oracles.verdict import Verdict
from robotape_harness.simulation.choices import dump_choices, load_choices

__all__ = [
    "AmbiguousFinding",
    "FindingFormatError",
    "FindingNotFound",
    "FindingRecord",
    "FindingStoreError",
    "UnwritableDirectory",
    "check_writable",
    "load",
    "record_of",
    "save",
    "stored",
]

FORMAT = 2
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRecord:
    """A finding as its file keeps it: all that it takes to make the run again.

    Attributes:
        id: Of the finding.
        target: Where the scenario is found, as the user typed it.
        scenario: Its name.
        case: Seed, faults and choices of the run.
        hash_seed: PYTHONHASHSEED of the process that found it; None if it was not set.
        verdicts: Worst first.
        tape_sha256: Over the bytes of the failing run's tape.
        essence: The tape's digest, which has no ids, instants or durations in it.
        steps: One short hash per line of the tape, the header first.
        versions: `robotape` and `python`.
    """

    id: str
    target: str
    scenario: str
    case: Case
    hash_seed: str | None
    verdicts: tuple[Verdict, ...]
    tape_sha256: str
    essence: str
    steps: tuple[str, ...]
    versions: dict[str, str]


def record_of(finding: Finding, target: str) -> FindingRecord:
    """A finding as its file will keep it.

    Args:
        finding: What was found.
        target: Where its scenario is found, as the user typed it.
    """
    trial = finding.trial
    return FindingRecord(
        id=finding.id,
        target=target,
        scenario=finding.scenario,
        case=finding.case,
        hash_seed=os.environ.get("PYTHONHASHSEED"),
        verdicts=finding.verdicts,
        tape_sha256=finding.digest,
        essence=trial.tape.digest(),
        steps=line_hashes(trial.tape),
        versions={"robotape": robotape.__version__, "python": platform.python_version()},
    )


def line_hashes(tape: Tape) -> tuple[str, ...]:
    """Eight hexadecimal digits for each line of a tape's file, the header first."""
    return tuple(hashlib.blake2b(line, digest_size=4).hexdigest() for line in tape.jsonl())


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
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_text(_dump(record_of(finding, target)), "utf-8")
            partial.replace(path)
        finally:
            with contextlib.suppress(OSError):
                partial.unlink()
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


def _dump(record: FindingRecord) -> str:
    case = record.case
    choices = None if case.choices is None else json.loads(dump_choices(case.choices))
    document = {
        "robotape_finding": FORMAT,
        "id": record.id,
        "target": record.target,
        "scenario": record.scenario,
        "seed": case.seed,
        "hash_seed": record.hash_seed,
        "faults": [asdict(fault) for fault in case.faults],
        "verdicts": [asdict(verdict) for verdict in record.verdicts],
        "tape": {
            "sha256": record.tape_sha256,
            "essence": record.essence,
            "lines": " ".join(record.steps),
        },
        "choices": choices,
        "versions": record.versions,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _read(path: Path) -> FindingRecord:
    try:
        document = json.loads(path.read_text("utf-8"))
        version = document["robotape_finding"]
    except OSError as error:
        raise FindingFormatError(path, error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise FindingFormatError(path, f"no finding, or a damaged one: {error!r}") from error
    if version != FORMAT:
        raise FindingFormatError(
            path, f"format {version!r}; this robotape reads format {FORMAT}: update robotape"
        )
    try:
        return _parse(document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FindingFormatError(path, f"the finding is damaged: {error!r}") from error


def _parse(document: dict[str, Any]) -> FindingRecord:
    tape, choices = document["tape"], document["choices"]
    return FindingRecord(
        id=str(document["id"]),
        target=str(document["target"]),
        scenario=str(document["scenario"]),
        case=Case(
            seed=int(document["seed"]),
            faults=tuple(_fault(fault) for fault in document["faults"]),
            choices=None if choices is None else load_choices(json.dumps(choices)),
        ),
        hash_seed=document["hash_seed"],
        verdicts=tuple(_verdict(verdict) for verdict in document["verdicts"]),
        tape_sha256=str(tape["sha256"]),
        essence=str(tape["essence"]),
        steps=tuple(tape["lines"].split()),
        versions=dict(document["versions"]),
    )


def _fault(told: dict[str, Any]) -> Fault:
    return Fault(
        kind=told["kind"],
        site=Site(**told["site"]),
        phase=told["phase"],
        mode=told["mode"],
        params=dict(told["params"]),
        when=When(**told["when"]),
    )


def _verdict(told: dict[str, Any]) -> Verdict:
    return Verdict(told["oracle"], int(told["harm"]), told["why"], tuple(told["steps"]))
