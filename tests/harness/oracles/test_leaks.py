"""Laws of the oracles of leaks: what a run leaves, holds or piles up only under the fault."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from robotape import Tool
from robotape_harness.oracles.leaks import leak, unbounded_memory
from robotape_harness.simulation.trial import Life
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, accused, doing, names, pay_42, paying, under


async def linger() -> None:
    await asyncio.sleep(100.0)


async def leave(doer: Doer, _: World) -> Any:
    other = asyncio.ensure_future(linger())
    paid = await doer.call("pay", order="42")
    other.cancel()
    return paid


async def hold(doer: Doer, world: World) -> Any:
    world.ledger.acquire("connection")
    paid = await doer.call("pay", order="42")
    world.ledger.release("connection")
    return paid


async def hold_well(doer: Doer, world: World) -> Any:
    world.ledger.acquire("connection")
    try:
        return await doer.call("pay", order="42")
    finally:
        world.ledger.release("connection")


@pytest.mark.parametrize("kind", ["permanent_error", "cancellation"])
@pytest.mark.parametrize(
    ("script", "said"),
    [(leave, "test_leaks.py:"), (hold, "connection was not given back")],
)
def test_what_is_left_behind_is_accused(script: Any, said: str, kind: str) -> None:
    evidence = under(doing(script, paying()), kind)
    [verdict] = accused(leak, evidence)
    assert verdict.harm == 3
    assert said in verdict.why
    assert "/" not in verdict.why
    assert names(evidence) == ["leak"]


@pytest.mark.parametrize("script", [hold_well, pay_42])
@pytest.mark.parametrize("kind", ["permanent_error", "cancellation", "error"])
def test_control_what_is_given_back_is_no_leak(script: Any, kind: str) -> None:
    assert not accused(leak, under(doing(script, paying()), kind))


def test_control_what_is_left_without_the_fault_as_well_is_no_leak() -> None:
    tasks: list[Any] = []  # held, so that none of them is collected

    async def always(doer: Doer, world: World) -> Any:
        world.ledger.acquire("connection")
        tasks.append(asyncio.ensure_future(linger()))
        return await doer.call("pay", order="42")

    assert not accused(leak, under(doing(always, paying()), "permanent_error"))


def test_control_a_run_that_hangs_still_holds_what_it_holds() -> None:
    async def wait(doer: Doer, world: World) -> Any:
        world.ledger.acquire("connection")
        try:
            await doer.call("pay", order="42")
        except PermissionError:
            await asyncio.Event().wait()
        world.ledger.release("connection")

    evidence = under(doing(wait, paying()), "permanent_error")
    assert names(evidence) == ["hang"]


def test_control_a_process_that_died_gives_nothing_back() -> None:
    evidence = under(doing(hold, paying()), "permanent_error")
    before = Life(tape=evidence.tape, commits=0, seconds=0.0)
    killed = replace(evidence.trial, lives=(before,))
    assert not leak(replace(evidence, trial=killed))


def growing(size: int) -> Tool[Any]:
    async def note(text: str) -> str:
        """Note a text."""
        return text * size

    return Tool(note)


@pytest.mark.parametrize(("size", "expected"), [(2_000_000, 1), (1_000_000, 0)])
def test_a_step_of_more_than_a_megabyte_is_accused(size: int, expected: int) -> None:
    async def pile_up(doer: Doer, _: World) -> Any:
        try:
            return await doer.call("pay", order="42")
        except PermissionError:
            await doer.call("note", text="x")
            return "noted"

    evidence = under(doing(pile_up, paying(), growing(size)), "permanent_error")
    verdicts = accused(unbounded_memory, evidence)
    assert len(verdicts) == expected
    assert all("one step of note holds 1 MiB" in verdict.why for verdict in verdicts)


def test_control_a_large_step_that_is_usual_is_fine() -> None:
    async def note(doer: Doer, _: World) -> Any:
        await doer.call("note", text="x")
        return await doer.call("pay", order="42")

    assert not accused(unbounded_memory, under(doing(note, paying(), growing(2_000_000)), "error"))
