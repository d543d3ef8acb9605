"""Whatever comes of an attempt, the tape announces it before and ends it exactly once."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robotape import BaseAgent, LLMAgent, Tape, Tool, intercept
from robotape.begin import begin
from robotape.calls import Call, CallNext
from robotape.models.steps import StepStatus, StepType
from robotape.runtime import entered
from robotape.tape import tape_of
from robotape_harness.simulation import Choices, SimLoop
from tests.laws.scripts import asks, broken_laws, call, say, script, simulated


class HaltError(BaseException):
    """Ends more than a call."""


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Unreadable:
    """A result that cannot be looked into."""

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__"):
            return super().__getattribute__(name)
        raise RuntimeError("hands off")


ENDINGS = {
    "value": "observation completed",
    "odd value": "observation completed",
    "bytes": "observation completed",
    "error": "error failed",
    "mute error": "error failed",
    "timeout": "error failed",
    "swallowed timeout": "observation completed",
    "halt": "error failed",
    "cancelled from within": "observation cancelled",
    "cancelled from outside": "observation cancelled",
}


async def end(how: str, seconds: float = 1.0) -> Any:
    """A body that comes to the given end."""
    if how == "swallowed timeout":
        try:
            await asyncio.sleep(1e6)
        except asyncio.CancelledError:
            return "late"
    await asyncio.sleep(1e6 if how in ("timeout", "cancelled from outside") else seconds)
    errors: dict[str, BaseException] = {
        "error": ConnectionResetError("lost"),
        "mute error": MuteError(),
        "halt": HaltError(),
        "cancelled from within": asyncio.CancelledError(),
    }
    if how in errors:
        raise errors[how]
    return {"odd value": Unreadable(), "bytes": b"\xff\x00"}.get(how, "done")


@pytest.mark.parametrize(("how", "terminator"), ENDINGS.items())
def test_every_ending_is_one_terminator(how: str, terminator: str) -> None:
    tape = Tape()
    made: Tool[Any] = Tool(end, timeout=10.0, max_retries=0)

    async def seam(call: Call, call_next: CallNext) -> Any:
        assert tape.pending == {call.call_id: 1}, "announced before anything happens"
        return await call_next(call)

    async def main() -> None:
        with entered(begin("desk", tape=tape, seed=1)), intercept(seam):
            task = asyncio.ensure_future(made.execute({"how": how}))
            if how == "cancelled from outside":
                await asyncio.sleep(5)
                task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()

    simulated(main())
    assert broken_laws(tape) == []
    assert [f"{step.type} {step.status}" for step in tape] == ["action pending", terminator]


@pytest.mark.parametrize("how", ["error", "timeout"])
def test_every_attempt_is_one_pair(how: str) -> None:
    tape = Tape()
    made: Tool[Any] = Tool(end, timeout=10.0, max_retries=2)

    async def main() -> None:
        scope = begin("desk", tape=tape, seed=1)
        with entered(scope), pytest.raises((ConnectionResetError, TimeoutError)):
            await made.execute({"how": how})

    simulated(main())
    assert broken_laws(tape) == []
    assert [(str(step.type), step.attempt) for step in tape] == [
        (kind, attempt) for attempt in (1, 2, 3) for kind in ("action", "error")
    ]
    delays = [step.facts for step in tape if step.type is StepType.ERROR and step.facts]
    assert [("delay" in facts, facts["retryable"]) for facts in delays] == [
        (True, True),
        (True, True),
        (False, True),
    ]


jobs = st.lists(
    st.tuples(
        st.sampled_from(
            ["value", "error", "timeout", "swallowed timeout", "cancelled from outside"]
        ),
        st.sampled_from([0.0, 0.5, 1.0]),
    ),
    min_size=1,
    max_size=7,
)


def together(jobs: Sequence[tuple[str, float]], schedule: int) -> Tape:
    """Calls at once, two of them within another tool, some cancelled on the way."""
    leaf: Tool[Any] = Tool(end, name="leaf", timeout=10.0, max_retries=1)

    async def pair(how: str, seconds: float) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(leaf.execute({"how": how, "seconds": seconds}))

    outer: Tool[Any] = Tool(pair, name="pair", timeout=30.0, max_retries=1)

    async def main() -> Tape:
        with entered(begin("desk", seed=1)) as scope:
            tasks = []
            for index, (how, seconds) in enumerate(jobs):
                arguments = {"how": how, "seconds": seconds}
                made = outer if index % 2 else leaf
                tasks.append(asyncio.create_task(made.execute(arguments)))
            await asyncio.sleep(0.7)
            for task, (how, _) in zip(tasks, jobs, strict=True):
                if how == "cancelled from outside":
                    task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            tape = tape_of(scope)
        assert tape is not None
        return tape

    return simulated(main(), schedule)


@settings(max_examples=60)
@given(jobs, st.integers(0, 2**32))
def test_calls_at_once_keep_the_protocol_under_any_schedule(
    jobs: list[tuple[str, float]], schedule: int
) -> None:
    tape = together(jobs, schedule)
    assert broken_laws(tape) == []
    assert tape.pending == {}
    attempts = [(step.call_id, step.attempt) for step in tape if step.type is StepType.ACTION]
    assert len(set(attempts)) == len(attempts), "no attempt is announced twice"


def test_control_schedules_differ() -> None:
    jobs = [("value", 0.5), ("error", 0.5), ("value", 0.5), ("error", 0.5)]
    orders = {
        tuple((step.call_id, str(step.type)) for step in together(jobs, seed)) for seed in range(9)
    }
    assert len(orders) > 3


def test_control_a_tape_that_is_cut_breaks_the_law() -> None:
    tape = together([("value", 0.5)], 1)
    assert broken_laws(tape) == []
    assert broken_laws(list(tape)[:-1]) != []


def test_what_the_model_said_is_a_thought_between() -> None:
    desk = LLMAgent("desk", script(asks(call("end", how="value")), say("ok")), tools=[Tool(end)])
    tape = simulated(desk.run("go")).tape
    assert [(step.node, str(step.type)) for step in tape] == [
        ("llm", "action"),
        ("llm", "thought"),
        ("llm", "observation"),
        ("end", "action"),
        ("end", "observation"),
        ("llm", "action"),
        ("llm", "thought"),
        ("llm", "observation"),
    ]


def test_denied_invalid_and_unknown_calls_are_one_error_each() -> None:
    agent = BaseAgent("a", tools=[Tool(end)])

    async def main() -> Tape:
        with entered(begin("a", seed=1)) as scope:
            for name, arguments in (("end", {}), ("nothing", {}), ("end", {"how": 1})):
                with pytest.raises(Exception, match=r"invalid|no tool"):
                    await agent.call_tool(name, arguments)
            tape = tape_of(scope)
        assert tape is not None
        return tape

    tape = simulated(main())
    assert [(str(step.type), step.attempt, step.status) for step in tape] == [
        ("error", 0, StepStatus.FAILED)
    ] * 3


def test_a_process_that_ends_in_a_call_leaves_its_terminator() -> None:
    tape = Tape()

    async def body() -> None:
        raise KeyboardInterrupt

    loop = SimLoop(Choices.benign())

    async def main() -> None:
        with entered(begin("desk", tape=tape, seed=1)):
            await Tool(body).execute({})

    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(main())
    loop.close()
    assert broken_laws(tape) == []
    assert tape[1].value["error"] == "KeyboardInterrupt"
