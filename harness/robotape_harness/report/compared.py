"""Two runs side by side, from where they part; it judges nothing."""

from collections.abc import Iterator

from robotape.models.kinds import StepType
from robotape_harness.campaign.events import Effect, Event, events_of
from robotape_harness.campaign.explain import Explanation
from robotape_harness.report.excerpt import said
from robotape_harness.report.lines import Line, Span, Style, fitted, line
from robotape_harness.simulation.trial import Trial

__all__ = ["comparison", "parting"]

INDENT = 4
GAP = " | "
NUMBER = 4  # columns of a step's index, and the blank behind it
BEFORE = 1  # events shown that are still the same


def comparison(trial: Trial, explanation: Explanation, *, width: int, rows: int) -> list[Line]:
    """A failing run on the left, the nearest one that passes on the right.

    Args:
        trial: The failing run.
        explanation: What was found out about it.
        width: Columns.
        rows: Events shown of each run, at most; >= 1.
    """
    room = (width - INDENT - NUMBER - len(GAP)) // 2
    one, other = events_of(trial), events_of(explanation.nearest)
    first = max(0, explanation.differs_at - BEFORE)
    last = min(first + rows, max(len(one), len(other)))
    lines = [_row("", Span("this run", "dim"), Span("the run that passes", "dim"), room)]
    for place in range(first, last):
        left, right = (each[place] if place < len(each) else None for each in (one, other))
        number = str(left.index) if left is not None else ""
        is_same = place < explanation.differs_at
        lines.append(_row(number, _span(left, is_same), _span(right, is_same), room))
    return [*lines, *_rest(last, len(one), len(other), room)]


def parting(trial: Trial, explanation: Explanation) -> int:
    """The step of the failing run at which the two part: 0-based index on its tape."""
    events = events_of(trial)
    place = explanation.differs_at
    return events[place].index if place < len(events) else len(trial.tape)


def _row(number: str, left: Span, right: Span, room: int) -> Line:
    margin = " " * INDENT + number.rjust(NUMBER - 1) + " "
    here = Span(fitted(left.text, room).ljust(room), left.style)
    there = Span(fitted(right.text, room), right.style)
    return line(Span(margin, "dim"), here, Span(GAP, "dim"), there)


def _rest(last: int, one: int, other: int, room: int) -> Iterator[Line]:
    """What is not shown any more."""
    if max(one, other) > last:
        left, right = (f"({max(0, length - last)} more)" for length in (one, other))
        yield _row("", Span(left, "dim"), Span(right, "dim"), room)


def _span(event: Event | None, is_same: bool) -> Span:
    if event is None:
        return Span("(it has ended)", "dim")
    what = event.what
    if isinstance(what, Effect):
        again = f" again ({what.count} times now)" if what.count > 1 else ""
        style: Style = "repeat" if what.count > 1 else "effect"
        return Span(f"++ committed{again}: {what.commit.identity}", "dim" if is_same else style)
    attempt = f" attempt {what.attempt}" if what.attempt > 1 else ""
    style = "error" if what.type is StepType.ERROR else "text"
    told = f"{what.type.value.upper()} {what.node}{attempt} {said(what)}"
    return Span(told, "dim" if is_same else style)
