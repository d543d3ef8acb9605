"""Twins of errors: alike, and each one's own; where that cannot be had, the error itself."""

import json
import traceback
from typing import Any

import pytest

from robotape.cache.twins import twin
from robotape.errors import RateLimitError, ToolInputError, is_permanent, mark_permanent


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


class Careful(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(f"code {code}")
        self.code = code


class Slotted(Exception):
    __slots__ = ("code",)


class Group(ExceptionGroup[Exception]):
    pass


COPIED: list[BaseException] = [
    ValueError("a", 1), KeyError("k"), OSError(2, "no such file", "name"), Careful(7),
    ToolInputError("refund", [("$.x", "is wrong")]), ConnectionResetError("peer"),
    ExceptionGroup("both", [ValueError("a")]),
]  # fmt: skip


@pytest.mark.parametrize("error", COPIED, ids=lambda error: type(error).__name__)
def test_a_twin_says_the_same(error: BaseException) -> None:
    error.add_note("a note")
    raised(error)
    error.__cause__ = LookupError("why")
    other = twin(error)
    assert other is not error
    assert type(other) is type(error)
    assert (str(other), vars(other).keys()) == (str(error), vars(error).keys())
    assert other.__cause__ is error.__cause__
    assert traceback.extract_tb(other.__traceback__) == traceback.extract_tb(error.__traceback__)


def test_what_is_done_to_a_twin_stays_with_it() -> None:
    error = raised(Careful(7))
    other = twin(error)
    mark_permanent(other)
    other.add_note("mine")
    raised(other)
    assert not is_permanent(error)
    assert not hasattr(error, "__notes__")
    assert len(traceback.extract_tb(error.__traceback__)) == 1


def json_error() -> Exception:
    try:
        json.loads("{")
    except ValueError as error:
        return error
    raise AssertionError


def unicode_error() -> Exception:
    return UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad")


class Strange(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize("error", [Slotted("x"), unicode_error(), Strange("x")])
def test_what_cannot_be_copied_faithfully_is_shared(error: Exception) -> None:
    assert twin(error) is error


@pytest.mark.parametrize("error", [json_error(), RateLimitError("slow down")])
def test_a_twin_keeps_its_fields(error: Any) -> None:
    assert vars(twin(error)) == vars(error)
