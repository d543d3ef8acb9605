"""A finding as its file keeps it, and as text and back; files are the store's business."""

import hashlib
import json
import os
import platform
from dataclasses import asdict, dataclass
from typing import Any

import robotape
from robotape.tape import Tape
from robotape_harness.campaign.findings import Finding, Shrinkage
from robotape_harness.campaign.fingerprint import Fingerprint, parse_fingerprint
from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Fault, Site
from robotape_harness.faults.when import When
from robotape_harness.oracles.verdict import Verdict
from robotape_harness.simulation.choices import dump_choices, load_choices

__all__ = [
    "FORMAT",
    "FindingRecord",
    "dump",
    "line_hashes",
    "parse",
    "record_of",
]

FORMAT = 2
HASH_SEEDS = 2**32 - 1  # the largest that Python takes


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
        fingerprint: Which bug it is; None where nobody has read it off.
        shrunk: What shrinking came to; None if the case is as it was found.
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
    fingerprint: Fingerprint | None = None
    shrunk: Shrinkage | None = None


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
        fingerprint=finding.fingerprint,
        shrunk=finding.shrunk,
    )


def line_hashes(tape: Tape) -> tuple[str, ...]:
    """Eight hexadecimal digits for each line of a tape's file, the header first."""
    return tuple(hashlib.blake2b(line, digest_size=4).hexdigest() for line in tape.jsonl())


def dump(record: FindingRecord) -> str:
    """A finding as the text of its file."""
    case = record.case
    choices = None if case.choices is None else json.loads(dump_choices(case.choices))
    mark = record.fingerprint
    document = {
        "robotape_finding": FORMAT,
        "id": record.id,
        "target": record.target,
        "scenario": record.scenario,
        "seed": case.seed,
        "hash_seed": record.hash_seed,
        "faults": [asdict(fault) for fault in case.faults],
        "verdicts": [asdict(verdict) for verdict in record.verdicts],
        "fingerprint": None if mark is None else [mark.oracle, mark.about, mark.error],
        "shrunk": None if record.shrunk is None else asdict(record.shrunk),
        "tape": {
            "sha256": record.tape_sha256,
            "essence": record.essence,
            "lines": " ".join(record.steps),
        },
        "choices": choices,
        "versions": record.versions,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def parse(text: str) -> FindingRecord:
    """Read what `dump` wrote.

    Raises:
        ValueError: It is not that, or was written by another version; the message says which.
    """
    try:
        document = json.loads(text)
        version = document["robotape_finding"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"no finding, or a damaged one: {error!r}") from error
    if version != FORMAT:
        raise ValueError(_of_another_version(version))
    try:
        return _parse(document)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"the finding is damaged: {error!r}") from error


def _of_another_version(version: object) -> str:
    is_older = isinstance(version, int) and not isinstance(version, bool) and 0 < version < FORMAT
    way_out = "make it anew: robotape check TARGET" if is_older else "update robotape"
    return f"format {version!r}; this robotape reads format {FORMAT}: {way_out}"


def _parse(document: dict[str, Any]) -> FindingRecord:
    tape, choices = document["tape"], document["choices"]
    mark, shrunk = document["fingerprint"], document["shrunk"]
    return FindingRecord(
        id=str(document["id"]),
        target=str(document["target"]),
        scenario=str(document["scenario"]),
        case=Case(
            seed=_seed(document["seed"]),
            faults=tuple(_fault(fault) for fault in document["faults"]),
            choices=None if choices is None else load_choices(json.dumps(choices)),
        ),
        hash_seed=_hash_seed(document["hash_seed"]),
        verdicts=_verdicts(document["verdicts"]),
        tape_sha256=str(tape["sha256"]),
        essence=str(tape["essence"]),
        steps=tuple(tape["lines"].split()),
        versions=dict(document["versions"]),
        fingerprint=None if mark is None else parse_fingerprint(mark),
        shrunk=None if shrunk is None else Shrinkage(**shrunk),
    )


def _seed(told: Any) -> int:
    if not isinstance(told, int) or isinstance(told, bool) or told < 0:
        raise ValueError(f"the seed is {told!r}, and must be a whole number >= 0")
    return told


def _hash_seed(told: Any) -> str | None:
    """As PYTHONHASHSEED takes it: anything else would keep a process from starting."""
    if told is None or told == "random" or (str(told).isdecimal() and int(told) <= HASH_SEEDS):
        return None if told is None else str(told)
    raise ValueError(f"the hash seed is {told!r}, and must be a number in [0, {HASH_SEEDS}]")


def _verdicts(told: Any) -> tuple[Verdict, ...]:
    verdicts = tuple(map(_verdict, told))
    if not verdicts:
        raise ValueError("nobody accuses")
    return verdicts


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
