"""The coverage of a campaign as a matrix of sites and kinds, and in numbers.

What was possible is the campaign's knowledge; this only shows it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import cycle
from string import ascii_letters

from robotape_harness.campaign.findings import Coverage
from robotape_harness.report.lines import Line, Span, Style, fitted, line, wrapped

__all__ = ["covered", "matrix"]

INDENT = 2
GAP = "   "
# Plain ASCII: a log, a mail and any terminal show it as it is.
CELLS: Mapping[str, tuple[str, Style]] = {
    "ok": (".", "good"),
    "finding": ("X", "bad"),
    "waived": ("w", "doubtful"),
    "untried": ("?", "doubtful"),
    "impossible": ("-", "dim"),
}
MEANINGS = {
    "ok": "held",
    "finding": "finding",
    "waived": "waived",
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
