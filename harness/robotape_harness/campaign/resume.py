"""The journal of a campaign: what came of each case, line by line, so that a killed one goes on.

It is kept while a campaign runs and is gone once it is complete.
"""

import hashlib
import json
import os
import platform
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import robotape
from robotape.journal import Journal, JournalInUse, whole_length
from robotape_harness.campaign.outcome import Outcome, dump, parse
from robotape_harness.campaign.proposal import Proposal
from robotape_harness.campaign.store import UnwritableDirectory

__all__ = ["CampaignJournal", "StrPath", "code_digest", "conditions_of"]

FORMAT = 1
SUFFIX = ".jsonl"
StrPath = str | os.PathLike[str]


class CampaignJournal:
    """What is known of a campaign that may be killed at any moment.

    Attributes:
        note: What somebody who waits should know: that it goes on, or why it cannot; or empty.
    """

    def __init__(self, folder: StrPath, scenario: str, conditions: Mapping[str, Any]) -> None:
        """Open the journal of a campaign, and read what an earlier one left.

        Args:
            folder: Where journals are kept; made if it is not there.
            scenario: Its name; there is one journal for each.
            conditions: What the outcome of a case depends on beside the case. A journal kept
                under others is of no use and begun anew.

        Raises:
            UnwritableDirectory: The folder cannot be made or written into.
        """
        name = hashlib.blake2b(scenario.encode(), digest_size=5).hexdigest()
        self._path = Path(folder, name + SUFFIX)
        self._outcomes: dict[str, Outcome] = {}
        self._journal: Journal | None = None
        self._made: list[Path] = []
        self._is_ours = False
        self.note = ""
        head = {"robotape_campaign": FORMAT, "scenario": scenario, **conditions}
        try:
            self._made = _make(self._path.parent)
            self._begin(head)
        except JournalInUse:
            self.note = f"another campaign of {scenario} is running: this one keeps no journal"
        except OSError as error:
            raise UnwritableDirectory(folder, error.strerror or str(error)) from error

    def known(self, proposal: Proposal) -> Outcome | None:
        """What came of a case in an earlier campaign that was cut short."""
        return self._outcomes.get(proposal.key)

    def keep(self, proposal: Proposal, outcome: Outcome) -> None:
        """Write down what came of a case; where the disk is full, no more is kept."""
        if self._journal is None:
            return
        try:
            self._journal.write(_line([proposal.key, dump(outcome)]))
        except OSError as error:
            self._close()
            self.note = f"the campaign could not be resumed from here: {error.strerror or error}"

    def finish(self, *, is_complete: bool) -> None:
        """Close the journal; if the campaign is over, drop it with the folders it leaves empty."""
        self._close()
        if is_complete and self._is_ours:
            self._path.unlink(missing_ok=True)
            with suppress(OSError):  # something else is in there
                for folder in (self._path.parent, *self._made[1:]):
                    folder.rmdir()

    def _begin(self, head: Mapping[str, Any]) -> None:
        lines = list(self._lines())
        journal = Journal(self._path)
        is_same = bool(lines) and lines[0] == json.loads(json.dumps(head))
        if self._path.stat().st_size and not is_same:
            journal.close()
            self._path.unlink()
            journal = Journal(self._path)
            self.note = f"a campaign that was cut short cannot go on: {_changed(lines, head)}"
        self._journal = journal
        self._is_ours = True
        if not is_same:
            journal.write(_line(head))
        else:
            self._read(lines[1:])
            count = len(self._outcomes)
            self.note = f"going on with a campaign that was cut short after {count} runs"

    def _lines(self) -> Iterator[Any]:
        """The whole lines of the file, up to the first that is damaged."""
        if not self._path.exists():
            return
        whole = self._path.read_bytes()[: whole_length(self._path)]
        for line in whole.splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                return

    def _read(self, lines: list[Any]) -> None:
        for line in lines:
            with suppress(ValueError, TypeError):
                key, told = line
                self._outcomes[str(key)] = parse(told)

    def _close(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None


def _make(folder: Path) -> list[Path]:
    """Make a folder.

    Returns:
        What was made, the innermost first.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def code_digest() -> str:
    """A hash over the source of every loaded module that is neither Python's nor a library's.

    What is only imported later, in the middle of a run, is not in it.
    """
    paths = sysconfig.get_paths()
    foreign = tuple(f"{paths[name]}{os.sep}" for name in ("stdlib", "purelib", "platlib"))
    found: dict[str, str] = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.endswith(".py") and not file.startswith(foreign):
            with suppress(OSError):
                found[name] = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def conditions_of(seed: int, **others: Any) -> dict[str, Any]:
    """What the outcome of a case depends on beside the case and its scenario's name.

    Args:
        seed: Of the campaign.
        others: What else, as JSON.
    """
    return {
        "seed": seed,
        "hash_seed": os.environ.get("PYTHONHASHSEED"),
        "code": code_digest(),
        "versions": {"robotape": robotape.__version__, "python": platform.python_version()},
        **others,
    }


def _line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def _changed(lines: list[Any], now: Mapping[str, Any]) -> str:
    before = lines[0] if lines else None
    if not isinstance(before, dict):
        return "its journal is damaged; it begins anew"
    names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    return f"its {', '.join(names)} changed since; it begins anew"
