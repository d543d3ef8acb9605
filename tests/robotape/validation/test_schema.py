"""Laws of what the model is told of a tool's arguments."""

import json
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from robotape.errors import ToolInputError
from robotape.validation import ArgumentParser


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


DEFAULT = Item(sku="s")


def described(
    a: int,
    b: Annotated[str, Field(description="own words")] = "x",
    c: set[str] | None = None,
    d: Item = DEFAULT,
) -> None:
    """Do it.

    Args:
        a: How many; at
            least one.
        b: Never read.
        c (set): Words: of any kind.

    Returns:
        d: not this.
    """


def test_the_model_is_told_what_holds() -> None:
    schema = parser_of(described).json_schema()
    shown = {name: part.get("description") for name, part in schema["properties"].items()}
    assert shown == {
        "a": "How many; at least one.",
        "b": "own words",
        "c": "Words: of any kind.",
        "d": None,
    }
    assert schema["required"] == ["a"]
    assert schema["properties"]["d"]["default"]["sku"] == "s"
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Item"]["additionalProperties"] is False
    assert '"title"' not in json.dumps(schema)
    assert parser_of(lambda o: None).json_schema()["properties"] == {"o": {}}


def test_the_schema_is_a_copy() -> None:
    parser = parser_of(described)
    parser.json_schema()["properties"].clear()
    assert parser.json_schema()["properties"]
