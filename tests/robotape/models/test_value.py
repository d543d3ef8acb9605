"""quick: a frozen dataclass as it was, only cheaper to make; discreet: and shows no secret."""

import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, replace
from typing import Any

import pytest

from robotape.models.value import discreet, quick
from robotape.secrets import keep_secret


@dataclass(frozen=True, slots=True)
class Plain:
    a: int
    b: str = "b"
    c: list[int] = field(default_factory=list)


@quick
@dataclass(frozen=True, slots=True)
class Quick:
    a: int
    b: str = "b"
    c: list[int] = field(default_factory=list)


def test_it_is_made_as_before() -> None:
    pairs = [
        (Plain(1), Quick(1)),
        (Plain(1, "x"), Quick(1, "x")),
        (Plain(1, c=[2]), Quick(1, c=[2])),
    ]
    for plain, made in pairs:
        assert (made.a, made.b, made.c) == (plain.a, plain.b, plain.c)
    assert [*inspect.signature(Quick).parameters] == [*inspect.signature(Plain).parameters]
    make: Any = Quick
    calls: list[tuple[Any, ...]] = [(), (1, "x", [], 4)]
    for wrong in calls:
        with pytest.raises(TypeError):
            make(*wrong)


def test_it_stays_a_frozen_value() -> None:
    made, name = Quick(1), "a"
    with pytest.raises(FrozenInstanceError):
        setattr(made, name, 2)
    assert made == Quick(1) != Quick(2)
    assert replace(made, a=2) == Quick(2)
    assert copy.copy(made) == made
    assert pickle.loads(pickle.dumps(made)) == made


def test_each_has_its_own_default() -> None:
    first, second = Quick(1), Quick(1)
    first.c.append(1)
    assert second.c == []


def test_what_would_not_be_run_is_refused() -> None:
    @dataclass(frozen=True, slots=True)
    class Checked:
        a: int

        def __post_init__(self) -> None:
            raise AssertionError

    with pytest.raises(TypeError, match="__post_init__"):
        quick(Checked)


@discreet
@dataclass
class Discreet:
    a: object


@pytest.mark.parametrize("kind", [Quick, Discreet])
def test_a_repr_shows_no_secret(kind: Any) -> None:
    canary = f"kanarie-{kind.__name__}-4711"
    assert canary in repr(kind(canary))
    keep_secret("CANARY", canary)
    assert canary not in repr(kind(canary))
    assert "[redacted:CANARY]" in repr(kind(canary))
    assert kind(canary).a == canary
