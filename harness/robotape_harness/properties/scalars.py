"""Strategies of single JSON values, from the core schema of one level; containers are elsewhere.

Each gives JSON: a date is its ISO text. Times are drawn from fixed ranges and never asked of a
clock, so "past" is before 2020 and "future" from 2300 on.
"""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from pydantic_core import to_jsonable_python

__all__ = ["SCALARS", "Strategy", "duration", "members", "needs_asking"]

Strategy = st.SearchStrategy[Any]
Schema = Mapping[str, Any]

_LONG_AGO, _FAR_OFF = date(2020, 1, 1), date(2300, 1, 1)
_MIDNIGHT = datetime(2000, 1, 1)
_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)
_ZONES = tuple(timezone(timedelta(minutes=each)) for each in (0, 60, -300, 345, -570, 840))
_TEXT = st.characters(exclude_categories=["Cs"])


def needs_asking(schema: Schema) -> bool:
    """Whether what is drawn for a level must be shown to pydantic: its rule cannot be inverted."""
    kind = schema["type"]
    if kind == "str":
        changes = ("strip_whitespace", "to_lower", "to_upper", "pattern")
        return any(schema.get(name) for name in changes)
    if kind in {"float", "decimal"}:
        return schema.get("multiple_of") is not None
    return kind in {"url", "multi-host-url"} and "max_length" in schema


def _text(schema: Schema) -> Strategy:
    low, high = schema.get("min_length") or 0, schema.get("max_length")
    pattern = schema.get("pattern")
    if pattern is not None:
        return _matching(str(getattr(pattern, "pattern", pattern)), low, high)
    return st.text(_TEXT, min_size=low, max_size=low + 12 if high is None else min(low + 12, high))


def _matching(pattern: str, low: int, high: int | None) -> Strategy:
    fits = st.from_regex(pattern, alphabet=st.characters(codec="ascii"))
    return fits.filter(lambda text: low <= len(text) and (high is None or len(text) <= high))


def _bytes(schema: Schema) -> Strategy:
    low, high = schema.get("min_length") or 0, schema.get("max_length")
    ascii_only = st.characters(codec="ascii")
    return st.text(ascii_only, min_size=low, max_size=low + 12 if high is None else high)


def _integer(schema: Schema) -> Strategy:
    low, high = _closed(schema, 1)
    step = schema.get("multiple_of")
    if step is None:
        return st.integers(
            None if low is None else math.ceil(low), None if high is None else math.floor(high)
        )
    return _scaled(low, high, Fraction(step)).map(lambda count: int(count * step))


def _float(schema: Schema) -> Strategy:
    step = schema.get("multiple_of")
    if step is not None:
        low, high = _closed(schema, 0)
        return _scaled(low, high, Fraction(step)).map(lambda count: count * step)
    low = schema.get("gt", schema.get("ge"))
    high = schema.get("lt", schema.get("le"))
    return st.floats(
        None if low is None else float(low),
        None if high is None else float(high),
        exclude_min=schema.get("gt") is not None,
        exclude_max=schema.get("lt") is not None,
        allow_nan=False,
        allow_infinity=False,
    )


def _decimal(schema: Schema) -> Strategy:
    places = schema.get("decimal_places")
    digits = schema.get("max_digits")
    places = min(3, digits or 3) if places is None else places
    unit = Decimal(1).scaleb(-places)
    low, high = _closed(schema, unit)
    if digits is not None:
        most = Decimal(10) ** (digits - places) - unit
        low, high = (
            max(-most, -most if low is None else low),
            min(most, most if high is None else high),
        )
    step = schema.get("multiple_of")
    step = unit if step is None else Decimal(step)
    drawn = _scaled(low, high, Fraction(step))
    return drawn.map(lambda count: format(count * step, "f"))


def _scaled(low: Any, high: Any, step: Fraction) -> Strategy:
    """How many steps lie between two bounds."""
    return st.integers(
        None if low is None else math.ceil(Fraction(low) / step),
        None if high is None else math.floor(Fraction(high) / step),
    )


def _closed(schema: Schema, unit: Any) -> tuple[Any, Any]:
    """The bounds, with those that exclude themselves moved inwards by one unit."""
    low, high = schema.get("ge"), schema.get("le")
    if schema.get("gt") is not None:
        low = schema["gt"] + unit if low is None else max(low, schema["gt"] + unit)
    if schema.get("lt") is not None:
        high = schema["lt"] - unit if high is None else min(high, schema["lt"] - unit)
    return low, high


def _date(schema: Schema) -> Strategy:
    low, high = _closed(schema, _DAY)
    low, high = _sided(schema, low or date.min, high or date.max)
    return _counted(date(2000, 1, 1), low, high, _DAY).map(date.isoformat)


