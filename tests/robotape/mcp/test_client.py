"""McpClient over stdio: what the SDK leaves to us ends in a typed error, and leaves nothing."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from robotape import LLMAgent, Policy, RunContext, Tape, allow
from robotape.errors import (
    CallTimeoutError,
    PolicyDenied,
    ToolInputError,
    UnknownToolError,
    is_permanent,
    proves_not_started,
)
from robotape.mcp import (
    McpClient,
    McpConnectionError,
    McpError,
    McpProtocolError,
    McpRequestError,
    McpResultTooLargeError,
    McpServerError,
    McpTimeoutError,
    McpToolError,
    PermanentMcpError,
)
from robotape.mcp.client import Limits
from robotape.mcp.remote import McpTool
from robotape_harness import ScriptedLLM, call, say
from tests.laws.scripts import broken_laws

SCRIPT = str(Path(__file__).with_name("raw_stdio.py"))
QUICK = Limits(timeout=20.0, connect_timeout=20.0, max_retries=0)
HASTY = Limits(timeout=0.3, connect_timeout=20.0, max_retries=0)


def raw(limits: Limits = QUICK, **environment: str) -> McpClient:
    return McpClient.stdio(
        sys.executable, ["-S", SCRIPT], env=environment, name="raw", limits=limits, mode="legacy"
    )


Use = Callable[[dict[str, McpTool]], Awaitable[Any]]


def with_tools(use: Use, limits: Limits = QUICK, **environment: str) -> Any:
    """What `use` makes of the server's tools; afterwards nothing may be left."""

    async def main() -> Any:
        async with raw(limits, **environment) as client:
            tools = await client.tools(pure=["echo", "count"])
            result = await use({tool.name: tool for tool in tools})
        assert len(asyncio.all_tasks()) == 1
        return result

    return asyncio.run(main())


def outcome(name: str, limits: Limits = QUICK, **environment: str) -> Any:
    """What a call without arguments gives, or raises."""

    async def use(tools: dict[str, McpTool]) -> Any:
        try:
            return await tools[name].execute({})
        except Exception as error:
            assert "secret-body" not in f"{error}{error.__context__}{error.__cause__}"
            return error

    return with_tools(use, limits, **environment)


# -- a sound call --------------------------------------------------------------------------------


def test_a_servers_tool_is_a_tool() -> None:
    async def use(tools: dict[str, McpTool]) -> None:
        echo = tools["echo"]
        assert echo.definition["parameters"]["required"] == ["text"]
        assert await echo.execute({"text": "héllo"}) == "héllo"
        assert await tools["count"].execute('{"n": 3}') == "0\n1\n2"
        assert await tools["structured"].execute({}) == {"n": 3}
        assert (await tools["blocks"].execute({}))[0]["type"] == "image"

    with_tools(use)


def test_a_call_is_on_the_tape_as_what_it_is() -> None:
    async def use(tools: dict[str, McpTool]) -> None:
        model = ScriptedLLM(call("echo", text="hi"), call("failed"), say("ok"))
        agent = LLMAgent("desk", model, tools=[tools["echo"], tools["failed"]])
        result = await agent.run("go")
        told = [m.content for m in result.messages if m.role == "tool"]
        assert told == ["hi", "Error: no such order"]
        assert result.usage.tool_calls == 1
        [action] = [e for e in result.tape if e.node == "echo" and e.type == "action"]
        assert action.facts == {"kind": "mcp"}
        assert action.value == {"text": "hi"}
        assert broken_laws(result.tape) == []

    with_tools(use)


def test_arguments_are_checked_before_anything_is_sent() -> None:
    async def use(tools: dict[str, McpTool]) -> None:
        tape = Tape()
        context = RunContext(None, tape=tape)
        with pytest.raises(ToolInputError) as raised:
            await tools["count"].execute({"n": "secret-value", "m": 1}, context)
        assert raised.value.faults == (
            ("$.m", "unknown key; the keys are n"),
            ("$.n", "must be of type integer"),
        )
        assert [step.type for step in tape] == ["error"]

    with_tools(use)


def test_a_policy_judges_a_servers_tools_by_name() -> None:
    async def use(tools: dict[str, McpTool]) -> None:
        small = Policy(allow("eve", "count", n=lambda n: n < 3))
        model = ScriptedLLM(
            call("count", n=2), call("count", n=3), call("echo", text="x"), say(".")
        )
        agent = LLMAgent("desk", model, tools=list(tools.values()), policy=small)
        result = await agent.run("go", principal="eve")
        told = [m.content for m in result.messages if m.role == "tool"]
        assert told[0] == "0\n1"
        assert all("no rule allows it" in text for text in told[1:])
        with pytest.raises(PolicyDenied):
            await agent.call_tool("count", {"n": 1})

    with_tools(use)


