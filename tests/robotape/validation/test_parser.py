"""Laws of one call's arguments, from the text to the call."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, Field

from robotape.errors import ToolInputError
from robotape.validation import ArgumentParser, FrozenList


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


@pytest.mark.parametrize("text", ["", " \n", "{}"])
def test_no_text_is_no_arguments_only_where_none_are_wanted(text: str) -> None:
    parsed = parser_of(lambda: None).parse(text)
    assert parsed.arguments == {}
    assert bool(parsed.changes) == (text != "{}")
    assert faults(parser_of(lambda x=1: None), "")


def test_nothing_in_parsed_can_be_exchanged() -> None:
    parsed = of_type(list[Item]).parse({"x": [{"sku": "a"}]})
    assert type(parsed.arguments["x"][0].tags) is FrozenList
    with pytest.raises(AttributeError):
        parsed.arguments = {}
    with pytest.raises(AttributeError):
        del parsed.changes


def test_arguments_go_by_name_whatever_the_order_of_keys() -> None:
    def function(a: int, b: int, /, c: int, *, d: int = 4) -> tuple[int, ...]:
        return a, b, c, d

    parser = parser_of(function)
    args, kwargs = parser.bind(parser.parse('{"c": 3, "b": 2, "a": 1}').arguments)
    assert (args, kwargs) == ((1, 2), {"c": 3, "d": 4})
    assert function(*args, **kwargs) == (1, 2, 3, 4)


def test_a_default_is_never_shared_in_a_state_that_can_change() -> None:
    shared: list[Any] = [[1]]
    item = Item(sku="a")
    made: Any = Field(default_factory=list)

    def function(x: list[Any] = shared, y: Item = item, z: Any = made) -> None: ...

    one, two = (parser_of(function).parse("{}").arguments for _ in range(2))
    assert type(one["x"]) is FrozenList
    assert type(one["z"]) is FrozenList
    assert (shared, type(shared), type(item.tags)) == ([[1]], list, list)
    assert one["y"] == two["y"]
    assert one["y"] is not two["y"]
