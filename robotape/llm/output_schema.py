"""What a provider's structured output can hold a model to; pure questions about a JSON Schema."""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["closed", "is_exact"]

# What OpenAI's strict mode has no grammar for.
_INEXACT = frozenset(
    {"allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas",
     "patternProperties", "propertyNames", "uniqueItems", "prefixItems", "minLength", "maxLength"}
)  # fmt: skip
_KEPT = frozenset(
    {"$defs", "$ref", "additionalProperties", "allOf", "anyOf", "const", "description", "enum",
     "items", "properties", "required", "title", "type"}
)  # fmt: skip
_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
# Keywords that say nothing about what is valid.
_SILENT = frozenset({"default", "discriminator", "examples", "oneOf"})


def is_exact(schema: Mapping[str, Any]) -> bool:
    """Whether OpenAI can hold a model to the schema as it is: `strict` may be asked for.

    A pydantic model with `extra="forbid"` and no defaults has such a schema.

    Source:
        OpenAI, "Structured Outputs", supported schemas: every object closed, every property
        required.
    """
    return all(
        not _INEXACT & level.keys() and _is_closed(level) and _requires_all(level)
        for level in _levels(schema)
    )


def closed(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """The schema as Anthropic can hold a model to it: what it does not know becomes description.

    Returns:
        None if that is not possible, for an object has keys that are not known beforehand.

    Source:
        `transform_schema` of the anthropic SDK 2.12.0.
    """
    if any(_is_open(level) for level in _levels(schema)):
        return None
    return _closed(schema)


def _levels(schema: Any) -> Iterator[Mapping[str, Any]]:
    """The schema, and every schema within it."""
    if not isinstance(schema, Mapping):
        return
    yield schema
    for keyword in ("$defs", "properties"):
        for inner in schema.get(keyword, {}).values():
            yield from _levels(inner)
    for keyword in ("anyOf", "oneOf", "allOf", "prefixItems"):
        for inner in schema.get(keyword, ()):
            yield from _levels(inner)
    for keyword in ("items", "additionalProperties"):
        yield from _levels(schema.get(keyword))


def _is_closed(level: Mapping[str, Any]) -> bool:
    return level.get("type") != "object" or level.get("additionalProperties") is False


def _is_open(level: Mapping[str, Any]) -> bool:
    return level.get("additionalProperties", False) is not False


def _requires_all(level: Mapping[str, Any]) -> bool:
    return set(level.get("properties", ())) <= set(level.get("required", ()))


def _closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in schema.items() if key in _KEPT} | _within(schema)
    if kept.get("type") == "object":
        kept["additionalProperties"] = False
    if schema.get("format") in _FORMATS:
        kept["format"] = schema["format"]
    unsaid = {key: schema[key] for key in schema if key not in kept and key not in _SILENT}
    if unsaid:
        told = ", ".join(f"{key}: {value}" for key, value in unsaid.items())
        kept["description"] = f"{kept.get('description', '')}\n\n{{{told}}}".strip()
    return kept


def _within(schema: Mapping[str, Any]) -> dict[str, Any]:
    """What of a schema holds schemas, with those closed."""
    closed_ones: dict[str, Any] = {}
    for keyword in ("$defs", "properties"):
        if keyword in schema:
            closed_ones[keyword] = {name: _closed(it) for name, it in schema[keyword].items()}
    for keyword in ("anyOf", "oneOf", "allOf"):
        if keyword in schema:
            said = "anyOf" if keyword == "oneOf" else keyword
            closed_ones[said] = [_closed(inner) for inner in schema[keyword]]
    if isinstance(schema.get("items"), Mapping):
        closed_ones["items"] = _closed(schema["items"])
    return closed_ones
