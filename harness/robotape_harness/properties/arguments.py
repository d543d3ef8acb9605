"""`valid(tool)`: arguments that a tool takes, as a Hypothesis strategy; it calls no tool."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import HealthCheck, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample, Unsatisfiable
from pydantic_core import ValidationError

from robotape.errors import ToolInputError
from robotape.tools import Tool
from robotape_harness.properties.errors import NothingValid, UnreadableTool
from robotape_harness.properties.formats import known
from robotape_harness.properties.scalars import SCALARS, Strategy, needs_asking
from robotape_harness.properties.shape import (
    Check,
    Field,
    Level,
    Schema,
    Shape,
    fields_of,
    is_object,
    shape_of,
)

__all__ = ["Drawing", "json_values", "simplest", "valid"]

_TRIES = 200
_DEEPEST = 3  # how often a type is drawn within itself
_MORE = 3  # items drawn beyond the least, where nothing bounds them

_NONE: frozenset[str] = frozenset()

_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)  # fmt: skip


def json_values() -> Strategy:
    """Any JSON value, small."""
    return st.recursive(
        _LEAVES,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text("abc_-", min_size=1, max_size=4), inner, max_size=3)
        ),
        max_leaves=6,
    )


def valid(tool: Tool[Any]) -> Strategy:
    """Arguments that the tool takes, as JSON-able dicts; shrinks like any strategy.

    Guarantee: what is drawn passes `tool.parser`. Where validators of the tool's own stand, it is
    because what they refuse is drawn again.

    Raises:
        NothingValid: Validators refused everything that was drawn for one part.
        UnreadableTool: The tool has no signature of its own, or a type that nothing is known of.
        TypeError: The signature cannot be read.

    Example:
        >>> from hypothesis import given
        >>> from robotape import tool
        >>> @tool
        ... async def refund(order_id: str, cents: int) -> None: ...
        >>> @given(valid(refund))
        ... def holds(arguments):
        ...     assert refund.parser.parse(arguments)
        >>> holds()
    """
    drawing = Drawing(shape_of(tool))
    drawn = drawing.root()
    if not drawing.shape.has_functions():
        return drawn

    def is_taken(arguments: Any) -> bool:
        try:
            tool.parser.parse(arguments)
        except ToolInputError:
            return False
        except Exception:  # a validator that crashes: not refused, and for others to judge
            return True
        return True

    return _some(tool.name, "$", drawn.filter(is_taken))


def simplest(strategy: Strategy) -> Any:
    """The simplest value of a strategy; the same one each time.

    Raises:
        NoSuchExample: There is none that its filters let pass.
    """
    quiet = settings(
        max_examples=_TRIES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    return find(strategy, lambda _: True, settings=quiet, random=Random(0))


def _some(tool: str, path: str, strategy: Strategy) -> Strategy:
    """The strategy, once it has given a value."""
    try:
        simplest(strategy)
    except (NoSuchExample, Unsatisfiable):
        raise NothingValid(tool, path, _TRIES) from None
    return strategy


@dataclass(frozen=True, slots=True)
class _At:
    """Where the walk stands.

    Attributes:
        path: For errors.
        within: How often each recursive type has been entered.
        forced: Keys that must be there: the tag of a union.
    """

    path: str = "$"
    within: tuple[str, ...] = ()
    forced: frozenset[str] = _NONE

    def below(self, step: str) -> "_At":
        return _At(f"{self.path}{step}", self.within)


class Drawing:
    """Makes strategies of the parts of one tool's arguments.

    Attributes:
        shape: What the tool takes.
    """

    def __init__(self, shape: Shape, *, full: bool = False) -> None:
        """Make nothing yet.

        Args:
            shape: What the tool takes.
            full: Draw every optional key, at least one item of every container and of every
                union the first branch that is not null: what near misses are made from.
        """
        self.shape = shape
        self._full = full

    def root(self) -> Strategy:
        """The whole arguments.

        Raises:
            NothingValid, UnreadableTool: See `valid`.
        """
        return self.part(self.shape.root)

    def part(
        self, schema: Schema, forced: frozenset[str] = frozenset(), path: str = "$"
    ) -> Strategy:
        """One part of the arguments, keys that must be there included.

        Raises:
            NothingValid, UnreadableTool: See `valid`.
        """
        drawn = self._draw(schema, _At(path, forced=forced))
        if drawn is None:
            raise NothingValid(self.shape.tool, path, 0)
        return drawn

    def _draw(self, schema: Schema, at: _At) -> Strategy | None:
        """None where nothing finite fits: a type that has to contain itself."""
        ref = self.shape.recursion(schema)
        if ref:
            if at.within.count(ref) > (0 if self._full else _DEEPEST):
                return None
            at = _At(at.path, (*at.within, ref), at.forced)
        level = self.shape.level(schema)
        inner_ref = self.shape.recursion(level.schema)
        if inner_ref:  # a wrapper around a reference
            return self._draw(level.schema, at)
        drawn = known(level.checks)
        if drawn is None:
            drawn = self._bare(level, at)
        if drawn is None or not (level.checks or needs_asking(level.schema)):
            return drawn
        return self._asked(schema, drawn, at)

    def _asked(self, schema: Schema, drawn: Strategy, at: _At) -> Strategy:
        check = self.shape.accepts(schema)
        return _some(self.shape.tool, at.path, drawn.filter(lambda value: check(json.dumps(value))))

    def _bare(self, level: Level, at: _At) -> Strategy | None:
        kind = level.kind
        if kind in SCALARS:
            try:
                drawn = SCALARS[kind](level.schema)
                drawn.validate()
            except Exception as error:  # bounds in the wrong order, a pattern of Rust's own
                raise NothingValid(self.shape.tool, at.path, 0) from error
            return drawn
        if is_object(level.schema):
            return self._object(level.schema, at)
        if kind in _CONTAINERS:
            return _CONTAINERS[kind](self, level.schema, at)
        raise UnreadableTool(
            self.shape.tool, f"{at.path}: no values are known of pydantic's {kind!r}"
        )

    def _any(self, schema: Schema, at: _At) -> Strategy:
        hint = schema.get("metadata", {}).get("pydantic_js_input_core_schema")
        return json_values() if hint is None else self.part(hint, path=at.path)

    def _nullable(self, schema: Schema, at: _At) -> Strategy | None:
        inner = self._draw(schema["schema"], at)
        if inner is None:
            return st.none()
        return inner if self._full else st.none() | inner

    def _union(self, schema: Schema, at: _At) -> Strategy | None:
        choices = (item[0] if isinstance(item, tuple) else item for item in schema["choices"])
        return self._one(choices, at)

    def _tagged(self, schema: Schema, at: _At) -> Strategy | None:
        key = schema["discriminator"]
        forced = frozenset({key} if isinstance(key, str) else ())
        choices = (item for item in schema["choices"].values() if isinstance(item, Mapping))
        return self._one(choices, _At(at.path, at.within, forced))

    def _one(self, choices: Any, at: _At) -> Strategy | None:
        drawn = [item for each in choices if (item := self._draw(each, at)) is not None]
        if not drawn:
            return None
        return drawn[0] if self._full else st.one_of(drawn)

    def _object(self, schema: Schema, at: _At) -> Strategy | None:
        required: dict[str, Strategy] = {}
        optional: dict[str, Strategy] = {}
        for field in fields_of(schema):
            drawn = self._draw(field.schema, at.below(f".{field.key}"))
            is_needed = field.is_required or field.key in at.forced
            if drawn is None:
                if is_needed:
                    return None
            else:
                wanted = required if is_needed or self._full else optional
                wanted[field.key] = _nested(field, drawn)
        return st.fixed_dictionaries(required, optional=optional)

    def _named_tuple(self, schema: Schema, at: _At) -> Strategy | None:
        items = [self._draw(item.schema, at.below(f".{item.key}")) for item in fields_of(schema)]
        return None if None in items else st.tuples(*_all(items)).map(list)

    def _list(self, schema: Schema, at: _At) -> Strategy | None:
        return self._items(schema, at, None)

    def _set(self, schema: Schema, at: _At) -> Strategy | None:
        items = schema.get("items_schema", {"type": "any"})
        return self._items(schema, at, _identity(self.shape.accepts(items)))

    def _items(self, schema: Schema, at: _At, identity: Any) -> Strategy | None:
        low, high = self._sizes(schema)
        inner = self._draw(schema.get("items_schema", {"type": "any"}), at.below("[0]"))
        if inner is None or high == 0:
            return None if low and inner is None and not self._full else st.just([])
        return st.lists(inner, min_size=low, max_size=high, unique_by=identity)

    def _sizes(self, schema: Schema) -> tuple[int, int]:
        low, high = schema.get("min_length") or 0, schema.get("max_length")
        low = max(low, 1) if self._full and high != 0 else low
        return low, low + _MORE if high is None else min(high, low + _MORE)

    def _tuple(self, schema: Schema, at: _At) -> Strategy | None:
        items: list[Schema] = list(schema["items_schema"])
        variadic = schema.get("variadic_item_index")
        if variadic is None:
            drawn = [self._draw(item, at.below(f"[{place}]")) for place, item in enumerate(items)]
            return None if None in drawn else st.tuples(*_all(drawn)).map(list)
        before, many, after = items[:variadic], items[variadic], items[variadic + 1 :]
        fixed = [self._draw(item, at) for item in (*before, *after)]
        low, high = self._sizes(schema)
        taken = len(fixed)
        inner = self._draw(many, at)
        if None in fixed or inner is None:
            return None
        middle = st.lists(inner, min_size=max(0, low - taken), max_size=max(0, high - taken))
        heads, tails = _all(fixed[: len(before)]), _all(fixed[len(before) :])
        return st.builds(
            lambda head, body, tail: [*head, *body, *tail],
            st.tuples(*heads),
            middle,
            st.tuples(*tails),
        )

    def _dict(self, schema: Schema, at: _At) -> Strategy | None:
        low, high = self._sizes(schema)
        keyed: Schema = schema.get("keys_schema", {"type": "str"})
        keys = self._draw(keyed, at.below(".key"))
        values = self._draw(schema.get("values_schema", {"type": "any"}), at.below(".value"))
        if keys is None or values is None:
            return st.just({}) if not low or self._full else None
        named = keys.map(_as_key)
        identity = _identity(self.shape.accepts(keyed), strings=True)
        pairs = st.lists(
            st.tuples(named, values),
            min_size=low,
            max_size=high,
            unique_by=(lambda pair: pair[0], lambda pair: identity(pair[0])),
        )
        return pairs.map(dict)


_COUNTED: Schema = {"values_schema": {"type": "int"}}
_CONTAINERS: Mapping[str, Callable[[Drawing, Schema, _At], Strategy | None]] = {
    "any": Drawing._any,
    "counter": lambda drawing, schema, at: drawing._dict(
        {"values_schema": {"type": "int"}, **schema}, at
    ),
    "defaultdict": Drawing._dict,
    "deque": Drawing._list,
    "dict": Drawing._dict,
    "frozenset": Drawing._set,
    "function-plain": Drawing._any,
    "list": Drawing._list,
    "named-tuple": Drawing._named_tuple,
    "nullable": Drawing._nullable,
    "ordered-dict": Drawing._dict,
    "set": Drawing._set,
    "tagged-union": Drawing._tagged,
    "tuple": Drawing._tuple,
    "union": Drawing._union,
}


def _all(items: Sequence[Strategy | None]) -> list[Strategy]:
    return [item for item in items if item is not None]


def _nested(field: Field, drawn: Strategy) -> Strategy:
    """Below its first key, in the containers that an `AliasPath` names."""
    for step in reversed(field.keys[1:]):
        drawn = drawn.map(_within(step))
    return drawn


def _within(step: str | int) -> Callable[[Any], Any]:
    if isinstance(step, str):
        return lambda value: {step: value}
    return lambda value: [*[None] * step, value]


def _as_key(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _identity(check: Check, *, strings: bool = False) -> Callable[[Any], Any]:
    """What an item is once it is read: "1.0" and "1" are one Decimal."""

    def read(value: Any) -> Any:
        text = json.dumps(value)
        try:
            found = check.value(text)
            hash(found)
        except (TypeError, ValidationError):
            return text
        return found

    return read
