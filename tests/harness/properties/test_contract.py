"""The contract of a tool: each property has a tool that breaks it, and a sound twin."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BeforeValidator, Field

from robotape import RunContext, Tool, tool
from robotape_harness import World
from robotape_harness.properties import (
    Contract,
    NothingValid,
    ToolContractBroken,
    assert_tool_contract,
    check_tool,
)
from robotape_harness.properties.contract import json_or_none
from tests.harness.properties.leaky_tools import CASES

Number = Annotated[int, Field(ge=0, le=9)]


def divide(n: Number) -> int:
    """Divide."""
    return 1 // n


def lenient(n: Annotated[int, BeforeValidator(int)]) -> int:
    """Count."""
    return n


def crashing(n: Annotated[int, BeforeValidator(lambda value: value["x"])]) -> int:
    """Crash."""
    return n


def unprintable(n: Number) -> Any:
    """Give what is no JSON."""
    return object()


def impossible(n: Annotated[int, Field(gt=5, lt=6)]) -> int:
    """Take nothing."""
    return n


def badly_set(n: Number = 17) -> int:
    """Have a default that is not allowed."""
    return n


def rules(function: Callable[..., Any], **options: Any) -> set[str]:
    found = check_tool(Tool(function), examples=30, **options).violations
    return {violation.rule for violation in found}


@pytest.mark.parametrize(
    ("function", "rule"),
    [
        (divide, "V11"),
        (lenient, "V2"),
        (crashing, "V1"),
        (impossible, "S3"),
        (badly_set, "S8"),
    ],
)
def test_what_breaks_a_property_is_found_under_its_id(function: Any, rule: str) -> None:
    assert rule in rules(function)


def test_a_sound_tool_keeps_its_contract() -> None:
    @tool
    async def add(a: Number, b: Number = 1) -> int:
        """Add."""
        return a + b

    contract = assert_tool_contract(add, examples=30)
    assert isinstance(contract, Contract)
    assert contract.violations == ()
    assert contract.tried > 100


def test_the_failure_names_property_arguments_and_the_way_to_see_it_again() -> None:
    with pytest.raises(ToolContractBroken) as raised:
        assert_tool_contract(Tool(divide), examples=30, seed=3)
    told = str(raised.value)
    assert "V11 at $" in told
    assert '{"n": 0}' in told
    assert "seed=3" in told


def test_the_same_seed_finds_the_same() -> None:
    first, second = (check_tool(Tool(divide), examples=30, seed=5) for _ in range(2))
    assert first == second


def test_the_effect_that_happened_is_told(tmp_path: Path) -> None:
    place = str(tmp_path / "made.txt")

    def write(n: Number) -> None:
        """Write a file."""
        with open(place, "w") as file:
            file.write(str(n))

    found = check_tool(Tool(write), examples=5, never=lambda it: it.name == "open").violations
    assert [each.rule for each in found] == ["never"]
    assert place in found[0].effects[0]


def test_a_body_that_is_not_to_be_called_is_not() -> None:
    called = []

    def note(ctx: RunContext[World], n: Number) -> None:
        """Note."""
        called.append(n)

    assert check_tool(Tool(note), examples=10, calls=False).violations == ()
    assert called == []


def test_text_is_json_or_nothing() -> None:
    assert json_or_none("{") is None
    assert json_or_none('{"a": 1}') == {"a": 1}
    assert issubclass(NothingValid, Exception)


@pytest.mark.parametrize("bug", CASES)
def test_a_seeded_bug_is_found_and_its_sound_twin_is_not_flagged(bug: str) -> None:
    case = CASES[bug]
    options: dict[str, Any] = {
        "deps": World,
        "never": case.never,
        "forbidden": case.forbidden,
        "max_effects": case.max_effects,
    }
    assert check_tool(case.broken, **options).violations
    assert check_tool(case.sound, **options).violations == ()
