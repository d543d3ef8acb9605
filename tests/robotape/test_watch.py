"""Watchers: told of runs, turns and calls after the tape, and never able to change either."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from robotape import BaseAgent, LLMAgent, Policy, Retry, Tool, allow
from robotape.cache import Caching
from robotape.calls import Call, CallNext
from robotape.retry import Decision
from robotape.runtime import Run, Scope, current_scope
from robotape.watch import dismiss, under_watch, watch, watched
from robotape_harness import ScriptedLLM, call, say
from tests.laws.scripts import simulated


class Diary:
    """A watcher that writes down what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @contextmanager
    def place(self, scope: Scope) -> Iterator[None]:
        where = f"{scope.agent} {scope.turn}"
        self.lines.append(f"enter {where}")
        try:
            yield
        finally:
            self.lines.append(f"leave {where}")

    def call(self, scope: Scope, call: Call, provider: str) -> "Page":
        return Page(self.lines)

    def rejected(self, scope: Scope, target: str, call_id: str, error: Exception) -> None:
        self.lines.append(f"rejected {target} {type(error).__name__}")


class Page:
    """What it writes down of one call."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    async def __call__(self, call: Call, call_next: CallNext) -> Any:
        self.lines.append(f"around {call.target} {call.attempt}")
        return await call_next(call)

    def started(self, call: Call) -> None:
        self.lines.append(f"started {call.target} {call.attempt}")

    def succeeded(self, call: Call, value: Any) -> None:
        self.lines.append(f"succeeded {call.target} {call.attempt}")

    def failed(self, call: Call, error: BaseException, decision: Decision) -> None:
        self.lines.append(f"failed {call.target} {call.attempt} {decision.reason or 'again'}")

    def cancelled(self, call: Call) -> None:
        self.lines.append(f"cancelled {call.target} {call.attempt}")

    def recalled(self, call: Call) -> None:
        self.lines.append(f"recalled {call.target}")


@pytest.fixture
def diary() -> Iterator[Diary]:
    watcher = Diary()
    watch(watcher)
    yield watcher
    dismiss(watcher)


def flaky() -> Tool[Any]:
    left = [1]

    async def knock() -> str:
        """Knock."""
        if left.pop() if left else 0:
            raise ConnectionResetError("reset")
        return "come in"

    return Tool(knock, retry=Retry(max_retries=1))


def agent(**options: Any) -> LLMAgent:
    return LLMAgent("desk", ScriptedLLM(call("knock"), say("Hi.")), tools=[flaky()], **options)


def test_a_watcher_is_told_of_everything_in_order(diary: Diary) -> None:
    simulated(agent().run("go"))
    assert diary.lines == [
        "enter desk 0",
        "enter desk 1",
        "started scripted 1",
        "around scripted 1",
        "succeeded scripted 1",
        "started knock 1",
        "around knock 1",
        "failed knock 1 again",
        "started knock 2",
        "around knock 2",
        "succeeded knock 2",
        "leave desk 1",
        "enter desk 2",
        "started scripted 1",
        "around scripted 1",
        "succeeded scripted 1",
        "leave desk 2",
        "leave desk 0",
    ]


def test_a_refused_call_is_told_and_never_started(diary: Diary) -> None:
    simulated(agent(policy=Policy(allow("sales", "knock"))).run("go"))
    assert "rejected knock PolicyDenied" in diary.lines
    assert not any(line.startswith("started knock") for line in diary.lines)


def test_an_answer_from_the_cache_is_told_and_never_started(diary: Diary) -> None:
    async def look() -> str:
        """Look."""
        return "seen"

    other = Diary()
    watch(other)
    tool: Tool[Any] = Tool(look, pure=True, cache=Caching())
    model = ScriptedLLM(call("look"), call("look"), say("ok"))
    try:
        simulated(LLMAgent("desk", model, tools=[tool]).run("go"))
    finally:
        dismiss(other)
    for lines in (diary.lines, other.lines):
        assert [line for line in lines if "look" in line] == [
            "started look 1",
            "around look 1",
            "succeeded look 1",
            "recalled look",
        ]


def test_a_run_that_raises_is_left(diary: Diary) -> None:
    class Failing(BaseAgent):
        async def work(self, task: Any, deps: Any) -> Any:
            raise LookupError("no")

    with pytest.raises(LookupError):
        simulated(Failing("sad").run("go"))
    assert diary.lines == ["enter sad 0", "leave sad 0"]


def test_several_watch_one_call_each_around_the_next(diary: Diary) -> None:
    other = Diary()
    watch(other)
    try:
        simulated(agent().run("go"))
    finally:
        dismiss(other)
    assert other.lines == diary.lines


def test_who_is_dismissed_is_told_no_more(diary: Diary) -> None:
    dismiss(diary)
    dismiss(diary)
    simulated(agent().run("go"))
    assert diary.lines == []


def test_watching_moves_no_byte_of_the_tape(diary: Diary) -> None:
    seen = simulated(agent().run("go", seed=3)).tape.to_bytes()
    dismiss(diary)
    assert simulated(agent().run("go", seed=3)).tape.to_bytes() == seen


def test_a_watched_place_is_the_place_itself(diary: Diary) -> None:
    scope = Scope(Run(1), agent="desk")
    with under_watch(scope):
        assert current_scope() is scope
    assert current_scope() is None
    assert diary.lines == ["enter desk 0", "leave desk 0"]


def test_where_nobody_watches_there_is_nobody_to_tell() -> None:
    assert watched(Scope(Run(1)), Call("tool", "knock", {}), "") is None


def test_control_a_watcher_is_found(diary: Diary) -> None:
    assert watched(Scope(Run(1)), Call("tool", "knock", {}), "") is not None
