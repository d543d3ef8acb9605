"""Laws of what a model may send to a tool, and of what the tool then holds."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, RootModel

from robotape.errors import ToolInputError
from robotape.validation import (
    ArgumentParser,
    freeze,
)

SECRET = "hunter2-sk-live-51H"


class Level(Enum):
    LOW = 1
    HIGH = "high"


class Item(BaseModel):
    sku: str
    qty: int = 1
    price: Decimal = Decimal(0)
    tags: list[str] = []


class Coded(BaseModel):
    code: Literal[1] = Field(1, alias="theCode")


class Open(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = Field("", alias="theName")
    notes: dict[str, list[int]] = {}


@dataclass(frozen=True, slots=True)
class Spot:
    x: float
    path: list[int] = field(default_factory=list)


class Pair(NamedTuple):
    left: list[int]
    right: int


def order(
    order_id: str,
    count: int,
    *,
    items: list[Item],
    ratio: float = 1.0,
    level: Level = Level.LOW,
    mode: Literal["fast", "slow", 1] = "fast",
    extra: Any = None,
) -> None:
    """Place an order."""


def parser_of(function: Callable[..., Any], **options: Any) -> ArgumentParser:
    return ArgumentParser.from_callable(function, tool="tool", skip_first=False, **options)


def of_type(annotation: Any, **options: Any) -> ArgumentParser:
    def function(x: Any) -> None: ...

    function.__annotations__["x"] = annotation
    return parser_of(function, **options)


def faults(parser: ArgumentParser, raw: Any) -> tuple[tuple[str, str], ...]:
    with pytest.raises(ToolInputError) as caught:
        parser.parse(raw)
    assert caught.value.tool == "tool"
    assert caught.value.__context__ is None  # a pydantic error would hold the input
    return caught.value.faults


ORDER = parser_of(order)
GOOD: dict[str, Any] = {"order_id": "7", "count": 2, "items": [{"sku": "a", "price": "9.90"}]}


# -- what is accepted ----------------------------------------------------------------------------


def test_values_are_typed_and_defaults_filled_in() -> None:
    parsed = ORDER.parse(json.dumps(GOOD))
    assert dict(parsed.arguments) == {
        "order_id": "7", "count": 2, "items": [Item(sku="a", price=Decimal("9.90"))],
        "ratio": 1.0, "level": Level.LOW, "mode": "fast", "extra": None,
    }  # fmt: skip
    assert parsed.changes == ()
    assert json.loads(parsed.canonical)["items"][0]["price"] == "9.90"
    assert parsed.canonical is parsed.canonical


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (date, '"2024-02-29"', date(2024, 2, 29)),
        (datetime, '"2024-02-29T10:00:00"', datetime(2024, 2, 29, 10)),
        (
            UUID,
            '"12345678-1234-5678-1234-567812345678"',
            UUID(int=0x12345678123456781234567812345678),
        ),
        (Level, '"high"', Level.HIGH),
        (Decimal, "1.5", Decimal("1.5")),
        (float, "3", 3.0),
        (set[int], "[1, 2]", {1, 2}),
        (dict[int, str], '{"7": "x"}', {7: "x"}),
        (int | float, "3.0", 3.0),
        (Any, '{"a": [null, true]}', {"a": [None, True]}),
        (str, '"\\ud83d\\ude00\\u0000"', "\N{GRINNING FACE}\0"),
    ],
)
def test_strict_json_mode_reads_what_json_cannot_say(
    annotation: Any, text: str, value: Any
) -> None:
    found = of_type(annotation).parse(f'{{"x": {text}}}').arguments["x"]
    assert found == value
    assert type(found) in {type(value), *map(type, [freeze(value)])}


def test_text_bytes_and_mapping_are_one_path() -> None:
    text = json.dumps(GOOD)
    ways: list[Any] = [text, text.encode(), bytearray(text.encode()), GOOD, MappingProxyType(GOOD)]
    assert len({ORDER.parse(way).canonical for way in ways}) == 1


# -- what is refused -----------------------------------------------------------------------------

NEAR_MISSES: list[tuple[Any, str]] = [
    (int, '"1"'), (int, "true"), (int, "1.5"), (int, "null"), (int, "9007199254740993.0"),
    (int, "3.00000000000000000001"), (int, "9" * 5000), (Any, "9" * 5000), (int, "1e999"),
    (float, "true"), (float, '"1"'), (float, "NaN"), (float, "-Infinity"), (float, "1e999"),
    (float, "9" * 400), (Any, "1e999"), (Any, "[NaN]"), (Decimal, "NaN"), (Decimal, '"NaN"'),
    (Decimal, "true"), (Decimal, '" 1"'), (Decimal, '"1_0"'), (Decimal, "12345678901234567.89"),
    (bool, "1"), (bool, '"yes"'), (bool, "0.0"), (str, "1"), (str, "null"),
    (Literal[1], "true"), (Literal[True], "1"), (Literal[True], "1.0"), (Literal["a"], '"A"'),
    (Level, "true"), (Level, '"HIGH"'), (list[Level], "[true]"), (dict[str, Level], '{"a": true}'),
    (datetime, '"1700000000"'), (datetime, "1700000000"), (date, '"1704067200"'), (UUID, '"1"'),
    (set[int], "[1, 1]"), (frozenset[str], '["a", "a"]'), (list[int], '{"0": 1}'),
    (dict[int, int], '{"1.0": 1}'), (dict[int, int], '{" 1": 1}'), (dict[float, int], '{"NaN": 1}'),
    (dict[UUID, int], f'{{"{UUID(int=10)}": 1, "{UUID(int=10).hex}": 1}}'),
    (Item, '{"sku": "a", "Qty": 1}'), (Open, '{"name": "by its field"}'), (Open, '{"more": 1}'),
    (Spot, '{"x": 1, "y": 1}'), (Spot, "[1, [2]]"), (Item, '{"sku": "a", "sku": "b"}'),
    (Coded, '{"theCode": true}'), (RootModel[dict[str, Literal[1]]], '{"a": true}'),
    (dict[str, int], '{"a": "' + "s" * 400 + '"}'), (Annotated[int, Field(gt=3)], "3.0"),
    (Any, '{"a": 1, "\\u0061": 1}'), (str, '"\\ud800"'), (str, '"\ud800"'), (Any, '{"\\udfff": 1}'),
    (Any, "[" * 32 + "]" * 32), (Any, "[" * 100_000), (Any, "'x'"), (Any, "1 2"), (Any, "01"),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "text"), NEAR_MISSES)
def test_near_misses_are_refused(annotation: Any, text: str) -> None:
    assert faults(of_type(annotation), f'{{"x": {text}}}')


@pytest.mark.parametrize(
    "raw",
    ["null", "[]", "1", '"{}"', "", "{", '{"x": 1', '{"x": 1}}', "\ufeff{}", b"\xff", None, 7, [],
     '{"x": 1, "x": 1}', '{"x": 1, "y": 1}', {"x": {1, object()}}, {"x": b"\xff"},
     {"x": "\ud800"}, {"x": float("nan")}, {1: 1}],
)  # fmt: skip
def test_what_is_no_object_of_the_arguments_is_refused(raw: Any) -> None:
    assert faults(of_type(Any), raw)


def test_a_mapping_within_itself_is_refused() -> None:
    endless: dict[str, Any] = {}
    endless["x"] = endless
    assert faults(of_type(Any), endless)


# -- properties ----------------------------------------------------------------------------------

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    SCALARS | TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20
)


@given(VALUES)
def test_what_is_json_comes_back_as_it_was(value: Any) -> None:
    parser = of_type(Any)
    parsed = parser.parse({"x": value})
    assert parsed.arguments == {"x": value}
    assert json.loads(parsed.canonical) == {"x": value}
    assert parser.parse(parsed.canonical).canonical == parsed.canonical


@given(st.permutations(list({**GOOD, "extra": 1, "ratio": 2.5})))
def test_order_of_keys_never_matters(keys: list[str]) -> None:
    values = {**GOOD, "extra": 1, "ratio": 2.5}
    parsed = ORDER.parse({key: values[key] for key in keys})
    assert parsed.arguments == ORDER.parse(values).arguments
    assert parsed.canonical == ORDER.parse(values).canonical


@given(
    st.text()
    | st.from_regex(r'\{("(order_id|count|items|extra)":[\[\]{}0-9eE.,"-]*,?)*\}?')
    | st.binary()
)
def test_any_text_is_parsed_or_refused(text: str | bytes) -> None:
    try:
        ORDER.parse(text)
    except ToolInputError as error:
        assert error.faults
