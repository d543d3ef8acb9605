"""Tracing: values are told by what they are; memory, order of sets and foreign objects are not."""

import asyncio
import sys
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape_harness.campaign.tracing import Seen, said, traced


@dataclass
class Order:
    number: int
    note: str = ""

    @property
    def total(self) -> int:
        raise AssertionError("code of the user's was run")

    def __repr__(self) -> str:
        raise AssertionError("code of the user's was run")


@dataclass(slots=True)
class Slotted:
    number: int


class Sly(str):
    def __repr__(self) -> str:
        raise AssertionError("code of the user's was run")


SAID: dict[str, tuple[object, str]] = {
    "none": (None, "None"),
    "text": ("ab", "'ab'"),
    "number": (Decimal("1.50"), "Decimal('1.50')"),
    "list": ([1, "x"], "list(1, 'x')"),
    "dict, in its order": ({"b": 1, "a": 2}, "dict('b': 1, 'a': 2)"),
    "set, sorted": ({"b", "c", "a"}, "set('a', 'b', 'c')"),
    "an object of the user's": (Order(7), "Order(number=7, note='')"),
    "with slots": (Slotted(7), "Slotted(number=7)"),
    "text of a class of the user's": (Sly("x"), "Sly 'x'"),
    "a foreign object": (asyncio.Lock(), "Lock()"),
    "a function": (said, "function()"),
    "deep": ([[[[1]]]], "list(list(list(list)))"),
}


@pytest.mark.parametrize(("value", "text"), SAID.values(), ids=SAID)
def test_a_value_is_told_by_what_it_is(value: object, text: str) -> None:
    assert said(value) == text


@given(st.text(), st.text())
def test_different_text_is_told_differently(one: str, two: str) -> None:
    assert (said(one) == said(two)) == (one == two)


def test_an_object_that_holds_itself_has_an_end() -> None:
    order: Any = Order(1)
    order.note = order
    assert said(order).startswith("Order(number=1, note=Order(")
    endless: list[Any] = []
    endless.append(endless)
    assert said(endless).startswith("list(")


def test_every_value_is_noted_with_the_line_that_made_it() -> None:
    seen: list[Seen] = []

    def add(one: int, two: int) -> int:
        total = one + two
        return total

    with traced(seen):
        add(1, 2)
    first = add.__code__.co_firstlineno
    assert seen == [
        Seen(f"{__file__}:{first}", "one", "1"),
        Seen(f"{__file__}:{first}", "two", "2"),
        Seen(f"{__file__}:{first + 1}", "total", "3"),
        Seen(f"{__file__}:{first + 2}", "return", "3"),
    ]


def test_code_that_goes_on_after_waiting_is_followed() -> None:
    seen: list[Seen] = []

    async def wait() -> str:
        before = "before"
        await asyncio.sleep(0)
        return before + " and after"

    with traced(seen):
        asyncio.run(wait())
    assert [each.value for each in seen if each.name == "return"][-1] == "'before and after'"


def test_another_tracer_is_put_back() -> None:
    def tracer(*_: Any) -> None:
        return None

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        with pytest.raises(KeyError), traced([]):
            raise KeyError
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)
