"""Near misses: arguments with one fault at a known path, enumerated or drawn; it calls no tool."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from robotape.tools import Tool
from robotape.validation.text import Bounds, path_of
from robotape_harness.properties.arguments import Drawing, simplest, valid
from robotape_harness.properties.errors import PropertyError
from robotape_harness.properties.formats import format_of
from robotape_harness.properties.json_text import Literal, Twins, write
from robotape_harness.properties.scalars import Strategy, members
from robotape_harness.properties.shape import Level, Schema, Shape, fields_of, is_object, shape_of
from robotape_harness.properties.spoiling import (
    as_text,
    branches,
    is_taken,
    nearly,
    of_another_type,
    takes,
)

__all__ = ["Fault", "many_faults", "near_miss", "retyped", "single_faults"]

_Steps = tuple[str | int, ...]
_NO_TYPES: frozenset[str] = frozenset()
_UNKNOWN = "unexpected"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with arguments.

    Attributes:
        path: JSON path of the place, as `ToolInputError.faults` has it.
        rule: What is broken: `type`, `ge`, `missing`, `extra`, `twice`, `tag` and so on.
        wrong: What stands there, as JSON; shortened.
    """

    path: str
    rule: str
    wrong: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.rule}" + (f" {self.wrong}" if self.wrong else "")


@dataclass(frozen=True, slots=True)
class _Edit:
    """A value set at a place, which has a fault."""

    steps: _Steps
    value: Any
    fault: Fault


_Lift = Callable[[_Steps, Any, Fault], _Edit]


@dataclass(frozen=True, slots=True)
class _At:
    """Where the walk stands.

    Attributes:
        steps: The place.
        lift: Makes the edit; within a value that is not in the arguments it brings that along.
        others: JSON types that other members of a union take: no fault here.
        tag: The key of the tag; empty outside a tagged union.
        within: Recursive types entered.
        is_member: Whether a union or null around has said already what type is wrong.
    """

    steps: _Steps
    lift: _Lift
    others: frozenset[str] = _NO_TYPES
    tag: str = ""
    within: tuple[str, ...] = ()
    is_member: bool = False

    def edit(self, rule: str, wrong: Any) -> _Edit:
        return self.lift(self.steps, wrong, Fault(path_of(self.steps), rule, as_text(wrong)))

    def key(self, rule: str, key: str, whole: Any) -> _Edit:
        """A fault of a key: the whole object is set."""
        return self.lift(self.steps, whole, Fault(path_of((*self.steps, key)), rule))

    def below(self, step: str | int) -> "_At":
        return _At((*self.steps, step), self.lift, within=self.within)

    def sampled(self, sample: Any) -> "_At":
        """The same place, where a value now stands that is not in the arguments."""
        start = len(self.steps)

        def lift(steps: _Steps, wrong: Any, fault: Fault) -> _Edit:
            return self.lift(self.steps, _set(sample, steps[start:], wrong), fault)

        return _At(self.steps, lift, self.others, self.tag, self.within, self.is_member)


def _set(tree: Any, steps: Sequence[str | int], value: Any) -> Any:
    """A copy of a tree with another value at one place."""
    if not steps:
        return value
    first, rest = steps[0], steps[1:]
    if isinstance(tree, list):
        return [
            _set(item, rest, value) if place == first else item for place, item in enumerate(tree)
        ]
    return {**tree, first: _set(tree.get(first), rest, value)}


def single_faults(tool: Tool[Any]) -> Iterator[tuple[str, Fault]]:
    """Every single fault of the simplest full arguments, always in the same order.

    Yields:
        JSON text and its one fault.

    Raises:
        NothingValid, UnreadableTool, TypeError: See `valid`.
    """
    spoiling = _Spoiling(tool)
    base = simplest(spoiling.drawing.root())
    for edit in spoiling.edits(base):
        yield write(_set(base, edit.steps, edit.value)), edit.fault
    if base:
        yield from (
            (text, Fault("$", "object")) for text in ("", "null", "[]", "7", '"x"', "{", "[{}]")
        )


def retyped(tool: Tool[Any]) -> Iterator[Any]:
    """The simplest full arguments, with each value in turn replaced by those of other types.

    Whether that is a fault it does not know: below a validator of the tool's own only the
    published schema can say.

    Raises:
        NothingValid, UnreadableTool, TypeError: See `valid`.
    """
    base = simplest(Drawing(shape_of(tool), full=True).root())
    for steps in _leaves(base, ()):
        for _, wrong in of_another_type(_NO_TYPES):
            yield _set(base, steps, wrong)


