"""A secret of the environment is nowhere on a tape, whichever way it came."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from robotape import BaseAgent, LLMAgent, Policy, Tape, Tool, allow, env_secret, secrets
from robotape.context import RunContext
from robotape.errors import ServerError, ToolInputError
from robotape.llm.exchange import LLMRequest, LLMResponse
from robotape.models.steps import Step, StepType
from tests.laws.scripts import Model, asks, call, say, script, simulated, wrong

CANARY = 'kanarie/4711"\\vogel'


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test begins knowing no secret: what one has learned must not make another pass."""
    known = vars(secrets)["_known"]
    kept = (dict(known.values), known.current)
    known.values.clear()
    known.current = None
    yield
    known.values.clear()
    known.values.update(kept[0])
    known.current = kept[1]


async def echo(text: str) -> str:
    """Say it back."""
    return text


async def shapes(text: str) -> Any:
    """Say it in odd places."""
    return {text: [text, {text}], "bytes": text.encode(), "within": f"<{text}>"}


async def fail(text: str) -> None:
    """Fail with it."""
    raise LookupError(f"cannot find {text}")


def told(model_says: LLMResponse, **options: Any) -> Tape:
    tape = Tape()
    tools: list[Tool[Any]] = [Tool(echo), Tool(shapes), Tool(fail, max_retries=0)]
    desk = LLMAgent("desk", script(model_says, say(f"so: {CANARY}")), tools=tools, **options)

    async def main() -> None:
        with contextlib.suppress(LookupError):
            await desk.run(f"use {CANARY}", tape=tape, principal=CANARY)

    simulated(main())
    return tape


def instruct(**options: Any) -> Tape:
    return told(say("hi"), instructions=f"the key is {CANARY}", **options)


def by_deps() -> Tape:
    tape = Tape()

    async def leak(ctx: RunContext[str]) -> str:
        return ctx.deps

    desk = LLMAgent("desk", script(asks(call("leak")), say("x")), tools=[Tool(leak)])
    simulated(desk.run("go", deps=CANARY, tape=tape))
    return tape


def by_the_model() -> Tape:
    tape = Tape()

    def decide(request: LLMRequest) -> LLMResponse:
        raise ServerError(f"bad key {CANARY}")

    with pytest.raises(ServerError):
        simulated(LLMAgent("desk", Model(decide)).run("go", tape=tape))
    return tape


def by_hand() -> Tape:
    tape = Tape()
    tape.append(Step(type=StepType.THOUGHT, content={"plan": CANARY}))
    return tape


WAYS: dict[str, Any] = {
    "argument": lambda: told(asks(call("echo", text=CANARY))),
    "result": lambda: told(asks(call("shapes", text=CANARY))),
    "error message": lambda: told(asks(call("fail", text=CANARY))),
    "name of an argument": lambda: told(asks(wrong("echo", f'{{"{CANARY!s}": 1}}'))),
    "invalid value": lambda: told(asks(call("echo", text=[CANARY]))),
    "name of a tool": lambda: told(asks(call(CANARY))),
    "denied": lambda: told(
        asks(call("echo", text=CANARY)),
        policy=Policy(allow("*", "echo", text=lambda text: 1 / len(text[:0]) > 0)),
    ),
    "instructions": instruct,
    "deps": by_deps,
    "error of the model": by_the_model,
    "a step of one's own": by_hand,
}
HARMLESS = ("deps", "error of the model", "a step of one's own")


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def places(tape: Tape, folder: Path) -> list[str]:
    tape.save(folder / "a.jsonl")
    return [
        tape.to_bytes().decode(),
        (folder / "a.jsonl").read_text(),
        tape.model_dump_json(),
        *(repr(step.model_dump()) for step in tape.steps),
        *(repr(entry) for entry in tape),
    ]


def leaks(tape: Tape, folder: Path) -> bool:
    text = "\n".join(places(tape, folder))
    spellings = {CANARY, escaped(CANARY), escaped(escaped(CANARY)), "kanarie/4711"}
    return any(spelling in text for spelling in spellings)


@pytest.mark.parametrize("way", WAYS)
def test_a_canary_is_nowhere_on_the_tape(
    way: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CANARY_API_KEY", CANARY)
    tape = WAYS[way]()
    assert not leaks(tape, tmp_path)
    assert "[redacted:CANARY_API_KEY]" in tape.to_bytes().decode()


@pytest.mark.parametrize("way", WAYS)
def test_control_without_the_variable_it_is_there(
    way: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CANARY_API_KEY", raising=False)
    assert leaks(WAYS[way](), tmp_path)


def test_a_secret_met_in_the_middle_of_a_run_is_kept_from_then_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VOGEL", CANARY)  # a name that does not look secret

    async def read() -> str:
        return str(env_secret("VOGEL"))

    desk = LLMAgent("desk", script(asks(call("read")), say("x")), tools=[Tool(read)])
    tape = Tape()
    simulated(desk.run("go", tape=tape))
    assert not leaks(tape, tmp_path)


def test_an_error_about_arguments_repeats_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_API_KEY", CANARY)
    made: Tool[Any] = Tool(echo)
    for arguments in ({"text": [CANARY]}, {"text": "x", CANARY: 1}, f'{{"text": "{CANARY}'):
        with pytest.raises(ToolInputError) as raised:
            asyncio.run(made.execute(arguments))
        for text in (str(raised.value), repr(raised.value), repr(raised.value.faults)):
            assert "4711" not in text


def test_an_unknown_tool_is_not_told_with_its_secret_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_API_KEY", CANARY)
    agent = BaseAgent("a", tools=[Tool(echo)])
    result = asyncio.run(agent.act(Step(type=StepType.ACTION, content={"action": CANARY})))
    assert not result.success
    assert b"4711" not in agent.current_tape.to_bytes()


@pytest.mark.parametrize("length", [40, 64, 65, 200])
def test_no_part_of_a_long_secret_is_told_as_the_name_of_an_argument(
    monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    secret = ("sk_live_" + "q7" * length)[:length]
    monkeypatch.setenv("CANARY_API_KEY", secret)
    with pytest.raises(ToolInputError) as raised:
        asyncio.run(Tool(echo).execute({"text": "x", secret: 1}))
    assert "q7q7" not in str(raised.value)
