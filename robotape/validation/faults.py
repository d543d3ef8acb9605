"""pydantic's errors as JSON paths and words a model can correct itself from; no value is repeated.

pydantic's own texts name what was expected, and are kept, except where they quote the input.
A text from a user's validator is kept too, and every value of the call that it quotes is
cut out of it: strings of four characters or more wherever they stand, shorter ones between
quotes, numbers as whole words. What a validator made of a value (upper case, a hash) is not
recognised: it should not put that in its text.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from robotape.validation.text import Fault, Number, path_of

__all__ = ["faults_of", "locate"]

_LIMIT = 100  # faults told one by one; the rest is counted: a model reads this text
_TEXT_LIMIT = 300  # characters of a text that is not ours

_UNKNOWN = {"extra_forbidden", "unexpected_keyword_argument"}
_MISSING = {
    "missing", "missing_argument", "missing_keyword_only_argument",
    "missing_positional_only_argument",
}  # fmt: skip
_OURS = {
    "dict_type": "Input should be a JSON object",
    "dataclass_type": "Input should be a JSON object",
    "model_type": "Input should be a JSON object",
    "list_type": "Input should be a JSON array",
    "set_type": "Input should be a JSON array",
    "tuple_type": "Input should be a JSON array",
    "string_unicode": "Input should be valid Unicode text",
    "bytes_invalid_encoding": "Input is not encoded as it should be",
    # pydantic quotes the first odd character.
    "uuid_parsing": "Input should be a valid UUID, such as 12345678-1234-5678-1234-567812345678",
}
# pydantic's own types whose text is made of constants and of what the tool declared.
_SAFE = re.compile(
    r"[a-z_]+_(type|parsing|parsing_size|too_short|too_long|pattern_mismatch|past|future|inexact)"
    r"|(greater|less)_than(_equal)?|too_(short|long)|multiple_of|finite_number|int_from_float"
    r"|literal_error|enum|decimal_\w+|uuid_version|timezone_\w+|url_(scheme|too_long)"
    r"|union_tag_not_found|none_required|is_instance_of|invalid_key"
).fullmatch
_KEY = re.compile(r"'([^'|]+)'").fullmatch
# What a validator that passes str(ValidationError) on brings along.
_MORE_READING = re.compile(r"\s*For further information visit \S+")
_QUOTING = {"url_parsing", "mapping_type"}


def faults_of(
    details: Sequence[Mapping[str, Any]], given: Any, schema: Mapping[str, Any]
) -> tuple[Fault, ...]:
    """Every fault, in pydantic's order, each once.

    Args:
        details: pydantic's errors, without their input.
        given: The value, from the JSON text.
        schema: JSON Schema of the arguments, for the names that exist.

    Returns:
        One (path, message) per fault; after the hundredth they are only counted.
    """
    words = _Words(given)
    found: dict[Fault, None] = {}
    for index, detail in enumerate(details):
        if len(found) == _LIMIT:
            return (*found, ("$", f"and {len(details) - index} faults more"))
        steps = locate(detail["loc"], given)
        if detail["type"] in _UNKNOWN:
            message = f"unknown key; {_suggestion(steps, schema)}"
        elif detail["type"] in _MISSING:
            steps = [*steps, detail["loc"][-1]]
            message = "required, but not given"
        else:
            message = words.of(detail)
            steps = [*steps, *_tag(detail)]
        found.setdefault((path_of(steps), message))
    return tuple(found)


def _tag(detail: Mapping[str, Any]) -> list[str]:
    """The key that says which member of a union is meant, where it is that which is wrong."""
    if detail["type"] not in {"union_tag_invalid", "union_tag_not_found"}:
        return []
    named = _KEY(str(detail["ctx"]["discriminator"]))  # a function's has no quotes, a path has bars
    return [] if named is None else [named[1]]


def locate(loc: Sequence[str | int], given: Any) -> list[str | int]:
    """The steps of pydantic's `loc` that exist in the value; the others name union members."""
    steps: list[str | int] = []
    for step in loc:
        if isinstance(given, dict) and str(step) in given:
            given = given[str(step)]
            steps.append(str(step))
        elif isinstance(given, list) and isinstance(step, int) and step < len(given):
            given = given[step]
            steps.append(step)
    return steps


