"""What is nearly right for one value: the nearest ones that its type must refuse, each with a rule.

It is decided by the core schema alone, so a fault is one whatever the validator says of it.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from robotape_harness.properties.formats import format_of
from robotape_harness.properties.json_text import Literal
from robotape_harness.properties.scalars import duration, members, uuid_of
from robotape_harness.properties.shape import Level, Schema, Shape, is_object

__all__ = ["Spoilt", "as_text", "branches", "is_taken", "nearly", "of_another_type", "takes"]

Spoilt = tuple[str, Any]
"""(rule that is broken, the value that breaks it)."""

_ALL = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
_TAKES: Mapping[str, frozenset[str]] = {
    "any": _ALL,
    "bool": frozenset({"boolean"}),
    "decimal": frozenset({"integer", "number", "string"}),
    "float": frozenset({"integer", "number"}),
    "int": frozenset({"integer"}),
    "none": frozenset({"null"}),
    **dict.fromkeys(("deque", "frozenset", "list", "set", "tuple"), frozenset({"array"})),
    **dict.fromkeys(("counter", "defaultdict", "dict", "ordered-dict"), frozenset({"object"})),
    # Whether a named tuple may be an object too is pydantic's affair, and not tried.
    "named-tuple": frozenset({"array", "object"}),
    **dict.fromkeys(
        ("bytes", "complex", "date", "datetime", "multi-host-url", "str", "time", "timedelta",
         "url", "uuid"),
        frozenset({"string"}),
    ),
}  # fmt: skip
_OF_TYPE: Mapping[type, str] = {
    type(None): "null", bool: "boolean", int: "integer", float: "number", str: "string",
    list: "array", dict: "object",
}  # fmt: skip
# One of each kind, and what a lenient reader takes for another.
_WRONG: tuple[Any, ...] = (
    None, True, 7, 7.5, "x", "7", " 7 ", "7.5", "true", "yes", "", [], [7], {}, {"x": 7},
)  # fmt: skip
_LONE = "\ud800"
_HUGE = Literal("1" * 400)
_NOT_FINITE = ("NaN", "Infinity", "-Infinity", "1e999")
_MALFORMED = {
    "date": ("", "2024-02-30", "2024-13-01", "1700000000", "today"),
    "datetime": ("", "2024-02-30T00:00:00Z", "2024-01-01T25:00:00Z", "now"),
    "decimal": ("", "1,5", "0x1", "1_0", " 1", "one"),
    "time": ("", "25:00:00", "12:60:00", "noon"),
    "timedelta": ("", "P", "P1X", "a day"),
    "uuid": ("", "12345678", "g2345678-1234-5678-1234-567812345678"),
    "url": ("", "example", "://example.com", "https://"),
    "multi-host-url": ("", "example", "://example.com"),
}
_MALFORMED_FORMAT = {
    "IPv4Address": ("", "256.0.0.1", "1.2.3", "::1", "01.2.3.4"),
    "IPv6Address": ("", "1.2.3.4", "::g", ":::"),
    "IP address": ("", "256.0.0.1", "::g", 7),
    "IP network": ("", "10.0.0.1/33", "::/129", 7),
    "IP interface": ("", "10.0.0.1/33", 7),
    "e-mail address": ("", "ada", "@example.com", "ada@", "a b@example.com"),
    "encoded text": ("*", "YQ", "Y==="),
    "encoded bytes": ("*", "YQ", "Y==="),
    "pattern": ("(", "[", 7),
}


def takes(shape: Shape, schema: Schema, *, depth: int = 0) -> frozenset[str]:
    """JSON types that a part may take, all of them where a validator of the user's own decides."""
    level = shape.level(schema)
    kind = level.kind
    if not level.is_certain or depth > 8:
        return _ALL
    if kind == "nullable":
        return takes(shape, level.schema["schema"], depth=depth + 1) | {"null"}
    if kind in {"union", "tagged-union"}:
        found = [takes(shape, item, depth=depth + 1) for item in branches(level.schema)]
        return frozenset().union(*found)
    if kind in {"literal", "enum"}:
        return frozenset(_OF_TYPE[type(item)] for item in members(level.schema))
    return frozenset({"object"}) if is_object(level.schema) else _TAKES.get(kind, _ALL)


