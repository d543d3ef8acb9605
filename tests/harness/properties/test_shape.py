"""A core schema is read as strict JSON mode goes through it."""

from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, SecretStr
from pydantic_core import ValidationError

from robotape_harness.properties.shape import fields_of, is_object, shape_of
from tests.harness.properties.kinds import Money, Pair, Renamed, Span, Tree, tool_of


def level_of(annotation: Any) -> Any:
    shape = shape_of(tool_of(annotation))
    return shape.level(fields_of(shape.root)[0].schema)


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (int, "int"),
        (SecretStr, "str"),
        (HttpUrl, "url"),
        (Tree, "model-fields"),
        (Pair, "named-tuple"),
    ],
)
def test_wrappers_are_taken_off(annotation: Any, kind: str) -> None:
    assert level_of(annotation).kind == kind


def test_only_what_stands_before_pydantic_makes_a_level_uncertain() -> None:
    def same(value: Any) -> Any:
        return value

    assert level_of(Annotated[int, AfterValidator(same)]).is_certain
    assert not level_of(Annotated[int, BeforeValidator(same)]).is_certain
    assert level_of(HttpUrl).is_certain


def test_fields_have_the_keys_of_the_json_text() -> None:
    fields = {field.key: field.is_required for field in fields_of(level_of(Renamed).schema)}
    assert fields == {"orderId": True, "order-lines": False}
    assert [field.key for field in fields_of(level_of(Money).schema)] == ["amount", "currency"]
    assert is_object(level_of(Span).schema)
    assert not is_object(level_of(int).schema)


def test_a_type_that_contains_itself_is_known_by_name() -> None:
    shape = shape_of(tool_of(Tree))
    assert shape.recursion(fields_of(shape.root)[0].schema)
    other = shape_of(tool_of(Span))
    assert not other.recursion(fields_of(other.root)[0].schema)


def test_a_part_is_asked_alone() -> None:
    shape = shape_of(tool_of(Annotated[int, Field(ge=3)]))
    check = shape.accepts(fields_of(shape.root)[0].schema)
    assert check("3")
    assert not check("2")
    assert check.value("4") == 4
    with pytest.raises(ValidationError):
        check.value('"4"')


def test_own_functions_are_told_from_pydantic_s() -> None:
    assert not shape_of(tool_of(HttpUrl)).has_functions()
    assert shape_of(tool_of(Annotated[int, AfterValidator(abs)])).has_functions()
