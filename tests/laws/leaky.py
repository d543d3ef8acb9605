"""A run in which a canary is everywhere at once, and the sinks it could reach; no judgement."""

import asyncio
import contextlib
import logging
import pprint
import sqlite3
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from robotape import (
    BaseAgent,
    LLMAgent,
    LLMConfig,
    Policy,
    Retry,
    RunContext,
    Tape,
    Tool,
    allow,
    create_llm,
    deny,
)
from robotape.cache import SQLiteStore, cached
from robotape.errors import ToolInputError
from robotape.http import HttpError, HttpPool
from robotape.log import get_logger, setup_logging
from robotape.models import Message, ToolCall
from robotape.models.steps import Step, StepMetadata, StepType
from robotape.otel import instrument
from robotape.storage import TapeStore
from robotape_harness import Scenario, ScriptedLLM, World, call, run_campaign, say
from robotape_harness.campaign import store
from robotape_harness.report import document, lines, page, terminal
from tests.laws.scripts import simulated

__all__ = ["CANARY", "SINKS", "VARIABLE"]

CANARY = 'kanarie/4711"\\vogel'
VARIABLE = "CANARY_API_KEY"
QUICK = Retry(max_retries=1)


class Upset(LookupError):
    """An error that tells everything: in its text, its notes, its cause and its attributes."""


async def echo(ctx: RunContext[dict[str, str]], text: str) -> Any:
    """Say it back, in odd places."""
    return {text: [text, {text}], "deps": ctx.deps, "bytes": text.encode(), "within": f"<{text}>"}


async def fail(ctx: RunContext[dict[str, str]], text: str) -> None:
    """Fail with it."""
    try:
        raise ValueError(f"the cause is {text}")
    except ValueError as cause:
        error = Upset(f"cannot find {text}", {"args": text})
        error.add_note(f"a note on {text}")
        raise error from cause


def desk(**options: Any) -> LLMAgent:
    """An agent whose instructions, task, arguments, results and errors hold the canary."""
    model = ScriptedLLM(
        [call("echo", text=CANARY), call(f"named {CANARY}", text="x"), call("denied", text=CANARY)],
        [call("fail", text=CANARY)],
        say(f"so: {CANARY}"),
        model=f"model-{CANARY}",
    )
    tools: list[Tool[Any]] = [
        Tool(echo),
        Tool(fail, retry=QUICK),
        Tool(echo, name=f"named {CANARY}"),
        Tool(echo, name="denied"),
    ]
    policy = Policy(
        allow("*", "*"), deny("*", "denied", text=lambda text: text == CANARY), deny(CANARY, "none")
    )
    return LLMAgent(
        "desk", model, tools=tools, instructions=f"the key is {CANARY}", policy=policy, **options
    )


def run(tape: Tape | None = None) -> tuple[Tape, BaseException | None]:
    """The run, to its bitter end."""
    written = Tape() if tape is None else tape
    ended: list[BaseException] = []

    async def main() -> None:
        try:
            await desk().run(f"use {CANARY}", tape=written, principal=CANARY, deps={"key": CANARY})
        except Upset as error:
            ended.append(error)

    simulated(main())
    metadata = StepMetadata(agent="a", node=CANARY, prompt_id=CANARY, facts={"why": [CANARY]})
    written.append(Step(type=StepType.THOUGHT, content={"plan": CANARY}, metadata=metadata))
    return written, ended[0] if ended else None


def tape_bytes(folder: Path) -> str:
    tape, _ = run()
    tape.save(folder / "a.tape.jsonl")
    return tape.to_bytes().decode() + (folder / "a.tape.jsonl").read_text()


def tape_json(folder: Path) -> str:
    return run()[0].model_dump_json()


def tape_steps(folder: Path) -> str:
    tape, _ = run()
    return pprint.pformat([*tape, *tape.steps, tape.branch(3).steps])


def journal(folder: Path) -> str:
    tape, _ = run(Tape.journaled(folder / "j.jsonl", keep=1))
    tape.close()
    return (folder / "j.jsonl").read_text() + repr(list(tape))


def log(folder: Path) -> str:
    """Everything at DEBUG, arguments included, and an error that a user logs."""
    stream, root = StringIO(), logging.getLogger("robotape")
    level, handlers = root.level, list(root.handlers)
    handler = logging.StreamHandler(stream)
    seen: list[dict[str, Any]] = []
    handler.addFilter(seeing(seen))
    try:
        setup_logging(debug=True, arguments=True)
        root.handlers[:] = [handler]
        _, error = run()
        mine = get_logger("robotape.mine")
        mine.error("failed: %s", error, exc_info=error, extra={"error_text": str(error)})
        mine.error("failed", exc_info=error)
    finally:
        setup_logging()
        root.setLevel(level)
        root.handlers[:] = handlers
    return stream.getvalue() + pprint.pformat(seen)


def seeing(seen: list[dict[str, Any]]) -> Callable[[logging.LogRecord], bool]:
    """A filter that lets pass, and notes, every field of every record."""

    def note(record: logging.LogRecord) -> bool:
        seen.append(dict(vars(record)))
        return True

    return note


def spans(folder: Path) -> str:
    memory, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    with instrument(provider):
        run()
    return "".join(span.to_json() for span in memory.get_finished_spans())