def _suggestion(steps: Sequence[str | int], schema: Mapping[str, Any]) -> str:
    known = sorted(set(_names_at(schema, steps[:-1], schema)))
    folded = {name.casefold(): name for name in known}
    wrong = str(steps[-1])[:64].casefold() if steps else ""
    near = difflib.get_close_matches(wrong, folded, n=1)
    if near:
        return f"did you mean {folded[near[0]]}?"
    if not known:
        return "there are no keys here"
    return "the keys are " + ", ".join(known[:20]) + (", …" if len(known) > 20 else "")


def _names_at(schema: Any, steps: Sequence[str | int], root: Mapping[str, Any]) -> Iterator[str]:
    """The keys that the schema knows at a place, over all members of a union."""
    for option in _options(schema, root):
        if not steps:
            yield from option.get("properties", ())
        elif isinstance(steps[0], int):
            yield from _names_at(option.get("items"), steps[1:], root)
        else:
            within = option.get("properties", {}).get(steps[0], option.get("additionalProperties"))
            yield from _names_at(within, steps[1:], root)


def _options(schema: Any, root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if not isinstance(schema, Mapping):
        return
    if "$ref" in schema:
        yield from _options(root["$defs"][schema["$ref"].rsplit("/", 1)[-1]], root)
    for option in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _options(option, root)
    yield schema


class _Words:
    """Messages about one value, which they do not repeat."""

    def __init__(self, given: Any) -> None:
        self._given = given

    def of(self, detail: Mapping[str, Any]) -> str:
        """What to say of one of pydantic's errors."""
        kind = detail["type"]
        if kind in _OURS:
            return _OURS[kind]
        if kind == "union_tag_invalid":
            context = detail["ctx"]
            return f"{context['discriminator']} should be one of {context['expected_tags']}"
        if kind not in _QUOTING and _SAFE(kind):
            return str(detail["msg"])
        return self._without_values(_MORE_READING.sub("", str(detail["msg"])))

    def _without_values(self, text: str) -> str:
        # The longest first, or a part of it would be cut and the rest shown.
        for spelling in self._spellings:
            if spelling in text:  # cheap, where a pattern is not, and there may be thousands
                text = re.sub(_pattern(spelling), "<value>", text)
        return text if len(text) <= _TEXT_LIMIT else text[: _TEXT_LIMIT - 1] + "…"

    @cached_property
    def _spellings(self) -> list[str]:
        found = {item for leaf in _leaves(self._given) for item in _spellings(leaf)}
        return sorted(found, key=lambda item: (-len(item), item))


def _leaves(given: Any) -> Iterator[str | int | float]:
    if isinstance(given, dict):
        for item in given.values():
            yield from _leaves(item)
    elif isinstance(given, list):
        for item in given:
            yield from _leaves(item)
    elif isinstance(given, str | int | float) and not isinstance(given, bool):
        yield given


def _spellings(leaf: str | int | float) -> set[str]:
    if isinstance(leaf, str):
        forms = {leaf, leaf.strip(), repr(leaf)[1:-1], json.dumps(leaf)[1:-1]}
        return {form for form in forms if form}
    return {str(leaf), leaf.literal} if isinstance(leaf, Number) else {str(leaf)}


def _pattern(spelling: str) -> str:
    quoted = re.escape(spelling)
    if re.fullmatch(r"[-+.\deE]+", spelling):
        return rf"(?<![\w.]){quoted}(?![\w])"
    return quoted if len(spelling) >= 4 else rf"(?<=['\"]){quoted}(?=['\"])"
