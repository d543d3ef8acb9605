"""What was recorded within a block comes out at its end, once, unless it comes out by itself."""

import asyncio

import pytest

from robotape_harness.seams.ending import outstanding, settled

MINE, OTHER = ValueError("mine"), KeyError("other")


def test_what_was_swallowed_comes_out_at_the_end() -> None:
    mine = ValueError("mine")
    with pytest.raises(ValueError, match="mine") as caught, settled([mine, OTHER]):
        pass
    assert caught.value is mine
    assert any("1 more" in note for note in mine.__notes__)


def test_what_the_code_made_of_it_does_not_hide_it() -> None:
    errors: list[Exception] = []
    with pytest.raises(ValueError, match="mine") as caught, settled(errors):
        errors.append(ValueError("mine"))
        raise ConnectionError("what an SDK says") from errors[0]
    assert caught.value is errors[0]


def test_what_comes_out_by_itself_is_not_raised_twice() -> None:
    assert outstanding([MINE], MINE) is None
    assert outstanding([MINE], ExceptionGroup("tasks", [OTHER, MINE])) is None
    assert outstanding([], OTHER) is None
    assert outstanding([MINE], OTHER) is MINE
    assert outstanding([MINE, OTHER], None) is MINE


def test_control_without_a_record_everything_passes_as_it_is() -> None:
    with settled([]):
        pass
    with pytest.raises(KeyError) as caught, settled([]):
        raise OTHER
    assert caught.value is OTHER


def test_cancellation_goes_first_and_says_what_was_before_it() -> None:
    with pytest.raises(asyncio.CancelledError) as caught, settled([MINE]):
        raise asyncio.CancelledError
    assert "ValueError: mine" in caught.value.__notes__[0]
