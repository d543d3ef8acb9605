"""RunResult: what a run gives, as a value."""

import dataclasses

import pytest

from robotape.agents.result import RunResult
from robotape.models import Usage
from robotape.tape import Tape


def test_a_result_needs_an_output_and_its_tape() -> None:
    result = RunResult("x", Tape())
    assert (result.usage, result.stop_reason, result.messages, result.error) == (
        Usage(),
        "finished",
        (),
        None,
    )


def test_a_result_does_not_change() -> None:
    name = "output"
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(RunResult("x", Tape()), name, "y")
