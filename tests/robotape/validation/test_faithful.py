"""Laws of values that are what the text said, where pydantic is lenient."""

from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel, IPvAnyAddress

from robotape.errors import ToolInputError
from robotape.validation import ArgumentParser
from robotape.validation.faithful import INTEGER, is_lenient, unfaithful
from robotape.validation.text import Number


def parser_of(function: Callable[..., Any], **options: Any) -> ArgumentParser:
    return ArgumentParser.from_callable(function, tool="tool", skip_first=False, **options)


def of_type(annotation: Any, **options: Any) -> ArgumentParser:
    def function(x: Any) -> None: ...

    function.__annotations__["x"] = annotation
    return parser_of(function, **options)


def faults(parser: ArgumentParser, raw: Any) -> tuple[tuple[str, str], ...]:
    with pytest.raises(ToolInputError) as caught:
        parser.parse(raw)
    return caught.value.faults


class Item(BaseModel):
    sku: str
    qty: int = 1
    tags: list[str] = []


class Level(Enum):
    LOW = 1


class Switch(Enum):
    ON = True


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [(int, "3.0", 3), (int | str, "1e3", 1000), (Literal[1], "1.0", 1)],
)
def test_a_whole_number_is_read_as_an_integer_and_recorded(
    annotation: Any, text: str, value: int
) -> None:
    parsed = of_type(annotation).parse(f'{{"x": {text}}}')
    assert (parsed.arguments["x"], type(parsed.arguments["x"])) == (value, int)
    assert parsed.changes == (("$.x", "a number with a zero fraction was read as an integer"),)


def test_a_whole_number_deep_within_is_recorded_where_it_stands() -> None:
    parsed = of_type(list[Item]).parse({"x": [{"sku": "a"}, {"sku": "b", "qty": 4.0}]})
    assert [path for path, _ in parsed.changes] == ["$.x[1].qty"]
    assert parsed.arguments["x"][1].qty == 4


@pytest.mark.parametrize(
    ("given", "value", "is_faithful"),
    [(True, 1, False), (1, 1, True), (1, True, False), (True, Level.LOW, False),
     (1, Level.LOW, True), (1, Switch.ON, False), (True, Switch.ON, True), ("1", 1, True),
     ([1, 1], {1}, False), ([1, 2], {1, 2}, True), ({"1": 1}, {1: 1}, True),
     ({"01": 1}, {1: 1}, False), (Number("0.1"), Decimal("0.1"), True),
     (Number("0.12345678901234567890"), Decimal("0.12345678901234568"), False),
     ("1_0", Decimal(10), False), ("10", Decimal(10), True)],
)  # fmt: skip
def test_what_is_faithful(given: Any, value: Any, is_faithful: bool) -> None:
    assert (unfaithful("x", given, value) == []) is is_faithful
    assert (unfaithful("x", [{"a": given}], [{"a": value}]) == []) is is_faithful


def test_a_decimal_that_a_validator_has_rounded_is_his_business() -> None:
    cents = Annotated[Decimal, AfterValidator(lambda value: round(value, 2))]
    assert of_type(cents).parse('{"x": 1.005}').arguments["x"] == round(Decimal("1.005"), 2)


def test_only_what_pydantic_reads_leniently_is_compared() -> None:
    assert is_lenient({"type": "literal", "expected": [1]})
    assert not is_lenient({"type": "literal", "expected": ["a"]})
    assert not is_lenient({"type": "int"})


def test_a_fraction_that_is_an_integer_is_a_change() -> None:
    assert unfaithful("x", Number("1.0"), 1) == [("$.x", INTEGER)]


def test_items_of_a_set_are_read_as_strictly_as_those_of_a_list() -> None:
    def pay(amounts: set[Decimal]) -> None: ...

    parser = ArgumentParser.from_callable(pay, tool="pay", skip_first=False)
    assert parser.parse('{"amounts": ["10", "2.5"]}').arguments["amounts"] == {
        Decimal(10),
        Decimal("2.5"),
    }
    with pytest.raises(ToolInputError) as raised:
        parser.parse('{"amounts": ["2.5", "1_0"]}')
    assert [path for path, _ in raised.value.faults] == ["$.amounts[1]"]


def test_an_address_is_not_made_of_a_number() -> None:
    def ping(host: IPvAnyAddress, count: int = 1) -> None: ...

    parser = ArgumentParser.from_callable(ping, tool="ping", skip_first=False)
    assert str(parser.parse('{"host": "127.0.0.1", "count": 7}').arguments["host"]) == "127.0.0.1"
    with pytest.raises(ToolInputError) as raised:
        parser.parse('{"host": 2130706433}')
    assert [path for path, _ in raised.value.faults] == ["$.host"]
