"""SchemaParser: a server's schema is kept to, neither the model nor the server is trusted."""

import json
from typing import Any

import pytest

from robotape.errors import ToolInputError
from robotape.mcp.schema import SchemaParser
from robotape.validation.text import Bounds

ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "minLength": 2},
        "cents": {"type": ["integer", "null"], "minimum": 1, "maximum": 100},
        "kind": {"enum": ["new", "old"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "to": {"type": "object", "properties": {"zip": {"type": "string"}}, "required": ["zip"]},
    },
    "required": ["id"],
}


def faults(arguments: Any, schema: dict[str, Any] | None = None) -> tuple[tuple[str, str], ...]:
    parser = SchemaParser(ORDER if schema is None else schema, tool="order")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    try:
        parser.parse(text)
    except ToolInputError as error:
        assert error.__cause__ is None
        assert error.__context__ is None
        return error.faults
    return ()


@pytest.mark.parametrize(
    "arguments",
    [
        {"id": "ab"},
        {"id": "ab", "cents": 1, "kind": "new", "tags": [], "to": {"zip": "1", "more": 1}},
        {"id": "ab", "cents": None},
        {"id": "ab", "cents": 3.0},
    ],
)
def test_control_what_fits_passes(arguments: dict[str, Any]) -> None:
    assert faults(arguments) == ()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, [("$.id", "required, but not given")]),
        ({"id": 7}, [("$.id", "must be of type string")]),
        ({"id": "a"}, [("$.id", "does not fit the schema (minLength: 2)")]),
        ({"id": "ab", "cents": "1"}, [("$.cents", "must be of type integer or null")]),
        ({"id": "ab", "cents": True}, [("$.cents", "must be of type integer or null")]),
        ({"id": "ab", "kind": "x"}, [("$.kind", 'does not fit the schema (enum: ["new","old"])')]),
        ({"id": "ab", "tags": ["a", 1]}, [("$.tags[1]", "must be of type string")]),
        ({"id": "ab", "to": {}}, [("$.to.zip", "required, but not given")]),
        (
            {"id": "ab", "x": 1, "y": 2},
            [
                ("$.x", "unknown key; the keys are cents, id, kind, tags, to"),
                ("$.y", "unknown key; the keys are cents, id, kind, tags, to"),
            ],
        ),
        ([1], [("$", "arguments must be a JSON object")]),
    ],
)
def test_every_fault_is_told_by_its_path(arguments: Any, told: list[tuple[str, str]]) -> None:
    assert list(faults(arguments)) == told


@pytest.mark.parametrize(
    "text",
    ["{", '{"id": "ab", "id": "cd"}', '{"id": NaN}', '{"id": "\\ud800x"}', "[" * 50 + "]" * 50],
)
def test_text_is_read_as_for_any_tool(text: str) -> None:
    assert faults(text) != ()


def test_bounds_are_those_of_any_tool() -> None:
    parser = SchemaParser(ORDER, tool="order", bounds=Bounds(string=5))
    assert parser.parse({"id": "short"}).arguments["id"] == "short"
    with pytest.raises(ToolInputError, match="longer than 5"):
        parser.parse({"id": "not short"})


@pytest.mark.parametrize("value", ["secret-value", {"secret-value": 1}, ["secret-value"]])
def test_no_value_is_repeated(value: Any) -> None:
    for name in ("id", "cents", "kind", "tags", "to"):
        told = faults({"id": "ab", name: value})
        assert not any("secret-value" in message for _, message in told)


def test_arguments_are_frozen_and_canonical() -> None:
    parsed = SchemaParser(ORDER, tool="order").parse('{"tags": ["b"], "id": "äb"}')
    assert parsed.canonical == '{"id":"äb","tags":["b"]}'.encode()
    with pytest.raises(TypeError):
        parsed.arguments["tags"].append("c")


def test_nothing_is_asked_of_a_tool_without_parameters() -> None:
    parsed = SchemaParser({"type": "object"}, tool="ping").parse("")
    assert (dict(parsed.arguments), parsed.changes) == (
        {},
        (("$", "an empty text was read as {}"),),
    )
    assert faults("", ORDER) != ()


@pytest.mark.parametrize(
    "more",
    [
        {"additionalProperties": True},
        {"additionalProperties": {"type": "integer"}},
        {"allOf": [{"properties": {"x": {}}}]},
        {"patternProperties": {"^x": {"type": "integer"}}},
    ],
)
def test_a_schema_that_speaks_of_other_keys_is_obeyed(more: dict[str, Any]) -> None:
    assert faults({"id": "ab", "x": 1}, {**ORDER, **more}) == ()


def test_references_within_the_schema_are_followed() -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"$ref": "#/$defs/n"}},
        "$defs": {"n": {"type": "integer"}},
    }
    assert faults({"n": 1}, schema) == ()
    assert faults({"n": "1"}, schema) == (("$.n", "must be of type integer"),)


@pytest.mark.parametrize("where", ["http://127.0.0.1:9/x.json", "file:///etc/passwd", "#/nowhere"])
def test_nothing_is_fetched(where: str) -> None:
    [(path, message)] = faults({"n": 1}, {"type": "object", "properties": {"n": {"$ref": where}}})
    assert (path, "refers to what is not in it" in message) == ("$", True)


def test_a_servers_regular_expressions_are_not_run() -> None:
    evil = {"type": "string", "pattern": "^(a+)+$"}
    schema = {
        "type": "object",
        "properties": {"pattern": evil},
        "patternProperties": {"(a+)+$": {}},
    }
    assert faults({"pattern": "a" * 40 + "b"}, schema) == ()
    assert faults({"pattern": 1}, schema) == (("$.pattern", "must be of type string"),)


@pytest.mark.parametrize(
    "wrong", [{"type": "no"}, {"properties": []}, {"type": "object", "required": "id"}]
)
def test_what_is_no_schema_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no JSON schema"):
        SchemaParser(wrong, tool="x")


def test_the_model_is_shown_the_servers_own_schema() -> None:
    parser = SchemaParser(ORDER, tool="order")
    shown = parser.json_schema()
    assert shown == ORDER
    shown["properties"].clear()
    assert parser.json_schema() == ORDER