def _leaves(value: Any, steps: _Steps) -> Iterator[_Steps]:
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value)
    for step, item in inner:
        if isinstance(item, dict | list):
            yield from _leaves(item, (*steps, step))
        else:
            yield (*steps, step)


def near_miss(tool: Tool[Any]) -> Strategy:
    """JSON text of valid arguments with one fault: (text, Fault).

    Raises:
        NothingValid, UnreadableTool, TypeError: See `valid`.
    """
    return many_faults(tool, most=1).map(lambda drawn: (drawn[0], drawn[1][0]))


def many_faults(tool: Tool[Any], *, most: int = 3) -> Strategy:
    """JSON text of valid arguments with faults that lie apart: (text, tuple of Fault).

    Args:
        tool: Whose arguments.
        most: Faults; >= 1.

    Raises:
        NothingValid, UnreadableTool, TypeError: See `valid`.
    """
    spoiling = _Spoiling(tool)
    sound = valid(tool)

    @st.composite
    def spoilt(draw: Any) -> tuple[str, tuple[Fault, ...]]:
        tree = draw(sound)
        edits = list(spoiling.edits(tree))
        chosen: list[_Edit] = []
        for _ in range(draw(st.integers(1, most)) if most > 1 else 1):
            # Faults of one place would hide each other.
            edits = [edit for edit in edits if all(_are_apart(edit, other) for other in chosen)]
            if not edits:
                break
            chosen.append(draw(st.sampled_from(edits)))
        for edit in chosen:
            tree = _set(tree, edit.steps, edit.value)
        return write(tree), tuple(edit.fault for edit in chosen)

    return spoilt()


def _are_apart(one: _Edit, other: _Edit) -> bool:
    length = min(len(one.steps), len(other.steps))
    return one.steps[:length] != other.steps[:length]


