"""The findings there are, as text: for whoever asks for one that is not there, or for none."""

from collections.abc import Iterator

from robotape_harness.campaign.record import FindingRecord
from robotape_harness.campaign.store import FindingNotFound, FindingStoreError, load, stored
from robotape_harness.cli.exits import Refused
from robotape_harness.report.wording import title

__all__ = ["found", "which_finding"]

SHOWN = 20


def found(directory: str, finding: str) -> FindingRecord:
    """Load the finding that was asked for.

    Args:
        directory: Where findings are kept.
        finding: Its id or the first digits of it; empty for none.

    Raises:
        Refused: None was asked for, or there is no such one; the message lists those there are.
        FindingStoreError: Several begin so, or the file is damaged.
    """
    if not finding:
        raise Refused(which_finding(directory))
    try:
        return load(directory, finding)
    except FindingNotFound as error:
        raise Refused(which_finding(directory, finding)) from error


def which_finding(directory: str, asked: str = "") -> str:
    """Say what can be replayed, worst first, and how.

    Args:
        directory: Where findings are kept.
        asked: The id that was asked for; empty for none.
    """
    missing = f"there is no finding {asked!r} in {directory}; " if asked else "which finding? "
    rows = list(_rows(directory, stored(directory)))
    if not rows:
        return (
            f"{missing}none is kept in {directory} yet, seen from this folder;"
            " a check makes them: robotape check path/file.py:scenario"
        )
    more = [f"  and {len(rows) - SHOWN} more"] if len(rows) > SHOWN else []
    place = "" if asked else f" in {directory}"
    head = f"{missing}there are {len(rows)}{place}, worst first:"
    return "\n".join([head, *rows[:SHOWN], *more])


def _rank(record: FindingRecord) -> tuple[int, str, bool, str]:
    """Worst first; of one scenario the simpler faults first."""
    return -record.verdicts[0].harm, record.target, record.case.is_lasting, record.id


def _rows(directory: str, names: tuple[str, ...]) -> Iterator[str]:
    """One row per finding; those that cannot be read come last."""
    records, damaged = list[FindingRecord](), list[str]()
    for name in names:
        try:
            records.append(load(directory, name))
        except FindingStoreError:
            damaged.append(name)
    for record in sorted(records, key=_rank):
        what = title(record.verdicts[0].oracle)
        yield f"  {record.id}  {record.target}: {what}, under {record.case}"
    yield from (f"  {name}  (damaged)" for name in damaged)
