"""An oracle explained on a terminal: what its verdict means, and all there are, as lines.

It lays out the text that ships with the oracles; it knows no oracle by name.
"""

from collections.abc import Iterator

from robotape_harness.oracles.explained import explained
from robotape_harness.report.lines import WIDTH, Line, Span, line, wrapped
from robotape_harness.report.wording import title

__all__ = ["explanation_lines", "overview_lines"]

INDENT = 2
CODE = "```"
LABEL = "*"  # of a paragraph that begins `*Fix.* `


def explanation_lines(oracle: str, *, width: int = WIDTH) -> list[Line]:
    """What an oracle accuses of, where that was seen, how to mend it and how to waive it.

    Args:
        oracle: Its id.
        width: Columns; code is not cut.

    Raises:
        KeyError: There is no text about it.
    """
    rows = [line(Span(title(oracle), "title"), Span(f"   {oracle}", "dim")), ()]
    for block in _blocks(explained()[oracle]):
        rows += [*_block(block, width), ()]
    waived = f'Scenario(..., waived={{"{oracle}": "why it does not count here"}})'
    return [*rows, line(" " * 2 * INDENT, Span(waived, "command"))]


def overview_lines(*, width: int = WIDTH) -> list[Line]:
    """Every oracle with its headline, worst harm first."""
    room = max(map(len, explained())) + INDENT + 2
    rows = []
    for oracle in explained():
        first, *rest = wrapped(title(oracle), indent=room, width=width)
        rows += [line(" " * INDENT, Span(oracle.ljust(room - INDENT), "command"), *first[1:])]
        rows += rest
    return [*rows, (), line(" " * INDENT, Span("robotape explain ORACLE", "command"), " says more")]


def _blocks(text: str) -> Iterator[str]:
    """Paragraphs, and blocks of code with the lines that are empty in them."""
    for number, part in enumerate(text.split(f"\n{CODE}")):
        if number % 2:
            yield CODE + part
        else:
            yield from filter(None, (paragraph.strip() for paragraph in part.split("\n\n")))


def _block(block: str, width: int) -> list[Line]:
    if block.startswith(CODE):
        _, *code = block.splitlines()
        return [line(" " * 2 * INDENT, Span(each, "command")) if each else () for each in code]
    label, told = "", block
    if block.startswith(LABEL):
        label, _, told = block.removeprefix(LABEL).partition(f"{LABEL} ")
    rows = wrapped(" ".join([label, *told.split()]).strip(), indent=INDENT, width=width)
    if not label:
        return rows
    first = rows[0][1].text.removeprefix(label)
    return [line(" " * INDENT, Span(label, "title"), first), *rows[1:]]
