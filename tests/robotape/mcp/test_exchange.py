"""MCP over HTTP: what HTTP said is kept, what breaks breaks one call, nothing goes on for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from robotape.errors import CallTimeoutError, is_permanent, proves_not_started
from robotape.mcp import (
    McpAuthenticationError,
    McpClient,
    McpConnectionError,
    McpError,
    McpProtocolError,
    McpRequestError,
    McpResultTooLargeError,
    McpServerError,
)
from robotape.mcp.client import Limits
from tests.robotape.mcp.raw_http import RawHttp, serving

LIMITS = Limits(timeout=20.0, connect_timeout=20.0, max_retries=0, max_bytes=50_000)
Use = Callable[[McpClient], Awaitable[Any]]


def over_http(use: Use, server: RawHttp | None = None, limits: Limits = LIMITS) -> Any:
    """What `use` makes of a client; afterwards nothing may be left."""

    async def main() -> Any:
        async with serving(server or RawHttp()) as raw:
            async with McpClient.http(raw.url, name="raw", limits=limits, mode="legacy") as client:
                result = await use(client)
            left = [task for task in asyncio.all_tasks() if "serve" not in repr(task)]
            assert len(left) == 1
        return result

    return asyncio.run(main())


def outcome(name: str, server: RawHttp | None = None, limits: Limits = LIMITS) -> Any:
    async def use(client: McpClient) -> Any:
        [tool] = await client.tools(only=[name])
        try:
            return await tool.execute({})
        except Exception as error:
            assert "secret-body" not in f"{error}{error.__context__}{error.__cause__}"
            # Whatever it was, it was this call's alone:
            [echo] = await client.tools(only=["echo"])
            assert await echo.execute({}) == "fine"
            return error

    return over_http(use, server, limits)


@pytest.mark.parametrize(
    ("name", "answer"), [("echo", "fine"), ("sse", "fine"), ("sse_resumed", "resumed")]
)
def test_control_what_is_answered_is_an_answer(name: str, answer: str) -> None:
    assert outcome(name) == answer


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("reset", McpConnectionError),
        ("half", McpConnectionError),
        ("accepted", McpRequestError),
        ("bad_json", McpProtocolError),
        ("html", McpRequestError),
        ("packed", McpProtocolError),
        ("elsewhere", McpRequestError),
        ("rpc_error", McpRequestError),
        ("large", McpResultTooLargeError),
        ("sse_large", McpResultTooLargeError),
        ("sse_cut", McpConnectionError),
        ("sse_refused", McpConnectionError),
        ("sse_again", McpConnectionError),
    ],
)
def test_what_breaks_breaks_one_call_with_a_typed_error(name: str, kind: type[McpError]) -> None:
    error = outcome(name)
    assert type(error) is kind
    assert not proves_not_started(error)


def test_what_the_server_says_of_its_refusal_is_kept() -> None:
    error = outcome("rpc_error")
    assert (error.code, str(error)) == (-32602, "MCP server raw: no such argument")


@pytest.mark.parametrize(
    ("status", "kind", "number", "wait"),
    [
        ("401 Unauthorized", McpAuthenticationError, 401, None),
        ("403 Forbidden", McpAuthenticationError, 403, None),
        ("400 Bad Request", McpRequestError, 400, None),
        ("413 Too Large", McpRequestError, 413, None),
        ("429 Too Many Requests|retry-after: 7\r\n", McpServerError, 429, 7.0),
        ("502 Bad Gateway", McpServerError, 502, None),
        ("503 Unavailable|retry-after: 1.5\r\n", McpServerError, 503, 1.5),
        ("503 Unavailable|retry-after: soon\r\n", McpServerError, 503, None),
        (
            "503 Unavailable|retry-after: Thu, 01 Jan 1970 00:00:00 GMT\r\n",
            McpServerError,
            503,
            0.0,
        ),
    ],
)
def test_status_and_wait_are_kept(
    status: str, kind: type[McpError], number: int, wait: float | None
) -> None:
    error = outcome("status", RawHttp(status=status))
    assert type(error) is kind
    assert (error.status, error.retry_after) == (number, wait)
    assert is_permanent(error) is (number in (400, 401, 403, 413))
    assert proves_not_started(error) is (number == 429)


def test_no_answer_is_a_timeout() -> None:
    limits = Limits(timeout=0.3, max_retries=0)
    assert type(outcome("silent", limits=limits)) is CallTimeoutError


@pytest.mark.parametrize("cap", [0, 1, 4])
def test_a_stream_that_always_ends_is_asked_for_so_often_and_no_more(cap: int) -> None:
    server = RawHttp()
    limits = Limits(timeout=20.0, max_retries=0, max_reconnects=cap)
    error = outcome("sse_again", server, limits)
    assert [seen for seen in server.seen if seen == ("GET", "again")] == [("GET", "again")] * cap
    assert f"ended {cap + 1} times" in str(error)


def test_a_stream_of_notifications_that_always_ends_is_given_up() -> None:
    server = RawHttp(listens=True)

    async def use(client: McpClient) -> None:
        [echo] = await client.tools(only=["echo"])
        for _ in range(20):
            assert await echo.execute({}) == "fine"
            await asyncio.sleep(0.01)

    over_http(use, server)
    assert 0 < sum(method == "GET" for method, _ in server.seen) <= LIMITS.max_reconnects + 1


def test_a_lost_session_is_begun_anew_by_the_next_attempt() -> None:
    server = RawHttp()

    async def use(client: McpClient) -> None:
        [gone] = await client.tools(only=["gone"])
        with pytest.raises(McpConnectionError) as raised:
            await gone.execute({})
        assert (raised.value.status, proves_not_started(raised.value)) == (404, True)

    over_http(use, server)
    assert server.sessions == 1
    server = RawHttp()
    retrying = Limits(timeout=20.0, max_retries=2)
    assert outcome("gone", server, retrying) == "fine"  # a write, yet sure not to have begun
    assert server.sessions == 2


def test_nobody_there_is_a_connection_error_and_nothing_began() -> None:
    async def main() -> None:
        async with serving(RawHttp()) as raw:
            url = raw.url
        with pytest.raises(McpConnectionError) as raised:
            await McpClient.http(url, mode="legacy").open()
        assert proves_not_started(raised.value)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_headers_go_with_every_request() -> None:
    heads: list[str] = []

    class Listening(RawHttp):
        async def answer(self, method: str, headers: dict[str, str], *rest: Any) -> bool:
            heads.append(headers.get("authorization", ""))
            assert headers["accept-encoding"] == "identity"
            return await super().answer(method, headers, *rest)

    async def main() -> None:
        async with serving(Listening()) as raw:
            sent = {"Authorization": "Bearer x"}
            async with McpClient.http(raw.url, headers=sent, mode="legacy") as client:
                await client.tools()

    asyncio.run(main())
    assert set(heads) == {"Bearer x"}


def test_a_header_that_cannot_be_sent_is_not_repeated() -> None:
    async def main() -> None:
        async with serving(RawHttp()) as raw:
            client = McpClient.http(raw.url, headers={"X-Key": "secret-body\n"}, mode="legacy")
            with pytest.raises(McpRequestError) as raised:
                await client.open()
        assert "secret-body" not in f"{raised.value}{raised.value.__context__}"
        assert is_permanent(raised.value)

    asyncio.run(main())
