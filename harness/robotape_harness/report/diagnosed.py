"""What the doctor found, for people and for programs."""

import json
from collections.abc import Iterator
from dataclasses import asdict

from robotape_harness.campaign.doctor import Diagnosis, Difference, Source
from robotape_harness.report.document import FORMAT
from robotape_harness.report.lines import WIDTH, Line, Span, line, wrapped
from robotape_harness.report.page import labelled

__all__ = ["diagnosis_json", "diagnosis_lines"]

ADVICE = {
    "clock": "take instants from the loop's clock or from `time` and `datetime`, which follow it;"
    " what is allowed by `allow_real` stays real",
    "entropy": "draw from `random`, `secrets` or `uuid` inside the run, or from a generator that"
    " the world makes; what is allowed by `allow_real` stays real",
    "hash order": "go through sets and their like in a fixed order: sorted(...)",
    "identity": "name objects by what they are, not by where they lie: give the class a __repr__,"
    " or count",
    "process": "keep process and thread numbers, and whatever is drawn while modules are loaded,"
    " out of what the agent does",
    "unknown": "look for state that outlives a run (a global, a cache, a file), or for C code with"
    " a clock or chance of its own; the world is made anew for each run",
}
UNKNOWN = "nothing that robotape watches"


def diagnosis_lines(
    diagnosis: Diagnosis, *, scenario: str, seed: int, width: int = WIDTH
) -> list[Line]:
    """The result first, then why, then what was drawn.

    Args:
        diagnosis: What was found.
        scenario: Its name.
        seed: Of every run.
        width: Columns.
    """
    head = [line(Span(scenario, "title"), Span(f"  seed {seed}", "dim")), ()]
    if diagnosis.difference is None:
        said = f"{diagnosis.runs} runs are the same, two here, others under other hash seeds"
        result = [line(Span("DETERMINISTIC", "good"), f"  {said}")]
    else:
        said = f"it differs from {diagnosis.difference.other}"
        result = [line(Span("NOT DETERMINISTIC", "bad"), f"  {said}"), ()]
        result += _why(diagnosis.difference, width)
    return [*head, *result, *_drawn(diagnosis.sources, width)]


def diagnosis_json(diagnosis: Diagnosis, *, scenario: str, seed: int) -> str:
    """The same as canonical JSON text."""
    document = {
        "robotape_doctor": FORMAT,
        "scenario": scenario,
        "seed": seed,
        "deterministic": diagnosis.difference is None,
        **{name: value for name, value in asdict(diagnosis).items() if name != "trouble"},
    }
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _why(difference: Difference, width: int) -> Iterator[Line]:
    source = difference.source
    cause = UNKNOWN if source.cause == "unknown" else source.cause
    what = ": ".join(filter(None, (cause, source.call)))
    yield from labelled("event", difference.event, width)
    yield from labelled("drawn", f"{what} at {source.where}" if source.where else what, width)
    if difference.values:
        name, first, second = difference.values
        said = f"`{name}` was {first} in the first run, {second} in the other"
        yield from labelled("value", said, width)
    yield from labelled("mend", ADVICE.get(source.cause, ADVICE["unknown"]), width)


def _drawn(sources: tuple[Source, ...], width: int) -> Iterator[Line]:
    yield ()
    if not sources:
        yield line(Span("It drew nothing from clocks or chance.", "dim"))
        return
    yield line(
        Span("It drew, from virtual clocks and from the seed unless real ones are allowed:", "dim")
    )
    for source in sources:
        times = "once" if source.times == 1 else f"{source.times} times"
        at = f" at {source.where}" if source.where else ""
        yield from wrapped(f"{source.cause}: {source.call}{at}, {times}", indent=2, width=width)
