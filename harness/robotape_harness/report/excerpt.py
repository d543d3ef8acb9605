"""The tape excerpt of a run: its steps as aligned lines, the fault and the effects in place.

It lays out what the story selects; it judges nothing.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from robotape.models.record import Record
from robotape.models.steps import StepStatus, StepType
from robotape.secrets import redact
from robotape_harness.campaign.events import Effect
from robotape_harness.faults.inject import Struck
from robotape_harness.oracles.verdict import Verdict
from robotape_harness.report.lines import Line, Span, Style, fitted, line
from robotape_harness.report.story import Story, last_steps, story_of
from robotape_harness.report.wording import consequence
from robotape_harness.simulation.trial import Trial

__all__ = ["ending", "excerpt", "said", "tail"]

INDENT = 4
ENDINGS = {
    "cancelled": "the run was cancelled",
    "hung": "the run never ended: {}",
    "blocked": "the run was given up: {}",
    "target_error": "the scenario itself is at fault: {}",
    "raised": "the run raised {}",
}


def excerpt(
    trial: Trial, struck: Sequence[Struck], verdicts: Sequence[Verdict] = (), *, width: int
) -> list[Line]:
    """The story of a run under faults in tape order, and how the run ended.

    Args:
        trial: Its tape is only read.
        struck: What was injected, and which attempts it met.
        verdicts: What the oracles say of this very run.
        width: Columns; what is longer ends in `…`.
    """
    page = _Page(trial, story_of(trial, struck, verdicts), width)
    return [*page.rows(), ending(trial, width=width)]


def tail(trial: Trial, *, width: int) -> list[Line]:
    """The last steps of a run whose error is told elsewhere: its text is not told again."""
    error = "" if trial.error is None else str(trial.error)
    return [*_Page(trial, last_steps(trial), width, error).rows()]


def ending(trial: Trial, *, width: int) -> Line:
    """How the run ended."""
    style: Style = "text" if trial.ending == "answered" else "error"
    told = redact(_how_it_ended(trial))
    return line(" " * INDENT, Span(fitted(told, width - INDENT), style))


def _how_it_ended(trial: Trial) -> str:
    if trial.result is None:
        error = "" if trial.error is None else f"{type(trial.error).__name__}: {trial.error}"
        return ENDINGS.get(trial.ending, "the run ended: {}").format(error)
    if trial.result.stop_reason == "finished":
        return f'the run answered "{trial.result.output}"'
    why = trial.result.error or trial.result.output
    return f"the run stopped ({trial.result.stop_reason}): {why}"


@dataclass(frozen=True, slots=True)
class _Page:
    trial: Trial
    story: Story
    width: int
    told_elsewhere: str = ""

    def rows(self) -> Iterator[Line]:
        """One line per step, with what happened between it and the next of its call."""
        steps = self.story.steps
        nodes = max((len(self.trial.tape[index].node) for index in steps), default=0)
        previous = -1
        for index in steps:
            yield from self._gap(index - previous - 1)
            yield self._step(self.trial.tape[index], nodes)
            yield from self._between(index)
            previous = index
        yield from self._gap(len(self.trial.tape) - previous - 1)
        for effect in self.story.stray:
            yield self._effect(effect)

    def _gap(self, count: int) -> Iterator[Line]:
        if count:
            steps = "step" if count == 1 else "steps"
            yield self._note("", f"({count} more {steps})", "dim")

    def _step(self, entry: Record, nodes: int) -> Line:
        attempt = f"attempt {entry.attempt}" if entry.attempt else "refused"
        what = f"{entry.type.value.upper():<11}  {entry.node:<{nodes}}  {attempt:<9}  "
        when = f"{' ' * INDENT}t={entry.at:>{self._instants}.3f} s  "
        room = max(self.width - len(when) - len(what), 20)
        style: Style = "error" if entry.type is StepType.ERROR else "text"
        return line(
            Span(when, "dim"), Span(what, style), Span(fitted(self._told(entry), room), style)
        )

    def _told(self, entry: Record) -> str:
        """What a step says; of an error whose text stands elsewhere, its class."""
        told = said(entry)
        kind, _, message = told.partition(": ")
        is_error = entry.type is StepType.ERROR
        return kind if is_error and message and message == self.told_elsewhere else told

    def _between(self, index: int) -> Iterator[Line]:
        for effect in self.story.effects.get(index, ()):
            yield self._effect(effect)
        for fault in self.story.struck.get(index, ()):
            manner = fault.manner.replace("_", " ")
            yield self._note("!!", f"{manner}: {consequence(fault)}", "fault")
        delay = (self.trial.tape[index].facts or {}).get("delay")
        if delay is not None:
            yield self._note("..", f"waits {delay:.3f} s, then tries again", "dim")

    def _effect(self, effect: Effect) -> Line:
        again = f" again ({effect.count} times now)" if effect.count > 1 else ""
        style: Style = "repeat" if effect.count > 1 else "effect"
        return self._note("++", f"committed{again}: {effect.commit.identity}", style)

    def _note(self, mark: str, text: str, style: Style) -> Line:
        margin = " " * (INDENT + self._instants + 6 - len(mark) - 2)
        room = self.width - len(margin) - len(mark) - 2
        return line(margin, Span(f"{mark}  {fitted(text, room)}", style))

    @property
    def _instants(self) -> int:
        """Columns of an instant."""
        return max((len(f"{entry.at:.3f}") for entry in self.trial.tape), default=5)


def said(entry: Record) -> str:
    """What a step says, short."""
    content = entry.value
    if entry.status is StepStatus.CANCELLED:
        return "cancelled"
    if entry.type is StepType.ERROR and isinstance(content, dict) and "error" in content:
        return f"{content['error']}: {content['message']}"
    if entry.node == "llm" and isinstance(content, dict):
        return _of_a_model(entry, content)
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _of_a_model(entry: Record, content: dict[str, Any]) -> str:
    if entry.type is StepType.ACTION and content.get("messages"):
        last = content["messages"][-1]
        return f"{last['role']}: {last['content']}"
    if entry.type is StepType.THOUGHT:
        calls = [f"{call['name']} {call['arguments']}" for call in content.get("tool_calls", ())]
        return f"calls {', '.join(calls)}" if calls else f'says "{content.get("text", "")}"'
    return str(content.get("finish_reason", ""))
