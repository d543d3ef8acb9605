"""Allowances: said in words that exist, for a block, for code and for tasks begun in it."""

import asyncio
from contextvars import Context, copy_context
from math import inf, nan
from typing import Any

import pytest

from robotape.errors import RobotapeError
from robotape_harness import SimLoop, allow_real
from robotape_harness.simulation.allowances import (
    Allowance,
    AllowanceError,
    allowances,
    carry,
    grace,
    is_given,
)

BAD: dict[str, tuple[tuple[Any, ...], dict[str, Any], str]] = {
    "nothing": ((), {}, "cannot allow nothing: there are clock, entropy, executor"),
    "unknown": (("socket",), {}, "cannot allow 'socket': there are .* sockets, "),
    "unknown among known": (("sockets", "disk"), {}, "cannot allow 'disk'"),
    "modules for the run": (("threads",), {"modules": ["a"]}, "leave modules out"),
    "modules for executors": (("clock", "executor"), {"modules": "a"}, "leave modules out"),
    "no grace": (("threads",), {"grace": 0}, "grace is 0, and must be a positive number"),
    "grace without end": (("threads",), {"grace": inf}, "grace is inf"),
    "no number": (("threads",), {"grace": nan}, "grace is nan"),
}


@pytest.mark.parametrize("row", BAD.values(), ids=BAD)
def test_bad_input_is_refused(row: tuple[tuple[Any, ...], dict[str, Any], str]) -> None:
    what, options, said = row
    with pytest.raises(AllowanceError, match=said) as caught, allow_real(*what, **options):
        pass
    assert isinstance(caught.value, RobotapeError)
    assert allowances() == ()


def test_an_allowance_lasts_as_long_as_its_block() -> None:
    with allow_real("sockets"):
        with allow_real("threads", grace=0.5):
            assert is_given("threads")
            assert is_given("sockets")
            assert grace() == 0.5
        assert not is_given("threads")
        assert grace() == 0
    assert allowances() == ()


def test_a_module_includes_those_below_it_and_no_other_of_its_letters() -> None:
    allowance = Allowance(frozenset({"clock"}), ("app.metrics",), 0.1)
    assert allowance.covers("clock", "app.metrics")
    assert allowance.covers("clock", "app.metrics.store")
    assert not allowance.covers("clock", "app.metricses")
    assert not allowance.covers("clock", "app")
    assert not allowance.covers("entropy", "app.metrics")


def test_a_module_may_be_given_alone() -> None:
    with allow_real("clock", modules="app"):
        assert allowances()[0].modules == ("app",)


def test_tasks_begun_in_the_block_inherit_it_and_others_do_not() -> None:
    async def has() -> bool:
        await asyncio.sleep(1)
        return is_given("sockets")

    async def main() -> tuple[bool, bool]:
        with allow_real("sockets"):
            inner = asyncio.create_task(has())
        return await inner, await asyncio.create_task(has())

    with asyncio.Runner(loop_factory=SimLoop) as runner:
        assert runner.run(main()) == (True, False)


def test_it_is_carried_into_an_empty_context() -> None:
    with allow_real("sockets"):
        context = carry(Context())
        assert context.run(is_given, "sockets")
        assert not Context().run(is_given, "sockets")
    assert len(carry(Context())) == 0
    assert not copy_context().run(is_given, "sockets")
