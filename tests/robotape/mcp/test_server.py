"""McpServer: a remote caller gets what a local one gets, and no more than it may know."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from mcp import Client
from mcp.shared.exceptions import MCPError
from pydantic import BaseModel

from robotape import LLMAgent, Policy, RunContext, Tape, Tool, allow, tool
from robotape.errors import ReportedError, ServerError, ToolInputError
from robotape.mcp import McpClient, McpServer, McpToolError
from robotape.mcp.client import Limits, Mode
from robotape.secrets import env_secret
from robotape_harness import ScriptedLLM, call, say
from tests.laws.scripts import broken_laws

SCRIPT = str(Path(__file__).with_name("real_stdio.py"))
CANARY = "canary-0123456789-canary"


class Receipt(BaseModel):
    number: int
    text: str = "paid"


@tool(effect_key=lambda args: args.order_id)
async def pay(ctx: RunContext[Any], order_id: str, cents: int = 100) -> Receipt:
    """Pay an order."""
    return Receipt(number=cents, text=f"{ctx.principal} pays {order_id} with {ctx.deps}")


@tool(max_retries=0)
async def crash() -> str:
    """Crash."""
    raise RuntimeError("the database password is hunter2")


@tool
async def report() -> str:
    """Report a failure."""
    raise ReportedError("there is no such order")


@tool(timeout=0.05, max_retries=0)
async def slow() -> str:
    """Never answer."""
    await asyncio.sleep(60)
    return "at last"


@tool
async def leak() -> dict[str, str]:
    """Say more than it should."""
    return {"key": os.environ["MCP_TEST_API_KEY"]}


TOOLS = [pay, crash, report, slow, leak]


@asynccontextmanager
async def over_uvicorn(server: McpServer) -> AsyncIterator[str]:
    """Serve on a real socket, in this loop."""
    sock = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(server.http_app(), log_level="critical", ws="none")
    runner = uvicorn.Server(config)
    running = asyncio.create_task(runner.serve(sockets=[sock]))
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}/mcp"
    finally:
        runner.should_exit = True
        await running


Use = Callable[[dict[str, Tool[Any]]], Awaitable[Any]]
MODES: list[Mode] = ["auto", "legacy"]


def remotely(server: McpServer, use: Use, mode: Mode = "auto", **headers: str) -> Any:
    """What `use` makes of the tools as a client over HTTP has them."""

    async def main() -> Any:
        async with over_uvicorn(server) as url:
            limits = Limits(timeout=20.0, max_retries=0)
            async with McpClient.http(url, headers=headers, limits=limits, mode=mode) as client:
                return await use({tool.name: tool for tool in await client.tools()})

    return asyncio.run(main())


def failure(name: str, arguments: dict[str, Any], **options: Any) -> str:
    async def use(tools: dict[str, Tool[Any]]) -> str:
        with pytest.raises(McpToolError) as raised:
            await tools[name].execute(arguments)
        return str(raised.value)

    return str(remotely(McpServer("shop", TOOLS, **options), use))


# -- both directions, both transports ------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_a_tool_goes_out_and_comes_back_over_http(mode: Mode) -> None:
    async def use(tools: dict[str, Tool[Any]]) -> None:
        assert list(tools) == [tool.name for tool in TOOLS]
        assert tools["pay"].description == "Pay an order."
        assert tools["pay"].definition["parameters"] == pay.definition["parameters"]
        paid = await tools["pay"].execute({"order_id": "42", "cents": 30})
        assert paid == {"number": 30, "text": "eve pays 42 with shop"}

    server = McpServer("shop", TOOLS, principal="eve", deps="shop")
    remotely(server, use, mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_tool_goes_out_and_comes_back_over_stdio(mode: Mode) -> None:
    async def main() -> None:
        limits = Limits(timeout=30.0, connect_timeout=60.0, max_retries=0)
        environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
        client = McpClient.stdio(
            sys.executable, [SCRIPT, "ours"], env=environment, limits=limits, mode=mode
        )
        async with client:
            tools = {tool.name: tool for tool in await client.tools(pure=["add"])}
            assert list(tools) == ["add"]  # what the policy denies is not listed
            model = ScriptedLLM(call("add", a=20, b=22), say("42"))
            result = await LLMAgent("desk", model, tools=[*tools.values()]).run("go")
            assert [m.content for m in result.messages if m.role == "tool"] == ["42"]
            with pytest.raises(McpToolError, match="burn: not allowed"):
                await client.call("burn", {})

    asyncio.run(main())


def test_a_server_of_the_sdks_own_making_is_understood() -> None:
    async def main() -> None:
        limits = Limits(timeout=30.0, connect_timeout=60.0, max_retries=0)
        environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
        async with McpClient.stdio(
            sys.executable, [SCRIPT, "theirs"], env=environment, limits=limits
        ) as client:
            [multiply] = await client.tools()
            assert await multiply.execute({"a": 4}) == {"result": 8}
            with pytest.raises(ToolInputError):
                await multiply.execute({"a": 4, "c": 1})

    asyncio.run(main())


def test_a_client_of_the_sdks_own_making_understands() -> None:
    async def main() -> None:
        async with over_uvicorn(McpServer("shop", TOOLS)) as url, Client(url) as client:
            listed = await client.list_tools()
            assert [tool.name for tool in listed.tools] == [tool.name for tool in TOOLS]
            result = await client.call_tool("pay", {"order_id": "42", "cents": "30"})
            assert result.is_error
            with pytest.raises(MCPError, match="unknown tool: steal"):
                await client.call_tool("steal", {})

    asyncio.run(main())


# -- what a caller is told -----------------------------------------------------------------------


def test_faults_of_the_arguments_are_told() -> None:
    async def main() -> str:
        async with over_uvicorn(McpServer("shop", TOOLS)) as url, Client(url) as client:
            result = await client.call_tool("pay", {"cents": "thirty", "to": "me"})
            assert result.is_error
            return str(getattr(result.content[0], "text", ""))

    told = asyncio.run(main())
    assert told.startswith("invalid arguments for pay: ")
    assert "$.order_id: required" in told
    assert "thirty" not in told


def test_what_a_tool_reports_of_itself_is_told() -> None:
    assert failure("report", {}) == "there is no such order"


def test_internals_are_not_told() -> None:
    assert failure("crash", {}) == "crash: failed"


def test_a_timeout_is_told_as_one() -> None:
    assert failure("slow", {}) == "slow: no answer in time"


def test_a_denial_is_told_without_its_rule() -> None:
    policy = Policy(allow("*", "pay", cents=lambda cents: cents < 10))
    assert failure("pay", {"order_id": "42"}, policy=policy) == "pay: not allowed"


def test_secrets_do_not_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCP_TEST_API_KEY", CANARY)
    env_secret("MCP_TEST_API_KEY")

    async def use(tools: dict[str, Tool[Any]]) -> None:
        said = await tools["leak"].execute({})
        assert said == {"key": "[redacted:MCP_TEST_API_KEY]"}

    remotely(McpServer("shop", TOOLS), use)


# -- policy, principal, tape ---------------------------------------------------------------------


def by_token(request: Any) -> str | None:
    token = request.request.headers["authorization"].removeprefix("Bearer ")
    return {"t1": "eve", "t2": "bob"}[token]


@pytest.mark.parametrize(
    ("token", "listed"), [("t1", ["pay"]), ("t2", ["pay", "report"]), ("t3", None)]
)
def test_the_principal_comes_from_the_request(token: str, listed: list[str] | None) -> None:
    policy = Policy(allow("eve", "pay"), allow("bob", "pay"), allow("bob", "report"))
    server = McpServer("shop", TOOLS, policy=policy, principal=by_token)

    async def main() -> Any:
        async with over_uvicorn(server) as url:
            client = McpClient.http(url, headers={"Authorization": f"Bearer {token}"})
            async with client:
                try:
                    return [tool.name for tool in await client.tools()]
                except Exception as error:
                    return str(error)

    told = asyncio.run(main())
    assert told == listed if listed else told.endswith("not allowed")


def test_every_call_is_on_a_tape_of_its_own() -> None:
    tapes: list[Tape] = []

    async def keep(tape: Tape) -> None:
        await asyncio.sleep(0)
        tapes.append(tape)

    async def use(tools: dict[str, Tool[Any]]) -> None:
        calls = (tools["pay"].execute({"order_id": str(n)}) for n in range(5))
        await asyncio.gather(*calls)
        with pytest.raises(McpToolError):
            await tools["crash"].execute({})

    server = McpServer("shop", TOOLS, principal="eve", policy=Policy(allow("*", "*")), on_tape=keep)
    remotely(server, use)
    assert len(tapes) == 6
    assert sorted(tape[0].value["order_id"] for tape in tapes[:5]) == list("01234")
    assert {tape[0].agent for tape in tapes} == {"shop"}
    assert tapes[0][0].facts is not None
    assert tapes[0][0].facts["principal"] == "eve"
    assert tapes[0][0].facts["allowed_by"] == "allow * *"
    assert all(broken_laws(tape) == [] for tape in tapes)
    assert tapes[5][1].value["error"] == "RuntimeError"


def test_a_caller_in_the_same_run_gets_a_run_of_its_own() -> None:
    tapes: list[Tape] = []

    async def use(tools: dict[str, Tool[Any]]) -> Tape:
        model = ScriptedLLM(call("pay", order_id="42"), say("ok"))
        agent = LLMAgent("desk", model, tools=[tools["pay"]])
        return (await agent.run("go", principal="bob")).tape

    tape = remotely(McpServer("shop", TOOLS, principal="eve", on_tape=tapes.append), use)
    assert [entry.agent for entry in tapes[0]] == ["shop", "shop"]
    assert {entry.agent for entry in tape} == {"desk"}
    assert broken_laws(tape) == []


def test_a_deadline_spans_the_retries_of_a_call() -> None:
    @tool
    async def never() -> str:
        """Fail and fail again."""
        await asyncio.sleep(0.02)
        raise ServerError("down")

    async def use(tools: dict[str, Tool[Any]]) -> str:
        with pytest.raises(McpToolError) as raised:
            await tools["never"].execute({})
        return str(raised.value)

    assert remotely(McpServer("shop", [never], deadline=0.1), use).startswith("never: ")


def test_names_are_different() -> None:
    with pytest.raises(ValueError, match="two tools"):
        McpServer("shop", [pay, pay])
