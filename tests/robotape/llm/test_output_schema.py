"""What providers can be told of a schema: all of it, or what they know with the rest in words."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from robotape.llm.output_schema import closed, is_exact


class Exact(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    parent: "Exact | None"


class Part(BaseModel):
    kind: Literal["part"]
    size: Annotated[int, Field(ge=1, description="In mm.")]


class Whole(BaseModel):
    kind: Literal["whole"]


class Loose(BaseModel):
    name: str = "x"
    parts: list[Part] = Field(min_length=1)
    either: Annotated[Part | Whole, Field(discriminator="kind")]
    at: Annotated[str, Field(json_schema_extra={"format": "date"})]


class Free(BaseModel):
    numbers: dict[str, int]


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")


def test_what_is_closed_and_required_throughout_is_exact() -> None:
    assert is_exact(Exact.model_json_schema())


def test_control_defaults_open_objects_and_unions_by_tag_are_not() -> None:
    for model in (Loose, Part, Free, Open):
        assert not is_exact(model.model_json_schema())


def levels(schema: Any) -> list[dict[str, Any]]:
    inner = (
        schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    )
    found = [level for value in inner for level in levels(value)]
    return [schema, *found] if isinstance(schema, dict) and "type" in schema else found


def test_closed_every_object_is_closed_and_nothing_unknown_is_left() -> None:
    schema = closed(Loose.model_json_schema())
    assert schema is not None
    objects = [level for level in levels(schema) if level.get("type") == "object"]
    assert [level["additionalProperties"] for level in objects] == [False] * 3
    size = schema["$defs"]["Part"]["properties"]["size"]
    assert (size["description"], "minimum" in size) == ("In mm.\n\n{minimum: 1}", False)
    assert schema["properties"]["parts"]["description"] == "{minItems: 1}"
    assert len(schema["properties"]["either"]["anyOf"]) == 2
    assert schema["properties"]["at"]["format"] == "date"
    assert "default" not in schema["properties"]["name"]


def test_control_an_exact_schema_is_closed_already() -> None:
    exact = Exact.model_json_schema()
    assert closed(exact) == exact


def test_keys_that_nobody_knows_beforehand_cannot_be_closed() -> None:
    assert closed(Free.model_json_schema()) is None
    assert closed(Open.model_json_schema()) is None
