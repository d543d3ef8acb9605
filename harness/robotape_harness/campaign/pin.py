"""Pinning: a finding written out as a test that fails until it is repaired; it writes one file.

The test needs the target and this package, and no finding's file. What it calls is `pinned`.
"""

import ast
import json
import os
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from robotape.errors import RobotapeError
from robotape.journal import replace_file
from robotape_harness.campaign.pinned import Pin
from robotape_harness.campaign.record import FindingRecord
from robotape_harness.faults.plan import PlannedFault
from robotape_harness.faults.when import When

__all__ = ["DEFAULT", "PinError", "name_of", "pinned_test", "place_for", "write_pin"]

DEFAULT = "test_regressions.py"
"""Name of the file that pins go to, where only a folder is given."""

MARK = "Written by `robotape pin`"
WIDTH = 92  # columns; within any project's limit
StrPath = str | os.PathLike[str]


class PinError(RobotapeError):
    """A finding cannot be pinned there; the message says what is in the way, and the way out."""


def place_for(to: StrPath | None) -> Path:
    """The file a pin is written to.

    Args:
        to: A file, or a folder; None for `tests`, or for here if there is no such folder.
    """
    if to is None:
        return Path("tests", DEFAULT) if Path("tests").is_dir() else Path(DEFAULT)
    path = Path(to)
    return path if path.suffix == ".py" else path / DEFAULT


def name_of(record: FindingRecord) -> str:
    """The name of the test: the same for the same finding, wherever it is written."""
    first = record.case.faults[0].site.alias if record.case.faults else "this schedule"
    words = re.findall(r"[a-z0-9]+", f"{record.verdicts[0].oracle} at {first}".lower())
    return "_".join(["test", *words, record.id])


def write_pin(record: FindingRecord, pin: Pin, path: Path, *, hash_seed: str | None = None) -> bool:
    """Write a test into a file: a new one, or one that was begun so.

    Guarantee: the file is the old one or the whole new one; what stood in it stands in it still.

    Args:
        record: The finding.
        pin: Its case as the test has it.
        path: Ends in `.py`; its folder is made.
        hash_seed: PYTHONHASHSEED that the run depends on; None if it does not.

    Returns:
        Whether anything was written; False if the file holds the finding's test already.

    Raises:
        PinError: The file holds something else, is no Python, or cannot be written.
    """
    try:
        old = path.read_text("utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise PinError(f"cannot read {path}: {error}; pin to another file with --to") from error
    if name_of(record) in _tests_in(old, path):
        return False
    head = old.rstrip("\n") or _head(path)
    test = pinned_test(record, pin, hash_seed=hash_seed)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, [f"{head}\n\n\n{test}".encode()])
    except OSError as error:
        reason = error.strerror or str(error)
        raise PinError(f"cannot write {path}: {reason}; pin to another file with --to") from error
    return True


def pinned_test(record: FindingRecord, pin: Pin, *, hash_seed: str | None = None) -> str:
    """The source text of a finding's test; what it needs stands at the head of the file."""
    plan = pin.plan
    arguments = [
        _literal(record.target),
        "root=ROOT",
        f"oracles={_literal(list(plan.expected))}",
        *([f"seed={plan.seed}"] if plan.seed else []),
        *([f"hash_seed={_literal(hash_seed)}"] if hash_seed else []),
        *_listed("faults", [_fault(each) for each in plan.faults]),
        *_listed("deviations", [_literal(each) for each in pin.deviations]),
    ]
    call = textwrap.indent(",\n".join(arguments) + ",", " " * 8)
    told = textwrap.indent(_docstring(record), " " * 4).lstrip()
    head = f'def {name_of(record)}() -> None:\n    """{told}    """\n'
    return f"{head}    pinned.check(\n{call}\n    )\n"


def _docstring(record: FindingRecord) -> str:
    worst = record.verdicts[0]
    guards = " and ".join(dict.fromkeys(verdict.oracle for verdict in record.verdicts))
    told = [f"{record.scenario} against {guards}.", f"{worst.why}.", f"Found under {record.case}."]
    folded = (textwrap.fill(_safe(text), WIDTH, break_long_words=False) for text in told)
    return "\n\n".join(folded) + "\n"


def _safe(text: str) -> str:
    """Text that ends no docstring, begins no escape and holds no sign that nobody sees."""
    seen = "".join(sign if sign.isprintable() else "?" for sign in " ".join(text.split()))
    return seen.replace("\\", "\\\\").replace('"""', "'''")


def _head(path: Path) -> str:
    above = len(_below_here(path).parts) - 1
    return f'''"""Runs that went wrong once: each test makes one again, and fails while it does.

{MARK}, which adds below; the rest is yours to edit.
"""

from pathlib import Path

from robotape_harness.campaign import pinned

ROOT = Path(__file__).resolve().parents[{above}]'''


def _below_here(path: Path) -> Path:
    """The path seen from the current folder, from where the targets are seen."""
    here, there = Path.cwd().resolve(), path.resolve()
    if not there.is_relative_to(here):
        raise PinError(
            f"{path} is outside this folder, from where the target is seen; pin to a file below it"
        )
    return there.relative_to(here)


def _tests_in(text: str, path: Path) -> set[str]:
    """Names of the functions in a file of pins.

    Raises:
        PinError: It is none.
    """
    if not text:
        return set()
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise PinError(f"{path} is not valid Python: {error}; mend it, or use --to") from error
    if MARK not in (ast.get_docstring(module) or ""):
        raise PinError(
            f"{path} was not begun by `robotape pin`, so nothing is written into it; pin to"
            " another file with --to"
        )
    return {node.name for node in module.body if isinstance(node, ast.FunctionDef)}


def _listed(name: str, rows: Sequence[str]) -> Iterator[str]:
    if rows:
        told = "".join(f"    {row},\n" for row in rows)
        yield f"{name}=[\n{told}]"


def _fault(fault: PlannedFault) -> str:
    told: dict[str, Any] = {"at": fault.at, "phase": fault.phase, "mode": fault.mode}
    told |= {"params": fault.params} if fault.params else {}
    usual = When()
    for each in fields(When):
        value = getattr(fault.when, each.name)
        told |= {each.name: value} if value != getattr(usual, each.name) else {}
    named = ", ".join(f"{name}={_literal(value)}" for name, value in told.items())
    return f"pinned.fault({_literal(fault.do)}, {named})"


def _literal(value: Any) -> str:
    """A value as Python has it, in double quotes as formatters do."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False) if value.isprintable() else ascii(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_literal(k)}: {_literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        inner = ", ".join(map(_literal, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner})"
    return repr(value)