@pytest.mark.parametrize("name", ["noise", "twice", "string_id", "changed", "asks"])
def test_what_the_sdk_bears_with_is_no_error(name: str) -> None:
    assert outcome(name) == "fine"


# -- what goes wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("failed", McpToolError),
        ("failed_mutely", McpToolError),
        ("error", McpServerError),
        ("die", McpConnectionError),
        ("no_content", McpProtocolError),
        ("odd_content", McpProtocolError),
        ("structured_wrong", McpProtocolError),
        ("structured_missing", McpProtocolError),
    ],
)
def test_what_goes_wrong_is_a_typed_error(name: str, kind: type[Exception]) -> None:
    error = outcome(name)
    assert type(error) is kind
    assert is_permanent(error) is (kind in (McpToolError, McpProtocolError))
    assert not proves_not_started(error)


@pytest.mark.parametrize("name", ["silent", "other_id", "progress", "deaf"])
def test_no_answer_is_a_timeout_and_frees_the_caller(name: str) -> None:
    async def use(tools: dict[str, McpTool]) -> None:
        started_at = asyncio.get_running_loop().time()
        with pytest.raises(CallTimeoutError):
            await tools[name].execute({})
        assert asyncio.get_running_loop().time() - started_at < 5

    if name == "deaf":  # a server that is asleep is killed on the way out, after 4 s

        async def awake() -> None:
            client = raw(HASTY)
            await client.open()
            link = client._link
            assert link is not None
            await use({tool.name: tool for tool in await client.tools()})
            await client.close()
            assert link.is_ended

        asyncio.run(awake())
    else:
        with_tools(use, HASTY)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (-32602, McpRequestError),
        (-32601, McpRequestError),
        (-32600, McpRequestError),
        (-32700, McpProtocolError),
        (-32603, McpServerError),
        (-32001, McpTimeoutError),
        (-32042, PermanentMcpError),
        (-31999, PermanentMcpError),
    ],
)
def test_error_codes_are_classes(code: int, kind: type[McpError]) -> None:
    error = outcome("error", CODE=str(code))
    assert type(error) is kind
    assert error.code == code
    assert str(error) == "MCP server raw: it went wrong"


@pytest.mark.parametrize(("max_bytes", "is_given"), [(2_999_999, False), (3_000_100, True)])
def test_a_result_has_a_cap(max_bytes: int, is_given: bool) -> None:
    error = outcome("large", Limits(max_bytes=max_bytes, max_retries=0))
    assert (type(error) is McpResultTooLargeError) is not is_given


def test_a_cancelled_call_is_cancelled_at_once_and_harms_nobody() -> None:
    async def use(tools: dict[str, McpTool]) -> None:
        work = asyncio.create_task(tools["silent"].execute({}))
        await asyncio.sleep(0.1)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert await tools["echo"].execute({"text": "still"}) == "still"

    with_tools(use)


# -- connections ---------------------------------------------------------------------------------


def starts(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()]


def test_a_server_that_died_is_started_again_by_the_next_call(tmp_path: Path) -> None:
    log = tmp_path / "starts"

    async def use(tools: dict[str, McpTool]) -> None:
        waiting = [asyncio.create_task(tools["silent"].execute({})) for _ in range(2)]
        await asyncio.sleep(0.1)
        with pytest.raises(McpConnectionError):
            await tools["die"].execute({})
        ended = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(error) for error in ended] == [McpConnectionError] * 2
        answers = (tools["echo"].execute({"text": "again"}) for _ in range(5))
        assert await asyncio.gather(*answers) == ["again"] * 5

    with_tools(use, STARTED=str(log))
    assert len(starts(log)) == 2
    assert [pid for pid in starts(log) if is_running(pid)] == []


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("cap", [0, 2])
def test_reconnections_in_a_row_are_capped(cap: int, tmp_path: Path) -> None:
    log = tmp_path / "starts"

    async def use(tools: dict[str, McpTool]) -> list[McpConnectionError]:
        errors = []
        for _ in range(cap + 3):
            with pytest.raises(McpConnectionError) as raised:
                await tools["die"].execute({})
            errors.append(raised.value)
        return errors

    errors = with_tools(use, Limits(max_reconnects=cap, max_retries=0), STARTED=str(log))
    assert len(starts(log)) == cap + 1
    assert [is_permanent(error) for error in errors] == [False] * (cap + 1) + [True] * 2
    assert f"given up after {cap} reconnections" in str(errors[-1])


