"""Laws of settling a call in doubt by hand."""

import asyncio

import pytest

from robotape import BaseAgent, RunResult, Tape, tool
from robotape.errors import InDoubtError, ResumeError
from robotape.models import StepStatus, StepType
from robotape.resume import release, settle

CALL = "shop/tool:ship[0]"


def shop(done: list[str]) -> BaseAgent:
    @tool(max_retries=0)
    async def ship(item: str) -> str:
        done.append(item)
        return "shipped"

    class Shop(BaseAgent):
        async def work(self, task: object, deps: object) -> RunResult:
            told = await self.call_tool("ship", {"item": "book"})
            return RunResult(told, self.current_tape)

    return Shop("shop", tools=[ship])


def tape_in_doubt(*, cancelled: bool) -> Tape:
    """The tape of a run that ended between the call and its answer."""
    done: list[str] = []
    whole = asyncio.run(shop(done).run("go", seed=1)).tape
    length = 1 + next(i for i, entry in enumerate(whole) if entry.type is StepType.ACTION)
    tape = Tape(tape_id=whole.tape_id, seed=whole.seed, author=whole.author)
    for entry in list(whole)[:length]:
        tape._keep(entry)
    if cancelled:
        tape.record(
            StepType.OBSERVATION,
            StepStatus.CANCELLED,
            agent="shop",
            node="ship",
            call_id=CALL,
            attempt=1,
            content=None,
        )
    return tape


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_settled_call_is_answered_and_not_made(cancelled: bool) -> None:
    tape, done = tape_in_doubt(cancelled=cancelled), list[str]()
    settle(tape, CALL, "shipped by hand")
    result = asyncio.run(shop(done).run("go", tape=tape))
    assert (result.output, done) == ("shipped by hand", [])


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_released_call_is_made_once(cancelled: bool) -> None:
    tape, done = tape_in_doubt(cancelled=cancelled), list[str]()
    release(tape, CALL)
    result = asyncio.run(shop(done).run("go", tape=tape))
    assert (result.output, done) == ("shipped", ["book"])
    assert not result.tape.pending


@pytest.mark.parametrize("cancelled", [False, True])
def test_control_without_either_it_stays_in_doubt(cancelled: bool) -> None:
    tape, done = tape_in_doubt(cancelled=cancelled), list[str]()
    with pytest.raises(InDoubtError, match="settle"):
        asyncio.run(shop(done).run("go", tape=tape))
    assert done == []


@pytest.mark.parametrize(
    "judge", [lambda tape: settle(tape, CALL, "x"), lambda t: release(t, CALL)]
)
def test_what_is_not_in_doubt_cannot_be_settled(judge: object) -> None:
    assert callable(judge)
    whole = asyncio.run(shop([]).run("go", seed=1)).tape
    for tape in (whole, Tape()):
        before = len(tape)
        with pytest.raises(ResumeError, match="no such call in doubt"):
            judge(tape)
        assert len(tape) == before
