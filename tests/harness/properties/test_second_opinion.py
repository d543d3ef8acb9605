"""The published schema is judged by a validator that is not pydantic."""

from typing import Any

from robotape_harness.properties.second_opinion import Opinion, advice, schema_faults

CLOSED: dict[str, Any] = {
    "type": "object",
    "properties": {"n": {"type": "integer", "maximum": 3, "default": 1}},
    "additionalProperties": False,
}


def definition(parameters: Any, description: str = "Do it.") -> dict[str, Any]:
    return {"name": "tool", "description": description, "parameters": parameters}


def test_what_does_not_fit_is_named_with_its_path() -> None:
    opinion = Opinion(CLOSED)
    assert opinion.of('{"n": 3}') == ""
    assert opinion.of('{"n": 4}').startswith("$.n:")
    assert opinion.of("no json") == ""


def rules(parameters: Any, description: str = "Do it.") -> set[str]:
    return {rule for rule, _, _ in schema_faults(definition(parameters, description))}


def test_each_fault_of_a_schema_has_its_rule() -> None:
    assert rules(CLOSED) == set()
    assert rules({"type": "nothing"}) == {"S4"}
    assert rules({"type": "object", "properties": {}}) == {"S4"}
    default = {"n": {"type": "integer", "default": "x"}}
    assert rules({**CLOSED, "properties": default}) == {"S8"}
    assert rules(CLOSED, "Do\u200b it.") == {"S7"}


def test_what_nothing_bounds_is_advice() -> None:
    unbounded = {"type": "object", "properties": {"s": {"type": "string"}}}
    assert [each[:2] for each in advice(definition(unbounded))] == [("S6", "$.s")]
    assert [each[0] for each in advice(definition(CLOSED, ""))] == ["S7"]
