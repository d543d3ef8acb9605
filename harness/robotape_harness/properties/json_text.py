"""JSON text, also such as a model should not send; it knows nothing of tools.

`write` puts down what `json.dumps` cannot: a key twice, a literal that JSON has not. `as_sent`
spoils sound text the way models do.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from robotape_harness.properties.scalars import Strategy

__all__ = ["Literal", "Twins", "as_sent", "pieces", "spellings", "write"]


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that goes into JSON as it is, such as `NaN`."""

    text: str


@dataclass(frozen=True, slots=True)
class Twins:
    """An object by its pairs, so that a key may stand there twice."""

    pairs: tuple[tuple[str, Any], ...]


def write(value: Any) -> str:
    """A value as JSON text, `Literal` and `Twins` included."""
    return "".join(_written(value))


def _written(value: Any) -> Iterator[str]:
    if isinstance(value, Literal):
        yield value.text
    elif isinstance(value, dict | Twins):
        pairs = value.items() if isinstance(value, dict) else value.pairs
        yield "{"
        for place, (key, item) in enumerate(pairs):
            yield f"{', ' if place else ''}{json.dumps(key)}: "
            yield from _written(item)
        yield "}"
    elif isinstance(value, list | tuple):
        yield "["
        for place, item in enumerate(value):
            yield ", " if place else ""
            yield from _written(item)
        yield "]"
    else:
        yield json.dumps(value)


def spellings(value: Any) -> tuple[str, ...]:
    """The same value in other JSON texts: any reader must make the same of all of them."""
    plain = json.dumps(value, ensure_ascii=False)
    return (
        plain,
        json.dumps(value),  # unicode escapes
        json.dumps(value, indent=2),
        f"\n\t {json.dumps(value, sort_keys=True, separators=(',', ':'))} \r\n",
        json.dumps(_turned(value)),
    )


def _turned(value: Any) -> Any:
    """Keys in the opposite order, at every level."""
    if isinstance(value, dict):
        return {key: _turned(item) for key, item in reversed(value.items())}
    return [_turned(item) for item in value] if isinstance(value, list) else value


def as_sent(value: Any) -> Strategy:
    """Text that means an object to people and is not JSON: (text, what is wrong with it).

    Truncated, with text behind it, fenced in markdown, in single quotes, with Python's literals,
    with a comment or a trailing comma, sent as a string, sent twice.
    """
    text = json.dumps(value)
    whole = st.sampled_from(
        [
            (f"```json\n{text}\n```", "fenced"),
            (f"{text}\nIs there anything else?", "trailing text"),
            (f"Here you are: {text}", "leading text"),
            (f"{text}{text}", "twice"),
            (f"{text[:-1]}, }}", "trailing comma"),
            (f"{{/* mine */{text[1:]}", "comment"),
            (json.dumps(text), "a string"),
            (f"[{text}]", "an array"),
            (f"\ufeff{text}", "byte order mark"),
            (f"{text}\x00", "NUL"),
            (f"{{'x': 1, {text[1:]}", "single quotes"),
            (f'{{"x": None, {text[1:]}', "python literals"),
        ]
    )
    cut = st.integers(0, len(text) - 1).map(lambda length: (text[:length], "truncated"))
    return whole | cut


def pieces(text: str, cuts: Sequence[int]) -> list[bytes]:
    """A text as a stream brings it: its bytes, cut at any of them, also within a character."""
    data = text.encode("utf-8", "surrogatepass")
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(places)]
