"""The coverage of a campaign as a matrix of sites and kinds, and in numbers.

What was possible is the campaign's knowledge; this only shows it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import cycle
from string import ascii_letters

from robotape_harness.campaign.coverage import Coverage, Orders, StageCoverage
from robotape_harness.report.lines import Line, Span, Style, fitted, line, wrapped

__all__ = ["covered", "matrix", "searched"]

INDENT = 2
NAME = 11
SHOWN_ELSEWHERE = frozenset({"recorded", "singles"})  # among the findings, and in the matrix
SHOWN = 8  # hundreds of runs of which the new neighbours are listed
GAP = "   "
# Plain ASCII: a log, a mail and any terminal show it as it is.
CELLS: Mapping[str, tuple[str, Style]] = {
    "recovered": (".", "good"),
    "failed": ("o", "text"),
    "finding": ("X", "bad"),
    "waived": ("w", "doubtful"),
    "not_reached": ("~", "doubtful"),
    "untried": ("?", "doubtful"),
    "impossible": ("-", "dim"),
}
MEANINGS = {
    "recovered": "recovered",
    "failed": "failed, and said so",
    "finding": "finding",
    "waived": "waived",
    "not_reached": "struck nothing",
    "untried": "not tried",
    "impossible": "cannot happen",
}


def matrix(coverage: Coverage, *, width: int) -> list[Line]:
    """One row per call of the fault-free run, one column per kind of fault, named by letters.

    Args:
        coverage: As the campaign counted it.
        width: Columns; a longer site is cut.
    """
    kinds = list(dict.fromkeys(kind for row in coverage.by_site.values() for kind in row))
    room = max(width - INDENT - 2 * len(kinds) - 2, 12)
    names = {site: fitted(site, room) for site in coverage.by_site}
    margin = max((len(name) for name in names.values()), default=0) + INDENT + 2
    letters = dict(zip(kinds, cycle(ascii_letters), strict=False))
    rows = [line(" " * margin, Span(" ".join(letters.values()), "dim"))]
    for site, row in coverage.by_site.items():
        label = f"{' ' * INDENT}{names[site]}".ljust(margin)
        rows.append(line(label, *_cells(row, kinds)))
    rows += [line(" " * INDENT, Span(_legend(coverage), "dim")), ()]
    return [*rows, *_named(letters, width)]


def covered(coverage: Coverage, *, width: int) -> list[Line]:
    """In numbers: what was tried of what is possible, and why the rest cannot happen."""
    summary = f"{coverage.tried} of {coverage.possible} possible faults tried"
    if not coverage.impossible:
        return [line(" " * INDENT, summary)]
    rows = [line(" " * INDENT, f"{summary}; {len(coverage.impossible)} cannot happen:")]
    reasons = Counter(reason for _, reason in coverage.impossible)
    for reason, count in reasons.items():
        head = f"{' ' * INDENT}{count:>4}  "
        first, *rest = wrapped(reason, indent=len(head), width=width, style="dim")
        rows += [line(Span(head, "dim"), *first[1:]), *rest]
    return rows


def searched(coverage: Coverage, *, width: int) -> list[Line]:
    """In numbers: what the stages behind the single faults tried, and what of it was new."""
    rows: list[Line] = []
    for stage in coverage.stages:
        told = _told(stage)
        if stage.name not in SHOWN_ELSEWHERE and told:
            rows += _row(stage.name, told, width)
    if coverage.orders is not None:
        rows += _row("orders", _orders(coverage.orders), width)
    if coverage.retried or coverage.revealed:
        rows += _row("retries", _retries(coverage), width)
    if coverage.vacuous:
        rows += _row("vacuous", f"{len(coverage.vacuous)} cases whose faults struck nothing", width)
    return rows


def _told(stage: StageCoverage) -> str:
    """What a stage did; empty where there was nothing for it."""
    total = "" if stage.possible in (None, stage.tried) else f" of {stage.possible:,}"
    parts = [f"{stage.tried:,}{total} run"] if stage.tried else []
    parts += [f"{stage.findings:,} broke it"] if stage.findings else []
    if stage.name == "schedules" and stage.left_out:
        return "; ".join(stage.left_out)
    parts += [f"{count:,} {why}" for why, count in stage.left_out.items()]
    return "; ".join(parts)


def _orders(orders: Orders) -> str:
    new = ", ".join(f"{count:,}" for count in orders.new[:SHOWN])
    more = ", ..." if len(orders.new) > SHOWN else ""
    return (
        f"{orders.orders:,} orders of the steps in {orders.runs:,} runs with {orders.schedules:,} "
        f"schedules; new neighbours per hundred runs: {new}{more}; the next run shows an unseen "
        f"order with a chance of {orders.unseen:.0%}"
    )


def _retries(coverage: Coverage) -> str:
    total = len(coverage.by_site)
    told = f"at {len(coverage.retried)} of {total} calls something was tried again"
    if not coverage.revealed:
        return told
    return f"{told}; made only under faults: {', '.join(coverage.revealed)}"


def _row(name: str, told: str, width: int) -> Iterator[Line]:
    first, *rest = wrapped(told, indent=INDENT + NAME, width=width)
    yield line(" " * INDENT, Span(name.ljust(NAME), "dim"), *first[1:])
    yield from rest


def _named(letters: Mapping[str, str], width: int) -> Iterator[Line]:
    """Which kind each letter stands for, as many as fit on a line; none is torn apart."""
    row = ""
    for kind, letter in letters.items():
        entry = f"{letter} {kind.replace('_', ' ')}"
        if row and INDENT + len(row) + len(GAP) + len(entry) > width:
            yield line(" " * INDENT, Span(row, "dim"))
            row = ""
        row += f"{GAP if row else ''}{entry}"
    yield line(" " * INDENT, Span(row, "dim"))


def _cells(row: Mapping[str, str], kinds: list[str]) -> Iterator[Span]:
    for kind in kinds:
        sign, style = CELLS.get(row.get(kind, ""), (" ", "text"))
        yield Span(f"{sign} ", style)


def _legend(coverage: Coverage) -> str:
    """What the signs that occur mean."""
    seen = {state for row in coverage.by_site.values() for state in row.values()}
    return GAP.join(f"{CELLS[state][0]} {MEANINGS[state]}" for state in CELLS if state in seen)
