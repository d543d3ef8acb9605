"""Which JSON types a part takes, and what is near."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BeforeValidator

from robotape_harness.properties.shape import fields_of, shape_of
from robotape_harness.properties.spoiling import as_text, is_taken, of_another_type, takes
from tests.harness.properties.kinds import Colour, Level, Tags, Tree, tool_of


@pytest.mark.parametrize(
    ("annotation", "types"),
    [
        (int, {"integer"}),
        (int | None, {"integer", "null"}),
        (float | str, {"integer", "number", "string"}),
        (Literal["a", 1, None], {"string", "integer", "null"}),
        (Colour | Level, {"string", "integer"}),
        (Tree, {"object"}),
        (Tags, {"array"}),
    ],
)
def test_the_json_types_of_a_part(annotation: Any, types: set[str]) -> None:
    shape = shape_of(tool_of(annotation))
    assert takes(shape, fields_of(shape.root)[0].schema) == types


def test_a_validator_before_pydantic_may_take_anything() -> None:
    shape = shape_of(tool_of(Annotated[int, BeforeValidator(int)]))
    assert len(takes(shape, fields_of(shape.root)[0].schema)) == 7


def test_no_value_of_another_type_is_of_the_types() -> None:
    for taken in (frozenset({"integer"}), frozenset({"number", "null"}), frozenset({"array"})):
        wrong = [value for rule, value in of_another_type(taken) if rule == "type"]
        assert wrong
        assert not any(is_taken(value, taken) for value in wrong)


def test_a_long_value_is_told_in_short() -> None:
    assert as_text("x" * 1000).endswith("… (1002 characters)")
    assert as_text({"a": 1}) == '{"a": 1}'
