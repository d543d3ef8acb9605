"""The corridor: its stations in the one order, and nothing below a station that refuses."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from robotape import LLMAgent, Policy, Tape, Tool, allow, deny, intercept
from robotape.calls import Call, CallNext
from robotape.context import Surroundings
from robotape.errors import DeadlineExceeded, PolicyDenied, RobotapeError, ToolInputError
from robotape.models.record import Record
from robotape.policy import Decision, at_most
from robotape.runtime import Run, Scope, entered
from robotape.tape import tape_of
from robotape.tools import tool
from robotape.validation import ArgumentParser
from tests.laws.scripts import Watcher, asks, broken_laws, call, say, script, simulated


class Spy(Policy):
    """A policy that says what it is asked."""

    def __init__(self, log: list[str], *rules: Any) -> None:
        super().__init__(*rules)
        self.log = log
        self.judged: list[Mapping[str, Any]] = []

    def gate(self, principal: str | None, target: str) -> Decision:
        self.log.append("gate")
        return super().gate(principal, target)

    def decide(self, principal: str | None, target: str, arguments: Mapping[str, Any]) -> Decision:
        self.log.append("policy")
        self.judged.append(arguments)
        return super().decide(principal, target, arguments)


class SpyTape(Tape):
    log: list[str]

    def write(self, entry: Record) -> Record:
        if entry.node == "refund":
            self.log.append(f"tape {entry.type.value}")
        return super().write(entry)


def passage(
    monkeypatch: pytest.MonkeyPatch,
    *rules: Any,
    arguments: Mapping[str, object] = {"order_id": "42", "amount": 30},
    fails: int = 0,
) -> tuple[list[str], Spy, BaseException | None]:
    log: list[str] = []
    parse = ArgumentParser.parse

    def logged(self: ArgumentParser, raw: Any) -> Any:
        log.append("parse")
        return parse(self, raw)

    monkeypatch.setattr(ArgumentParser, "parse", logged)
    attempts = iter(range(99))

    async def refund(order_id: str, amount: int) -> str:
        log.append("effect")
        if next(attempts) < fails:
            raise ConnectionResetError("lost")
        return "done"

    async def seam(call: Call, call_next: CallNext) -> Any:
        log.append(f"seam {call.attempt}")
        return await call_next(call)

    spy = Spy(log, *rules)
    tape = SpyTape()
    tape.log = log

    async def main() -> None:
        agent = LLMAgent("desk", script(say("x")), tools=[Tool(refund)], policy=spy)
        scope = Scope(Run(1), agent="desk", prefix="desk", principal="eve", policies=(spy,))
        tape.attach(scope.run, "desk")
        with entered(scope), intercept(seam):
            await agent.call_tool("refund", arguments)

    error: BaseException | None = None
    try:
        simulated(main())
    except RobotapeError as raised:
        error = raised
    assert broken_laws(tape) == []
    return log, spy, error


ALLOWED = (allow("eve", "refund", amount=lambda amount: amount <= 100),)


def test_a_call_passes_the_stations_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    log, _, _ = passage(monkeypatch, *ALLOWED)
    assert log == [
        "gate",
        "parse",
        "policy",
        "tape action",
        "seam 1",
        "effect",
        "tape observation",
    ]


def test_a_retry_passes_only_what_lies_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    log, _, _ = passage(monkeypatch, *ALLOWED, fails=1)
    once = ["tape action", "seam {n}", "effect"]
    assert log == [
        *("gate", "parse", "policy"),
        *(entry.format(n=1) for entry in once),
        "tape error",
        *(entry.format(n=2) for entry in once),
        "tape observation",
    ]


def test_a_call_denied_at_the_gate_reaches_nothing_below(monkeypatch: pytest.MonkeyPatch) -> None:
    for rules in ((), (allow("bob", "*"),), (allow("*", "*"), deny("eve", "refund"))):
        log, _, error = passage(monkeypatch, *rules)
        assert isinstance(error, PolicyDenied)
        assert log == ["gate", "tape error"]


def test_an_invalid_call_reaches_no_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    log, spy, error = passage(monkeypatch, *ALLOWED, arguments={"order_id": "42", "amount": "30"})
    assert isinstance(error, ToolInputError)
    assert log == ["gate", "parse", "tape error"]
    assert spy.judged == []


def test_a_call_denied_for_its_arguments_reaches_no_body(monkeypatch: pytest.MonkeyPatch) -> None:
    log, _, error = passage(monkeypatch, *ALLOWED, arguments={"order_id": "42", "amount": 101})
    assert isinstance(error, PolicyDenied)
    assert log == ["gate", "parse", "policy", "tape error"]


class Order(BaseModel):
    lines: list[dict[str, int]]


def test_everything_below_policy_receives_what_policy_judged() -> None:
    log: list[str] = []
    spy = Spy(log, allow("*", "*"))
    received: list[dict[str, Any]] = []
    watcher = Watcher()

    @tool
    async def ship(order: Order, tags: list[str], limits: dict[str, int] | None = None) -> None:
        """Ship."""
        received.append({"order": order, "tags": tags, "limits": limits})
        if len(received) < 3:
            raise ConnectionResetError

    async def main() -> None:
        agent = LLMAgent("desk", script(say("x")), tools=[ship], policy=spy)
        with intercept(watcher):
            await agent.call_tool(
                "ship", {"order": {"lines": [{"a": 1}]}, "tags": ["x"], "limits": {"b": 2}}
            )

    simulated(main())
    [judged] = spy.judged
    assert len(received) == len(watcher.seen) == 3
    for seen in watcher.seen:
        assert seen.arguments is judged
    for given in received:
        assert given.keys() == judged.keys()
        assert all(given[name] is judged[name] for name in judged)


def test_what_was_judged_cannot_be_changed_by_the_body() -> None:
    @tool(max_retries=0)
    async def ship(tags: list[str]) -> None:
        """Ship."""
        tags.append("more")

    with pytest.raises(TypeError, match="frozen"):
        asyncio.run(ship.execute({"tags": ["x"]}))


def test_a_denial_is_one_error_on_the_tape_and_no_action() -> None:
    @tool
    async def refund(amount: int) -> None:
        """Pay back."""

    async def main() -> Tape:
        agent = LLMAgent(
            "desk",
            script(asks(call("refund", amount=1), call("refund", amount=999)), say("ok")),
            tools=[refund],
            policy=Policy(allow("*", "refund", amount=at_most(100)), version="1"),
        )
        return (await agent.run("go")).tape

    tape = simulated(main())
    told = [(step.type.value, step.attempt) for step in tape if step.node == "refund"]
    assert sorted(told) == [("action", 1), ("error", 0), ("observation", 1)]
    [error] = [step for step in tape if step.attempt == 0]
    assert error.value["error"] == "PolicyDenied"
    assert error.facts == {"retryable": False, "policy": "1"}
    [action] = [step for step in tape if step.attempt == 1 and step.node == "refund"][:1]
    assert action.facts is not None
    assert action.facts["allowed_by"] == "allow * refund given amount <= 100"
    assert action.facts["policy"] == "1"


def test_a_call_past_its_deadline_is_not_begun() -> None:
    bodies: list[float] = []

    @tool
    async def refund() -> None:
        """Commits before it first waits."""
        bodies.append(1)

    async def main() -> list[tuple[str, int]]:
        scope = Scope(Run(1), agent="desk", prefix="desk")
        tape = Tape()
        tape.attach(scope.run, "desk")
        scope.deadline = 5.0
        with entered(scope):
            await refund.execute({})
            await asyncio.sleep(5.0)
            with pytest.raises(DeadlineExceeded):
                await refund.execute({})
        return [(step.type.value, step.attempt) for step in tape]

    assert simulated(main()) == [("action", 1), ("observation", 1), ("error", 0)]
    assert len(bodies) == 1


def test_a_call_without_a_run_is_refused() -> None:
    @tool
    async def refund() -> None:
        """Pay back."""

    async def main() -> None:
        parsed = refund.parser.parse({})
        scope = Scope(Run(1))
        assert tape_of(scope) is None
        await refund.perform(scope, "c", parsed, Surroundings())

    with pytest.raises(RobotapeError, match="no run"):
        asyncio.run(main())