class _Spoiling:
    """Finds all the edits of one tool's arguments that make one fault."""

    def __init__(self, tool: Tool[Any]) -> None:
        self.shape: Shape = shape_of(tool)
        self.drawing = Drawing(self.shape, full=True)
        self._samples: dict[tuple[int, str], Any] = {}
        self._walks: dict[str, Callable[[Schema, Any, _At], Iterator[_Edit]]] = {
            **dict.fromkeys(("list", "set", "frozenset", "deque"), self._items),
            **dict.fromkeys(("dict", "defaultdict", "ordered-dict"), self._entries),
            "tuple": self._tuple,
        }

    def edits(self, arguments: Any) -> Iterator[_Edit]:
        """Every single fault of valid arguments."""
        top = _At((), _Edit)
        yield from self._object(self.shape.root, arguments, top)
        if arguments:
            key = next(iter(arguments))
            deep = Literal("[" * Bounds().depth + "]" * Bounds().depth)
            yield _Edit((key,), deep, Fault("$", "depth"))

    def _part(self, schema: Schema, value: Any, at: _At) -> Iterator[_Edit]:
        ref = self.shape.recursion(schema)
        if ref in at.within:
            return
        if ref:
            at = _At(at.steps, at.lift, at.others, at.tag, (*at.within, ref), at.is_member)
        level = self.shape.level(schema)
        if not level.is_certain and not format_of(level.checks):
            return
        if not at.is_member:
            for rule, wrong in of_another_type(takes(self.shape, schema)):
                yield at.edit(rule, wrong)
        if level.kind in {"union", "tagged-union"}:
            yield from self._union(level.schema, at)
        elif level.kind == "nullable":
            inner = level.schema["schema"]
            value = self._sample(inner) if value is None else value
            yield from self._part(inner, value, _member(at, _NO_TYPES).sampled(value))
        else:
            yield from self._own(level, value, at)

    def _own(self, level: Level, value: Any, at: _At) -> Iterator[_Edit]:
        for rule, wrong in nearly(level, value):
            if not is_taken(wrong, at.others):
                yield at.edit(rule, wrong)
        walk = self._object if is_object(level.schema) else self._walks.get(level.kind)
        container = "array" if isinstance(value, list) else "object"
        # Another member of a union may take what is within.
        if walk is not None and container not in at.others:
            yield from walk(level.schema, value, at)

    def _tuple(self, schema: Schema, value: Any, at: _At) -> Iterator[_Edit]:
        if schema.get("variadic_item_index") is None:
            for place, item in enumerate(schema["items_schema"]):
                yield from self._part(item, value[place], at.below(place))

    def _items(self, schema: Schema, value: Any, at: _At) -> Iterator[_Edit]:
        inner = schema.get("items_schema", {"type": "any"})
        if schema.get("max_length") == 0:
            return
        if not value:
            try:
                value = [self._sample(inner)]
            except PropertyError:  # a type that cannot be drawn here again: within itself
                return
            at = at.sampled(value)
        yield from self._part(inner, value[0], at.below(0))

    def _entries(self, schema: Schema, value: Any, at: _At) -> Iterator[_Edit]:
        for key, item in list(value.items())[:1]:
            yield at.key("twice", key, Twins((*value.items(), (key, item))))
            yield from self._part(schema.get("values_schema", {"type": "any"}), item, at.below(key))

    def _union(self, schema: Schema, at: _At) -> Iterator[_Edit]:
        found = branches(schema)
        tag = schema.get("discriminator", "") if schema["type"] == "tagged-union" else None
        if tag is not None and not isinstance(tag, str):
            return  # a function finds the member: what it makes of a fault is not known
        for place, branch in enumerate(found):
            others = _NO_TYPES
            if tag is None:
                rest = [takes(self.shape, each) for each in found if each is not branch]
                others = frozenset().union(*rest)
            try:
                sample = self._sample(branch, tag or "")
            except PropertyError:  # a member that only fits into itself
                continue
            inner = _member(at, others, tag or "").sampled(sample)
            yield from self._part(branch, sample, inner)
            if tag is not None:
                different = [*found[:place], *found[place + 1 :]]
                yield from self._other_tags(different, sample, inner)

    def _other_tags(self, found: list[Schema], sample: Any, at: _At) -> Iterator[_Edit]:
        """The tag of a member whose keys are not these."""
        for branch in found:
            level = self.shape.level(branch)
            if not is_object(level.schema) or not isinstance(sample, dict):
                continue
            fields = {field.key: field for field in fields_of(level.schema)}
            lacks = {key for key, field in fields.items() if field.is_required} - sample.keys()
            if (lacks or sample.keys() - fields.keys()) and at.tag in fields:
                values = members(self.shape.level(fields[at.tag].schema).schema)
                fault = Fault(path_of(at.steps), "tag", as_text(values[0]))
                yield at.lift((*at.steps, at.tag), values[0], fault)

    def _object(self, schema: Schema, value: Any, at: _At) -> Iterator[_Edit]:
        fields = fields_of(schema)
        known = {field.key for field in fields}
        yield at.key("extra", _UNKNOWN, {**value, _UNKNOWN: 1})
        for field in fields:
            if len(field.keys) > 1:
                continue
            key = field.key
            if key in value:
                yield at.key("twice", key, Twins((*value.items(), (key, value[key]))))
                yield from self._misspelt(key, known, value, at)
                if field.is_required or key == at.tag:
                    gone = {each: item for each, item in value.items() if each != key}
                    yield at.key("missing", key, gone)
            item = value[key] if key in value else self._sample(field.schema)
            inner = at.below(key)
            yield from self._part(field.schema, item, inner)

    def _misspelt(self, key: str, known: set[str], value: Any, at: _At) -> Iterator[_Edit]:
        for rule, wrong in (
            ("case", key.swapcase()),
            ("misspelt", f"{key}_"),
            ("misspelt", f"{key}\u200b"),
        ):
            if wrong not in known:
                renamed = {wrong if each == key else each: item for each, item in value.items()}
                # Without its tag an object has no known keys: that it is missing is all there is.
                yield at.key(rule, key if key == at.tag else wrong, renamed)

    def _sample(self, schema: Schema, tag: str = "") -> Any:
        found = self._samples.get((id(schema), tag))
        if found is None:
            forced = frozenset({tag} if tag else ())
            found = simplest(self.drawing.part(schema, forced=forced))
            self._samples[id(schema), tag] = found
        return found


def _member(at: _At, others: frozenset[str], tag: str = "") -> _At:
    return _At(at.steps, at.lift, at.others | others, tag, at.within, is_member=True)