def branches(schema: Schema) -> list[Schema]:
    """The members of a union."""
    choices = schema["choices"]
    found = choices.values() if isinstance(choices, Mapping) else choices
    plain = [item[0] if isinstance(item, tuple) else item for item in found]
    return [item for item in plain if isinstance(item, Mapping)]


def is_taken(wrong: Any, taken: frozenset[str]) -> bool:
    """Whether a value's JSON type is among some; an integer is a number."""
    kind = "number" if isinstance(wrong, Literal) else _OF_TYPE[type(wrong)]
    return kind in taken or (kind == "integer" and "number" in taken)


def of_another_type(taken: frozenset[str]) -> Iterator[Spoilt]:
    """What no value of these JSON types may be replaced by, whatever its bounds are."""
    yield from (("type", wrong) for wrong in _WRONG if not is_taken(wrong, taken))
    if "number" in taken or "integer" in taken:
        for text in _NOT_FINITE:
            yield "finite", Literal(text)
        yield "finite", _HUGE
    if "string" in taken:
        yield "unicode", _LONE
        yield "bounds", "x" * 100_001
    if "array" in taken:
        yield "bounds", [None] * 1_001


def nearly(level: Level, value: Any) -> Iterator[Spoilt]:
    """What one value may be replaced by, of its own JSON type, so that one rule is broken.

    Args:
        level: Of the part.
        value: A valid one, for faults that lie near it.

    Yields:
        Rule and value; nothing where a validator of the user's own might take everything.
    """
    if not level.is_certain and not format_of(level.checks):
        return
    yield from _SPOIL.get(level.kind, _nothing)(level.schema, value)
    if level.kind in _MALFORMED:
        yield from (("format", wrong) for wrong in _MALFORMED[level.kind])
    yield from (("format", wrong) for wrong in _MALFORMED_FORMAT.get(format_of(level.checks), ()))


def _nothing(_: Schema, value: Any) -> Iterator[Spoilt]:
    yield from ()


def _integer(schema: Schema, value: Any) -> Iterator[Spoilt]:
    yield from _outside(schema, 1, int)
    step = schema.get("multiple_of")
    if step is not None and abs(step) > 1:
        yield "multiple_of", value + 1


def _outside(schema: Schema, unit: Any, kind: Any) -> Iterator[Spoilt]:
    """The nearest values beyond the bounds."""
    for name, away in (("ge", -unit), ("gt", 0 * unit), ("le", unit), ("lt", 0 * unit)):
        if schema.get(name) is not None:
            yield name, kind(schema[name] + away)


def _float(schema: Schema, value: Any) -> Iterator[Spoilt]:
    for name, towards in (("ge", -math.inf), ("le", math.inf)):
        if schema.get(name) is not None:
            yield name, math.nextafter(float(schema[name]), towards)
    for name in ("gt", "lt"):
        if schema.get(name) is not None:
            yield name, float(schema[name])
    step = schema.get("multiple_of")
    if step is not None:
        yield "multiple_of", value + step / 2


def _decimal(schema: Schema, value: Any) -> Iterator[Spoilt]:
    places, digits = schema.get("decimal_places"), schema.get("max_digits")
    unit = Decimal(1).scaleb(-(places or 0))
    yield from _outside(schema, unit, str)
    if places is not None:
        yield "decimal_places", f"0.{'0' * places}1"
    if digits is not None:
        yield "max_digits", "1" * (digits + 1)


def _text(schema: Schema, value: Any) -> Iterator[Spoilt]:
    low, high = schema.get("min_length"), schema.get("max_length")
    if low:
        # Blanks do not count where they are stripped, and do where they are not.
        yield "min_length", value[: low - 1].strip() if value.isascii() else "x" * (low - 1)
    if high is not None:
        yield "max_length", "x" * (high + 1)
    pattern = schema.get("pattern")
    if pattern is None:
        return
    compiled = re.compile(str(getattr(pattern, "pattern", pattern)))
    for wrong in (value.swapcase(), f"{value}!", f"!{value}", f"{value}\n", value[1:], "", "☃"):
        if not compiled.search(wrong) and (low or 0) <= len(wrong) <= (high or len(wrong)):
            yield "pattern", wrong