def test_an_answer_between_makes_room_for_more() -> None:
    async def use(tools: dict[str, McpTool]) -> None:
        for _ in range(3):
            with pytest.raises(McpConnectionError, match="onnection"):
                await tools["die"].execute({})
            assert await tools["echo"].execute({"text": "x"}) == "x"

    with_tools(use, Limits(max_reconnects=1, max_retries=0))


def test_a_pure_call_is_made_again_and_a_write_is_not(tmp_path: Path) -> None:
    async def made(pure: list[str]) -> int:
        log = tmp_path / f"starts-{len(pure)}"
        limits = Limits(max_retries=2, max_reconnects=9)
        async with raw(limits, STARTED=str(log)) as client:
            [die] = await client.tools(only=["die"], pure=pure)
            with pytest.raises(McpConnectionError):
                await die.execute({})
        return len(starts(log))

    assert asyncio.run(made(["die"])) == 3
    assert asyncio.run(made([])) == 1


@pytest.mark.parametrize(
    ("environment", "kind"),
    [({"HANDSHAKE": "exit"}, McpConnectionError), ({"HANDSHAKE": "silent"}, McpTimeoutError)],
)
def test_without_a_handshake_there_is_no_connection(
    environment: dict[str, str], kind: type[McpError]
) -> None:
    async def main() -> McpError:
        client = raw(Limits(connect_timeout=0.4, max_retries=0), **environment)
        with pytest.raises(kind) as raised:
            await client.open()
        assert len(asyncio.all_tasks()) == 1
        return raised.value

    error = asyncio.run(main())
    assert proves_not_started(error)


def test_a_program_that_is_not_there_is_permanent() -> None:
    async def main() -> None:
        with pytest.raises(McpConnectionError) as raised:
            await McpClient.stdio("/nowhere/at/all").open()
        assert is_permanent(raised.value)

    asyncio.run(main())


def test_a_closed_client_does_not_connect() -> None:
    async def main() -> None:
        client = raw()
        async with client:
            [echo] = await client.tools(only=["echo"])
        await client.close()
        with pytest.raises(McpConnectionError, match="not open") as raised:
            await echo.execute({"text": "x"})
        assert is_permanent(raised.value)
        assert proves_not_started(raised.value)

    asyncio.run(main())


# -- the list ------------------------------------------------------------------------------------


def listing(**options: Any) -> Any:
    environment = options.pop("environment", {})

    async def main() -> list[McpTool]:
        async with raw(HASTY, **environment) as client:
            return await client.tools(**options)

    return asyncio.run(main())


def test_pages_make_one_list() -> None:
    whole, paged = listing(), listing(environment={"LIST": "paged"})
    assert [tool.name for tool in whole] == [tool.name for tool in paged]


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ("silent", McpTimeoutError),
        ("twins", McpProtocolError),
        ("endless", McpProtocolError),
        ("no_schema", McpProtocolError),
    ],
)
def test_a_list_that_is_none_is_a_typed_error(how: str, kind: type[McpError]) -> None:
    with pytest.raises(kind):
        listing(environment={"LIST": how})


def test_tools_are_chosen_and_named() -> None:
    [tool] = listing(only=["echo"], prefix="raw_", effect_keys={"echo": lambda args: args.text})
    assert (tool.name, tool.definition["name"]) == ("raw_echo", "raw_echo")
    assert tool.effect_key is not None


@pytest.mark.parametrize("option", [{"only": ["x"]}, {"pure": ["x"]}, {"effect_keys": {"x": str}}])
def test_a_name_that_is_not_on_the_list_is_a_mistake(option: dict[str, Any]) -> None:
    with pytest.raises(UnknownToolError):
        listing(**option)


@pytest.mark.parametrize(
    "wrong", [{"timeout": 0.0}, {"connect_timeout": -1.0}, {"max_reconnects": -1}, {"max_bytes": 0}]
)
def test_limits_are_sane(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Limits(**wrong)


@pytest.mark.parametrize("url", ["ftp://x/", "/mcp", "http://example.com/mcp"])
def test_only_https_leaves_this_machine(url: str) -> None:
    with pytest.raises(ValueError, match=r"HTTP|URL"):
        McpClient.http(url)


@pytest.mark.parametrize("url", ["https://example.com/mcp", "http://127.0.0.1:1/", "http://[::1]/"])
def test_control_https_and_loopback_are_fine(url: str) -> None:
    assert McpClient.http(url).name in url
    assert McpClient.http("http://example.com/", allow_http=True).name == "example.com"
