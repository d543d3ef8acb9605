"""Takes secrets out of a record before it is written anywhere; which they are others know."""

import json
from typing import Any

from robotape.models.record import Record, encode
from robotape.secrets import Redactor

__all__ = ["clean"]


def clean(entry: Record, known: Redactor) -> None:
    """Take secrets out of everything in a step that others had a hand in."""
    entry.content = known.data(entry.content)
    # Also names: a model may ask for a tool of any name. Hardly ever is there anything in them.
    names = f"{entry.node}\n{entry.call_id}"
    if known.text(names) is not names:
        entry.node = known.text(entry.node)
        entry.call_id = known.text(entry.call_id)
    if entry.facts:
        entry.facts = {name: _cleaned(fact, known) for name, fact in entry.facts.items()}


def _cleaned(fact: Any, known: Redactor) -> Any:
    if isinstance(fact, str):
        return known.text(fact)
    if fact is None or isinstance(fact, int | float):
        return fact
    return json.loads(known.data(encode(fact)))
