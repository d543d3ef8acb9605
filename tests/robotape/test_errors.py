"""Errors: one tree, each with its fields; what is permanent, and what proves that nothing began."""

import dataclasses
import inspect
import re

import pytest

from robotape import errors
from robotape.errors import (
    CallTimeoutError,
    DeadlineExceeded,
    InDoubtError,
    ModelBehaviorError,
    PolicyDenied,
    ProtocolError,
    RateLimitError,
    ResumeMismatchError,
    RobotapeError,
    SecretError,
    ServerError,
    TapedError,
    TapeFormatError,
    ToolInputError,
    UnknownToolError,
    is_permanent,
    mark_not_started,
    mark_permanent,
    proves_not_started,
)

CLASSES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, BaseException)
]
SAMPLES: list[tuple[RobotapeError, type[Exception], tuple[str, ...]]] = [
    (ToolInputError("refund", [("$.amount", "too much")]), ValueError, ("refund", "$.amount")),
    (UnknownToolError("refnud", ["refund", "a"]), LookupError, ("refnud", "a, refund")),
    (PolicyDenied("eve", "refund", "no rule"), PermissionError, ("eve", "refund", "no rule")),
    (PolicyDenied(None, "refund", "no rule"), PermissionError, ("nobody",)),
    (CallTimeoutError("refund", 2.5), TimeoutError, ("refund", "2.5")),
    (DeadlineExceeded("refund", 9.0), TimeoutError, ("refund", "9")),
    (RateLimitError("slow", retry_after=3.0), RobotapeError, ("slow",)),
    (ModelBehaviorError("desk", 3, "bad"), RobotapeError, ("desk", "3", "bad")),
    (TapeFormatError("a.jsonl", 7, "cut"), ValueError, ("a.jsonl", "line 7", "cut")),
    (ProtocolError("twice"), errors.TapeError, ("twice",)),
    (InDoubtError("desk/1", "refund"), errors.ResumeError, ("desk/1", "refund", "effect_key")),
    (ResumeMismatchError("desk/1", "a", "b"), errors.ResumeError, ("desk/1", "'a'", "'b'")),
    (TapedError("desk/1", "ValueError", "no"), errors.ResumeError, ("no",)),
    (SecretError("API_KEY", "is not set"), RobotapeError, ("API_KEY", "is not set")),
]


def test_every_error_has_one_root() -> None:
    assert [kind for kind in CLASSES if not issubclass(kind, RobotapeError)] == []
    assert len(CLASSES) > 25


def test_the_drawn_tree_is_the_tree() -> None:
    lines = (inspect.getdoc(errors) or "").splitlines()
    # A line that names a module draws a class of that room.
    here = "\n".join(line for line in lines if "robotape." not in line)
    drawn = re.findall(r"^ *\* (\w+)", here, re.MULTILINE)
    assert sorted(drawn) == sorted(kind.__name__ for kind in CLASSES)


@pytest.mark.parametrize(("error", "also", "words"), SAMPLES)
def test_an_error_says_what_it_is_about(
    error: RobotapeError, also: type[Exception], words: tuple[str, ...]
) -> None:
    assert isinstance(error, also)
    assert [word for word in words if word not in str(error)] == []


def test_permanent_is_a_class_or_a_mark() -> None:
    assert is_permanent(errors.QuotaError("no money"))
    assert is_permanent(PolicyDenied(None, "refund", "no rule"))
    assert is_permanent(UnknownToolError("a", []))
    assert is_permanent(mark_permanent(ServerError("marked")))


def test_control_an_unmarked_transient_error_is_not_permanent() -> None:
    assert not is_permanent(ServerError("plain"))
    assert not is_permanent(ValueError("plain"))


def test_what_a_resume_cannot_settle_is_permanent() -> None:
    # A tool that retries would otherwise run past the doubt of a call inside it.
    assert is_permanent(InDoubtError("desk/1", "refund"))
    assert is_permanent(ResumeMismatchError("desk/1", "a", "b"))
    assert is_permanent(TapedError("desk/1", "ValueError", "no"))


def test_an_error_that_refuses_attributes_can_be_marked() -> None:
    @dataclasses.dataclass(frozen=True)
    class FrozenError(Exception):
        code: int

    assert is_permanent(mark_permanent(FrozenError(1)))
    assert proves_not_started(mark_not_started(FrozenError(1)))


def test_only_a_refusal_proves_that_nothing_began() -> None:
    assert proves_not_started(ConnectionRefusedError())
    assert proves_not_started(RateLimitError("429"))
    assert proves_not_started(mark_not_started(TimeoutError()))
    for ambiguous in (TimeoutError(), ConnectionResetError(), ServerError("500"), OSError()):
        assert not proves_not_started(ambiguous)


def test_what_was_raised_from_a_permanent_error_is_permanent() -> None:
    exhausted = mark_permanent(ConnectionError("four attempts"))
    wrapped = RuntimeError("no rates today")
    wrapped.__cause__ = exhausted
    outermost = ValueError("cannot book")
    outermost.__cause__ = wrapped
    assert is_permanent(outermost)


def test_control_what_went_wrong_beside_a_permanent_error_is_not() -> None:
    fallback = ConnectionError("the other provider")
    fallback.__context__ = mark_permanent(ConnectionError("the first provider"))
    assert not is_permanent(fallback)
