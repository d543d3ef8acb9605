"""Messages and usage: values that do not change, and add up."""

import dataclasses

import pytest

from robotape.models import Message, ToolCall, Usage


def test_usage_adds_up_field_by_field() -> None:
    total = Usage(1, 2, 3, 4) + Usage(10, 20, 30, 40)
    assert total == Usage(11, 22, 33, 44)
    assert total.total_tokens == 33
    assert Usage() + total == total


@pytest.mark.parametrize("value", [Message("user", "a"), ToolCall("a", "{}"), Usage()])
def test_what_goes_to_a_model_does_not_change(value: Message | ToolCall | Usage) -> None:
    name = next(iter(value.__slots__))
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, "other")
