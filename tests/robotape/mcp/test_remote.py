"""One tool of a server: what it gave, what it may cost, and that it is not believed."""

import asyncio
from typing import Any

import mcp_types as types
import pytest

from robotape import LLMAgent, Tape
from robotape.errors import CallTimeoutError
from robotape.mcp.errors import McpConnectionError, McpRequestError, McpResultTooLargeError
from robotape.mcp.remote import McpTool, is_retryable_mcp_error, value_of
from robotape.retry import Retry
from robotape_harness import ScriptedLLM, call, say
from tests.laws.scripts import simulated

TEXT = [types.TextContent(text="a"), types.TextContent(text="b")]
IMAGE = types.ImageContent(data="aGk=", mime_type="image/png")


def value(max_bytes: int = 1000, **result: Any) -> Any:
    return value_of("s", "t", types.CallToolResult(**result), max_bytes)


def test_structure_goes_before_text_and_text_before_blocks() -> None:
    assert value(content=TEXT) == "a\nb"
    assert value(content=TEXT, structured_content={"n": 1}) == {"n": 1}
    assert value(content=[]) == ""
    assert [block["type"] for block in value(content=[*TEXT, IMAGE])] == ["text", "text", "image"]


@pytest.mark.parametrize(
    "result",
    [
        {"content": [types.TextContent(text="x" * 1001)]},
        {"content": [types.TextContent(text="x" * 1001)], "is_error": True},
        {"content": [], "structured_content": {"x": "x" * 1000}},
        {"content": [types.ImageContent(data="x" * 1001, mime_type="image/png")]},
    ],
)
def test_the_cap_holds_for_every_form(result: dict[str, Any]) -> None:
    with pytest.raises(McpResultTooLargeError):
        value(**result)


def test_only_failures_of_the_way_are_tried_again() -> None:
    assert is_retryable_mcp_error(McpConnectionError("s", "x"))
    assert is_retryable_mcp_error(CallTimeoutError("t", 1.0))
    assert not is_retryable_mcp_error(McpRequestError("s", "x"))
    assert not is_retryable_mcp_error(ValueError())


def remote(failures: int, done: list[Any], **options: Any) -> McpTool:
    """A tool whose way fails so often before an answer comes."""

    async def ask(name: str, arguments: dict[str, Any]) -> Any:
        done.append((name, arguments))
        if len(done) <= failures:
            raise McpConnectionError("s", "reset")
        return {"paid": arguments}

    hints = types.ToolAnnotations(read_only_hint=True, idempotent_hint=True)
    offered = types.Tool(name="pay", input_schema={"type": "object"}, annotations=hints)
    retry = Retry(max_retries=3, is_retryable=is_retryable_mcp_error)
    declared = {"pure": False, "effect_key": None, **options}
    return McpTool(ask, offered, name="shop_pay", retry=retry, **declared)


def test_a_servers_hints_are_not_believed() -> None:
    done: list[Any] = []
    with pytest.raises(McpConnectionError):
        simulated(remote(1, done).execute({}))
    assert len(done) == 1


@pytest.mark.parametrize("declared", [{"pure": True}, {"effect_key": lambda args: "one"}])
def test_what_is_declared_here_is_believed(declared: dict[str, Any]) -> None:
    done: list[Any] = []
    assert simulated(remote(2, done, **declared).execute({})) == {"paid": {}}
    assert done == [("pay", {})] * 3


def test_a_resumed_run_answers_from_the_tape() -> None:
    def agent(done: list[Any]) -> LLMAgent:
        model = ScriptedLLM(call("shop_pay"), say("ok"))
        return LLMAgent("desk", model, tools=[remote(0, done)])

    whole = simulated(agent([]).run("go", seed=1))
    for length in range(len(whole.tape)):
        tape: Tape = whole.tape.branch(length)
        if tape.pending:
            continue
        before = sum(e.node == "shop_pay" and e.type == "action" for e in tape)
        done: list[Any] = []
        result = simulated(agent(done).run("go", tape=tape))
        assert (result.output, before + len(done)) == ("ok", 1)
        assert result.messages == whole.messages


def test_a_call_that_is_cancelled_is_cancelled() -> None:
    async def never(name: str, arguments: dict[str, Any]) -> Any:
        await asyncio.Event().wait()

    async def main() -> None:
        tool = remote(0, [])
        tool._ask = never
        work = asyncio.create_task(tool.execute({}))
        await asyncio.sleep(1)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    simulated(main())
