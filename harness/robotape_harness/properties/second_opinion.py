"""The published schema read by a validator that is not pydantic; it asks the tool nothing."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

__all__ = ["Opinion", "advice", "schema_faults"]

_LIMITS = {"string": "maxLength", "array": "maxItems"}
_CLOSED = ("enum", "const", "format", "pattern")


class Opinion:
    """Whether arguments fit a schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Read the schema.

        Args:
            schema: JSON Schema, draft 2020-12.
        """
        self._validator = Draft202012Validator(dict(schema))

    def of(self, text: str) -> str:
        """Why the arguments do not fit; empty if they do, or if the text is not plain JSON.

        A key given twice, NaN and lone surrogates are no matter of a schema.
        """
        try:
            value = json.loads(text)
        except ValueError:
            return ""
        error = next(iter(self._validator.iter_errors(value)), None)
        return "" if error is None else f"{error.json_path}: {error.message[:120]}"


def schema_faults(definition: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What is wrong with a tool as a model is told of it: (rule, JSON path, why)."""
    schema = definition["parameters"]
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        yield "S4", error.json_path, f"no JSON Schema of draft 2020-12: {error.message}"
        return
    for path, part in _parts(schema, "$", dict(schema.get("$defs", {}))):
        if "properties" in part and part.get("additionalProperties") is not False:
            yield "S4", path, "the model is not told that other keys are refused"
    odd = [mark for mark in definition["description"] if _is_invisible(mark)]
    if odd:
        yield "S7", "$", f"the description holds the invisible character {odd[0]!a}"
    for key, part in schema.get("properties", {}).items():
        if "default" in part and (why := Opinion({**part, **_defs(schema)}).of(_dumps(part))):
            yield "S8", f"$.{key}", f"the default does not fit the schema: {why}"


def advice(definition: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What makes a tool harder to use well, and is no fault: (rule, JSON path, why)."""
    schema = definition["parameters"]
    if not definition["description"]:
        yield "S7", "$", "the model is not told what the tool does"
    for path, part in _parts(schema, "$", dict(schema.get("$defs", {}))):
        limit = _LIMITS.get(str(part.get("type")))
        if limit is not None and limit not in part and not any(name in part for name in _CLOSED):
            yield "S6", path, f"no {limit}: only robotape's own bounds hold"


def _dumps(part: Mapping[str, Any]) -> str:
    return json.dumps(part["default"])


def _defs(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"$defs": schema["$defs"]} if "$defs" in schema else {}


def _is_invisible(mark: str) -> bool:
    return not mark.isprintable() and mark not in "\n\t\r"


def _parts(
    schema: Any, path: str, defs: dict[str, Any], seen: tuple[str, ...] = ()
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every part of a schema with its path, references followed once."""
    if not isinstance(schema, Mapping):
        return
    ref = schema.get("$ref")
    if ref is not None:
        name = str(ref).rsplit("/", 1)[-1]
        if name not in seen:
            yield from _parts(defs[name], path, defs, (*seen, name))
        return
    yield path, schema
    for key, part in schema.get("properties", {}).items():
        yield from _parts(part, f"{path}.{key}", defs, seen)
    for name in ("items", "additionalProperties"):
        yield from _parts(schema.get(name), f"{path}[]", defs, seen)
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _parts(part, path, defs, seen)