def _counted(simplest: Any, low: Any, high: Any, unit: timedelta) -> Strategy:
    """A moment by one number, the units it lies from the simplest one: cheap to draw."""
    if low > high:
        raise ValueError(f"nothing lies between {low} and {high}")
    simplest = min(max(simplest, low), high)
    counts = st.integers((low - simplest) // unit, (high - simplest) // unit)
    return counts.map(lambda count: simplest + count * unit)


def _sided(schema: Schema, low: Any, high: Any) -> tuple[Any, Any]:
    now, past, future = schema.get("now_op"), _LONG_AGO, _FAR_OFF
    if isinstance(low, datetime):
        past, future = (datetime.combine(day, time(), low.tzinfo) for day in (past, future))
    if now == "past":
        return low, min(high, past)
    return (max(low, future), high) if now == "future" else (low, high)


def _datetime(schema: Schema) -> Strategy:
    low, high = _closed(schema, _TICK)
    zone = next((each.tzinfo for each in (low, high) if each is not None and each.tzinfo), None)
    kind = schema.get("tz_constraint")
    # A day from either end, so that no zone leads out of what a datetime holds.
    first = datetime(1, 1, 3) if low is None else _bare(low, zone)
    last = datetime(9999, 12, 29) if high is None else _bare(high, zone)
    first, last = _sided(schema, first, last)
    zones: Strategy = st.none()
    if zone is not None:
        zones = st.just(UTC if zone is UTC else zone)
    elif kind == "aware" or isinstance(kind, int) or schema.get("now_op"):
        zones = st.sampled_from(_ZONES)
        if isinstance(kind, int):
            zones = st.just(timezone(timedelta(seconds=kind)))
    elif kind is None:
        zones = st.one_of(st.none(), st.sampled_from(_ZONES))
    moments = _counted(_MIDNIGHT, first, last, _TICK)
    return st.builds(_in_zone, moments, zones)


def _in_zone(moment: datetime, zone: tzinfo | None) -> str:
    return moment.replace(tzinfo=zone).isoformat()


def _bare(bound: datetime, zone: tzinfo | None) -> datetime:
    return bound if zone is None else bound.astimezone(zone).replace(tzinfo=None)


def _time(schema: Schema) -> Strategy:
    low, high = schema.get("ge", schema.get("gt")), schema.get("le", schema.get("lt"))
    first, last = (_MIDNIGHT.combine(_MIDNIGHT, each) for each in (low or time(), high or time.max))
    zones: Strategy = st.none()
    if schema.get("tz_constraint") == "aware":
        zones = st.sampled_from(_ZONES)
    strict = [schema[name] for name in ("gt", "lt") if schema.get(name) is not None]
    moments = _counted(_MIDNIGHT, first, last, _TICK).map(datetime.time)
    drawn = st.builds(lambda moment, zone: moment.replace(tzinfo=zone), moments, zones)
    return drawn.filter(lambda value: value not in strict).map(time.isoformat)


def _timedelta(schema: Schema) -> Strategy:
    low, high = _closed(schema, _TICK)
    if low is None:
        low = min(timedelta(days=-10_000), timedelta() if high is None else high - 99 * _DAY)
    if high is None:
        high = max(timedelta(days=10_000), low + 99 * _DAY)
    return _counted(timedelta(), low, high, _TICK).map(duration)


def duration(value: timedelta) -> str:
    """A length of time in ISO 8601, such as P1DT2.5S."""
    sign, value = ("-", -value) if value < timedelta() else ("", value)
    return f"{sign}P{value.days}DT{value.seconds}.{value.microseconds:06}S"


def _uuid(schema: Schema) -> Strategy:
    version = schema.get("version")
    return st.integers(0, (1 << 128) - 1).map(lambda bits: str(uuid_of(bits, version)))


def uuid_of(bits: int, version: int | None) -> UUID:
    """A UUID of 128 bits, of which a version takes six."""
    if version is not None:
        bits = bits & ~(0xF << 76) & ~(0x3 << 62) | version << 76 | 0x2 << 62
    return UUID(int=bits)


def members(schema: Schema) -> list[Any]:
    """The values of a literal or an enum, as JSON, in their order."""
    if schema["type"] == "enum":
        plain = [member.value for member in schema["members"]]
    else:
        plain = [item.value if isinstance(item, Enum) else item for item in schema["expected"]]
    return [to_jsonable_python(item) for item in plain]


def _member(schema: Schema) -> Strategy:
    values = members(schema)
    return st.just(values[0]) if len(values) == 1 else st.sampled_from(values)


_HOSTS = ("example.com", "a.example", "localhost", "127.0.0.1", "[::1]", "xn--bcher-kva.example")
_PATHS = ("", "/", "/a", "/a/b?c=d", "/a#b", "/%2e%2e/a", "/a b", "/é")


def _url(schema: Schema) -> Strategy:
    schemes = schema.get("allowed_schemes") or ["https", "http", "ftp", "ws"]
    ports = st.sampled_from(["", ":8080", ":1"])
    users = st.sampled_from(["", "ada@", "ada:pass@"])
    return st.builds(
        "{}://{}{}{}{}".format,
        st.sampled_from(schemes),
        users,
        st.sampled_from(_HOSTS),
        ports,
        st.sampled_from(_PATHS),
    )


def _complex(_: Schema) -> Strategy:
    return st.builds("{}{:+}j".format, st.integers(-99, 99), st.integers(-99, 99))


SCALARS: Mapping[str, Callable[[Schema], Strategy]] = {
    "bool": lambda _: st.booleans(),
    "bytes": _bytes,
    "complex": _complex,
    "date": _date,
    "datetime": _datetime,
    "decimal": _decimal,
    "enum": _member,
    "float": _float,
    "int": _integer,
    "literal": _member,
    "multi-host-url": _url,
    "none": lambda _: st.none(),
    "str": _text,
    "time": _time,
    "timedelta": _timedelta,
    "url": _url,
    "uuid": _uuid,
}
"""Type of a core schema -> its strategy."""
