"""A near miss has one fault, its place is known, and robotape's validation names it."""

import json
from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from pydantic import BeforeValidator, Field

from robotape import tool
from robotape.errors import ToolInputError
from robotape_harness.properties.near import Fault, many_faults, near_miss, single_faults
from tests.harness.properties.kinds import KINDS, MORE, Tree, tool_of

SEARCH = settings(
    max_examples=40,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# Python's decoder passes over what is not of its alphabet, and pydantic asks no one else.
TAKEN_ALL_THE_SAME = {('$.value: format "*"')}


def verdict(subject: Any, text: str, fault: Fault) -> str:
    """What is wrong with how a tool takes a near miss; empty for nothing."""
    try:
        subject.parser.parse(text)
    except ToolInputError as error:
        paths = [path for path, _ in error.faults]
        if fault.path in paths:
            return ""
        # Under another's tag the other's keys are missing: they stand below.
        below = fault.rule == "tag" and all(path.startswith(fault.path) for path in paths)
        return "" if below else f"{fault} is reported at {paths}"
    return "" if str(fault) in TAKEN_ALL_THE_SAME else f"{fault} is taken: {text[:80]}"


@pytest.mark.parametrize("kind", [*KINDS, *MORE])
def test_every_single_fault_is_refused_and_located(kind: str) -> None:
    subject = tool_of({**KINDS, **MORE}[kind])
    found = (verdict(subject, text, fault) for text, fault in single_faults(subject))
    assert [why for why in found if why] == []


def rules_of(annotation: Any) -> set[str]:
    return {fault.rule for _, fault in single_faults(tool_of(annotation))}


@pytest.mark.parametrize(
    ("kind", "rules"),
    [
        ("int bounded", {"gt", "le", "type", "extra", "missing", "misspelt", "case", "twice"}),
        ("int multiple", {"ge", "multiple_of", "finite"}),
        ("float bounded", {"gt", "lt", "finite"}),
        ("str bounded", {"min_length", "max_length", "unicode", "bounds", "depth"}),
        ("str pattern", {"pattern"}),
        ("aware datetime", {"aware", "format"}),
        ("decimal", {"decimal_places", "max_digits"}),
        ("uuid4", {"version"}),
        ("http url", {"scheme"}),
        ("literal", {"one_of"}),
        ("set", {"unique", "min_length"}),
        ("tagged union", {"tag", "one_of", "missing", "ge", "le"}),
    ],
)
def test_the_faults_of_a_kind_are_all_there(kind: str, rules: set[str]) -> None:
    assert rules <= rules_of(KINDS[kind])


def test_a_bound_is_missed_by_one() -> None:
    texts = {
        fault.rule: text
        for text, fault in single_faults(tool_of(Annotated[float, Field(ge=1.0, lt=2.0)]))
    }
    assert json.loads(texts["ge"])["value"] == 0.9999999999999999
    assert json.loads(texts["lt"])["value"] == 2.0


def test_the_enumeration_is_the_same_each_time() -> None:
    first, second = (list(single_faults(tool_of(Tree))) for _ in range(2))
    assert first == second
    assert len({text for text, _ in first}) > 100


def test_control_a_validator_without_a_bound_takes_what_misses_it() -> None:
    narrow, wide = tool_of(Annotated[int, Field(le=10)]), tool_of(int)
    taken = [fault.rule for text, fault in single_faults(narrow) if verdict(wide, text, fault)]
    assert taken == ["le"]


def test_what_a_user_s_validator_sees_first_is_not_called_wrong() -> None:
    before = rules_of(Annotated[int, BeforeValidator(int), Field(ge=1)])
    assert "type" not in before - rules_of(int) and "ge" not in before


def test_drawn_near_misses_are_refused_and_located() -> None:
    subject = tool_of(KINDS["smart union"])
    rules = set()

    @seed(1)
    @SEARCH
    @given(near_miss(subject))
    def refused(drawn: tuple[str, Fault]) -> None:
        text, fault = drawn
        rules.add(fault.rule)
        assert verdict(subject, text, fault) == ""

    refused()
    assert len(rules) > 3


def test_several_faults_lie_apart_and_are_refused() -> None:
    subject = tool_of(KINDS["model with aliases"])
    counts = set()

    @seed(1)
    @SEARCH
    @given(many_faults(subject))
    def refused(drawn: tuple[str, tuple[Fault, ...]]) -> None:
        text, faults = drawn
        counts.add(len(faults))
        with pytest.raises(ToolInputError):
            subject.parser.parse(text)

    refused()
    assert max(counts) > 1


def test_a_tool_without_parameters_has_one_kind_of_fault() -> None:
    @tool
    async def ping() -> None: ...

    assert [fault.rule for _, fault in single_faults(ping)] == ["extra"]
