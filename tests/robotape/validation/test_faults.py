"""Laws of what a model is told about its faults, and of what it is not."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, Field, HttpUrl

from robotape.errors import ToolInputError
from robotape.validation import ArgumentParser

SECRET = "hunter2-sk-live-51H"


class Level(Enum):
    LOW = 1
    HIGH = "high"


class Item(BaseModel):
    sku: str
    qty: int = 1
    price: Decimal = Decimal(0)


def order(
    order_id: str, count: int, *, items: list[Item], mode: Literal["fast", "slow", 1] = "fast"
) -> None:
    """Place an order."""


def parser_of(function: Callable[..., Any]) -> ArgumentParser:
    return ArgumentParser.from_callable(function, tool="tool", skip_first=False)


def of_type(annotation: Any) -> ArgumentParser:
    def function(x: Any) -> None: ...

    function.__annotations__["x"] = annotation
    return parser_of(function)


def faults(parser: ArgumentParser, raw: Any) -> tuple[tuple[str, str], ...]:
    with pytest.raises(ToolInputError) as caught:
        parser.parse(raw)
    assert caught.value.__context__ is None  # a pydantic error would hold the input
    return caught.value.faults


def test_every_fault_is_told_with_its_path() -> None:
    bad = {
        "count": "2",
        "items": [{"sku": "a"}, {"sku": 1, "prise": 1}],
        "mode": "fats",
        "modes": 1,
    }
    found = dict(faults(parser_of(order), bad))
    assert list(found) == [
        "$.order_id", "$.count", "$.items[1].sku", "$.items[1].prise", "$.mode", "$.modes",
    ]  # fmt: skip
    assert "required" in found["$.order_id"]
    assert "did you mean price?" in found["$.items[1].prise"]
    assert "did you mean mode?" in found["$.modes"]
    assert "'fast', 'slow' or 1" in found["$.mode"]


@pytest.mark.parametrize("key", ["odd key", "ü", "k" * 200, "a.b"])
def test_an_odd_key_is_quoted_and_a_long_one_cut(key: str) -> None:
    ((path, message),) = faults(of_type(dict[str, int]), {"x": {key: "no"}})
    assert path.startswith('$.x["')
    assert len(path) < 100
    assert "integer" in message


def _crash(value: str) -> str:
    raise KeyError(value)


def _complain(value: str) -> str:
    raise ValueError(f"{value!r} is on the list: {value}, try another")


def _validate_within(value: str) -> str:
    Item.model_validate({"sku": value, "qty": value})
    return value


def _pass_on(value: str) -> str:
    try:
        return _validate_within(value)
    except ValueError as error:
        raise ValueError(str(error)) from error


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


@pytest.mark.parametrize(
    "annotation",
    [int, UUID, date, Decimal, list[int], Item, Literal["a"], Level, int | bool, bytes, HttpUrl,
     Annotated[str, AfterValidator(_complain)], Annotated[str, AfterValidator(_validate_within)],
     Annotated[str, AfterValidator(_pass_on)],
     Annotated[str, Field(pattern="^x$")], Annotated[str, Field(max_length=3)],
     Annotated[Cat | Dog, Field(discriminator="kind")]],
)  # fmt: skip
def test_no_error_repeats_a_value(annotation: Any) -> None:
    for value in (
        SECRET,
        8374652,
        [SECRET],
        {"kind": SECRET, "sku": [SECRET]},
        {"sku": "a", "qty": SECRET},
    ):
        try:
            of_type(annotation).parse({"x": value})
        except ToolInputError as error:
            assert SECRET not in str(error)
            assert "8374652" not in str(error)
            assert "http" not in str(error)


def test_a_validators_own_words_are_kept_without_the_value() -> None:
    ((path, message),) = faults(of_type(Annotated[str, AfterValidator(_complain)]), {"x": SECRET})
    assert (path, message) == (
        "$.x", "Value error, '<value>' is on the list: <value>, try another",
    )  # fmt: skip


def test_a_number_in_a_validators_words_is_cut_out_too() -> None:
    def under(value: float) -> float:
        raise ValueError(f"{value} is over 100")

    ((_, message),) = faults(of_type(Annotated[float, AfterValidator(under)]), {"x": 250.5})
    assert message == "Value error, <value> is over 100"


def test_an_unknown_key_where_there_are_none_says_so() -> None:
    assert faults(parser_of(lambda: None), {"x": 1}) == (
        ("$.x", "unknown key; there are no keys here"),
    )  # fmt: skip


def test_a_validator_that_recurses_for_ever_is_a_fault() -> None:
    def again(value: str) -> str:
        return again(value)

    assert faults(of_type(Annotated[str, AfterValidator(again)]), {"x": "a"}) == (
        ("$", "nested too deeply"),
    )


def test_a_validator_that_crashes_is_not_the_models_fault() -> None:
    def function(a: int, b: Annotated[str, AfterValidator(_crash)]) -> None: ...

    with pytest.raises(KeyError) as caught:
        parser_of(function).parse({"a": 1, "b": "x"})
    assert caught.value.__notes__ == ["raised while the arguments of tool tool were read: $.b"]


def test_a_thousand_faults_are_counted() -> None:
    found = faults(of_type(list[int]), {"x": ["no"] * 1_000})
    assert len(found) == 101
    assert found[-1] == ("$", "and 900 faults more")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=10,
)


@given(VALUES, st.integers(10**8, 10**9))
def test_no_fault_shows_a_planted_secret(value: Any, number: int) -> None:
    def function(a: Item, b: Annotated[str, AfterValidator(_complain)], c: Level) -> None: ...

    secret = f"sk-{number}"
    raw = {"a": {"sku": [secret, value], "qty": secret}, "b": secret, "c": number}
    text = str(faults(parser_of(function), raw))
    assert secret not in text
    assert str(number) not in text