def _bytes(schema: Schema, value: Any) -> Iterator[Spoilt]:
    if schema.get("min_length"):
        yield "min_length", "x" * (schema["min_length"] - 1)
    if schema.get("max_length") is not None:
        # Counted in bytes: half as many characters of two.
        yield "max_length", "x" * (schema["max_length"] + 1)
        yield "max_length", "é" * (schema["max_length"] // 2 + 1)


def _one_of(schema: Schema, value: Any) -> Iterator[Spoilt]:
    known = members(schema)
    for item in known:
        for wrong in _off(item):
            if not any(wrong == other and type(wrong) is type(other) for other in known):
                yield "one_of", wrong


def _off(item: Any) -> Iterator[Any]:
    if isinstance(item, str):
        yield from (item.swapcase(), f"{item} ", f" {item}", item[:-1], f"{item}\u200b")
    elif isinstance(item, int) and not isinstance(item, bool):
        yield from (item + 1, str(item), bool(item) if item in (0, 1) else item - 1)


def _sized(schema: Schema, value: Any) -> Iterator[Spoilt]:
    low, high = schema.get("min_length"), schema.get("max_length")
    if low and value:
        yield "min_length", value[: low - 1]
    if high is not None and value:
        yield "max_length", [value[place % len(value)] for place in range(high + 1)]


def _unique(schema: Schema, value: Any) -> Iterator[Spoilt]:
    if schema.get("min_length") and value:
        yield "min_length", value[: schema["min_length"] - 1]
    if value and schema.get("max_length", 2) > len(value):
        yield "unique", [*value, value[0]]


def _tuple(schema: Schema, value: Any) -> Iterator[Spoilt]:
    if schema.get("variadic_item_index") is None and value:
        yield "max_length", [*value, value[-1]]
        yield "min_length", value[:-1]


def _dict(schema: Schema, value: Any) -> Iterator[Spoilt]:
    if schema.get("min_length"):
        yield "min_length", dict(list(value.items())[: schema["min_length"] - 1])


def _moment(schema: Schema, value: Any) -> Iterator[Spoilt]:
    unit = timedelta(days=1) if schema["type"] == "date" else timedelta(microseconds=1)
    for name, away in (("ge", -unit), ("gt", 0 * unit), ("le", unit), ("lt", 0 * unit)):
        if isinstance(schema.get(name), date | datetime):
            yield name, (schema[name] + away).isoformat()
    is_date = schema["type"] == "date"
    if schema.get("now_op") == "past":
        yield "past", "9000-01-01" if is_date else "9000-01-01T00:00:00Z"
    if schema.get("now_op") == "future":
        yield "future", "1000-01-01" if is_date else "1000-01-01T00:00:00Z"
    if schema.get("tz_constraint") == "aware":
        yield "aware", "2024-01-01T00:00:00"
    if schema.get("tz_constraint") == "naive":
        yield "naive", "2024-01-01T00:00:00Z"


def _time(schema: Schema, value: Any) -> Iterator[Spoilt]:
    for name in ("gt", "lt"):
        if isinstance(schema.get(name), time):
            yield name, schema[name].isoformat()


def _timedelta(schema: Schema, value: Any) -> Iterator[Spoilt]:
    yield from _outside(schema, timedelta(microseconds=1), duration)


def _uuid(schema: Schema, value: Any) -> Iterator[Spoilt]:
    version = schema.get("version")
    if version is not None:
        yield "version", str(uuid_of(12345, version % 5 + 1))


def _url(schema: Schema, value: Any) -> Iterator[Spoilt]:
    if schema.get("allowed_schemes"):
        yield "scheme", "gopher://example.com/"
    if schema.get("max_length"):
        yield "max_length", f"{value}{'x' * schema['max_length']}"


_SPOIL: Mapping[str, Any] = {
    "bytes": _bytes,
    "date": _moment,
    "datetime": _moment,
    "decimal": _decimal,
    "deque": _sized,
    "dict": _dict,
    "enum": _one_of,
    "float": _float,
    "frozenset": _unique,
    "int": _integer,
    "list": _sized,
    "literal": _one_of,
    "multi-host-url": _url,
    "set": _unique,
    "str": _text,
    "time": _time,
    "timedelta": _timedelta,
    "tuple": _tuple,
    "url": _url,
    "uuid": _uuid,
}


def as_text(value: Any) -> str:
    """A value in few characters, for a report."""
    text = value.text if isinstance(value, Literal) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:40]}… ({len(text)} characters)"