def reprs(folder: Path) -> str:
    """Of whatever a user may print or a traceback show."""
    config = LLMConfig(
        model="gpt-4",
        base_url="https://host/v1?api-key=" + CANARY,
        additional_params={"user": CANARY},
    )
    agent, tape = desk(), Tape()
    agent.llm = create_llm(config)
    context: RunContext[Any] = RunContext(deps={"key": CANARY}, prompt=CANARY, tape=tape)
    result = simulated(BaseAgent("plain").run({"key": CANARY}))
    messages = [Message("user", CANARY), ToolCall("echo", CANARY)]
    things = [config, agent, agent.llm, *agent.tools.values(), context, result, *messages, tape]
    return "\n".join(f"{thing!r} {thing}" for thing in things)


def refusals(folder: Path) -> str:
    """The texts of errors of our own, which go to models and people."""
    tool: Tool[Any] = Tool(echo)
    texts = []
    for arguments in ({"text": [CANARY]}, {"text": "x", CANARY: 1}, f'{{"text": "{CANARY}'):
        with contextlib.suppress(ToolInputError):
            texts.append(repr(asyncio.run(tool.execute(arguments))))
        try:
            asyncio.run(tool.execute(arguments))
        except ToolInputError as error:
            texts.append(
                f"{error} {error!r} {error.faults!r} {error.__cause__} {error.__context__}"
            )
    return "\n".join(texts)


def http(folder: Path) -> str:
    async def main() -> str:
        async with HttpPool() as pool:
            try:
                await pool.request(
                    "GET",
                    f"http://127.0.0.1:1/{CANARY}",
                    headers={"Authorization": CANARY.replace("\\", "")},
                )
            except HttpError as error:
                return redacted_as_logged(error)
        raise AssertionError("nobody listens at port 1")

    return asyncio.run(main())


def redacted_as_logged(error: BaseException) -> str:
    """An error as a log shows it."""
    told = {"msg": "%s", "args": (error,), "exc_info": (type(error), error, None)}
    record = logging.makeLogRecord(told)
    for filter in get_logger("robotape.mine").filters:
        assert not isinstance(filter, logging.Filter) or filter.filter(record)
    return logging.Formatter().format(record)


def tape_store(folder: Path) -> str:
    path = folder / "tapes.db"
    with TapeStore(f"sqlite:///{path}") as kept:
        kept.save_tape(run()[0])
    return content(path)


def cache(folder: Path) -> str:
    asked = cached(store=SQLiteStore(folder / "cache.db"))(answer)
    asyncio.run(asked(CANARY))
    asyncio.run(asked("harmless"))
    return content(folder / "cache.db")


async def answer(question: str) -> str:
    """Answer, so that the answer holds the question."""
    return f"the answer to {question}"


def content(path: Path) -> str:
    """What a database file holds: its rows, and its bytes with what was deleted."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rows = "\n".join(connection.iterdump())
    return rows + "".join(
        file.read_bytes().decode("utf-8", "backslashreplace") for file in path.parent.iterdir()
    )


class Shop(World):
    """Pays out, and writes the canary into the effect ledger."""

    async def pay(self, text: str) -> str:
        return self.ledger.commit("pay", text=text).call_id


async def pay(ctx: RunContext[Shop], text: str) -> str:
    """Pay; a write that is repeated blindly, so that the harness finds something."""
    await ctx.deps.pay(text)
    return text


def found() -> Any:
    scenario = Scenario(
        world=Shop,
        agent=lambda world: LLMAgent(
            "desk", ScriptedLLM(call("pay", text=CANARY), say(CANARY)), tools=[Tool(pay)]
        ),
        task=f"pay {CANARY}",
        outcome=lambda result, world: (str(result.output), world.ledger.totals("pay")),
    )
    report = run_campaign(scenario)
    assert report.findings
    return report


def finding_files(folder: Path) -> str:
    for finding in found().findings:
        store.save(finding, folder, "agents/desk.py:desk")
    return "\n".join(path.read_text() for path in sorted(folder.iterdir()))


def report_text(folder: Path) -> str:
    stream = StringIO()
    report = found()
    terminal.write(page.report_lines(report), stream)
    for finding in report.findings:
        terminal.write(page.finding_lines(finding), stream)
    return stream.getvalue() + lines.plain(page.report_lines(report))


def failed_baseline(folder: Path) -> str:
    """What a campaign says of a scenario that fails without any fault."""
    scenario = Scenario(
        world=World,
        agent=lambda world: LLMAgent(
            "desk",
            ScriptedLLM(call("fail", text="x" * 150 + CANARY)),
            tools=[Tool(fail, retry=QUICK)],
        ),
        task=CANARY,
    )
    report = run_campaign(scenario)
    return report.message + document.dumps(report) + lines.plain(page.report_lines(report))


def report_json(folder: Path) -> str:
    return document.dumps(found())


SINKS: dict[str, Callable[[Path], str]] = {
    "cache file": cache,
    "error texts": refusals,
    "failed baseline": failed_baseline,
    "finding files": finding_files,
    "http errors": http,
    "journal": journal,
    "log": log,
    "report as JSON": report_json,
    "report as text": report_text,
    "reprs": reprs,
    "spans": spans,
    "tape as JSON": tape_json,
    "tape file": tape_bytes,
    "tape steps": tape_steps,
    "tape store": tape_store,
}
