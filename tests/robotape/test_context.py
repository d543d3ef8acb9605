"""RunContext: a value, whose copies differ in what was asked for."""

import dataclasses

import pytest

from robotape.context import RunContext
from robotape.models.messages import Usage


def test_a_context_needs_only_its_deps() -> None:
    context = RunContext("shop")
    assert (context.deps, context.usage, context.prompt, context.retry) == ("shop", 0, "", 0)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(RunContext)])
def test_replace_with_changes_one_field_of_a_copy(field: str) -> None:
    context = RunContext("shop", usage=Usage(1), prompt="p", tool_name="t", call_id="c")
    changed = context.replace_with(**{field: "changed"})
    assert getattr(changed, field) == "changed"
    assert getattr(context, field) != "changed"
    others = [f.name for f in dataclasses.fields(context) if f.name != field]
    assert all(getattr(changed, name) is getattr(context, name) for name in others)


def test_a_context_does_not_change() -> None:
    name = "retry"
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(RunContext(None), name, 5)


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(TypeError, match="retries"):
        RunContext(None).replace_with(retries=1)
