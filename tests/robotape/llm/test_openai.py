"""The OpenAI client: what it sends, how it goes through the corridor, what it leaves behind."""

import asyncio
import json
import socket
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from aioresponses import aioresponses
from pydantic import SecretStr

from robotape.begin import begin
from robotape.errors import (
    AuthenticationError,
    BadRequestError,
    CallTimeoutError,
    LLMConnectionError,
    LLMTimeoutError,
    MalformedReplyError,
    RateLimitError,
    ServerError,
    proves_not_started,
)
from robotape.http import HttpLimits, HttpPool
from robotape.llm import LLMConfig, OpenAILLM
from robotape.llm.base import LLM_RETRY
from robotape.llm.exchange import LLMRequest
from robotape.models.messages import Message, ToolCall, Usage
from robotape.retry import Retry
from robotape.runtime import entered
from robotape.secrets import env_secret
from robotape.tape import tape_of
from tests.robotape.loopback import Raw, answering, unused_port

KEY = "sk-canary-9876543210"
REQUEST = LLMRequest((Message("user", "Hello"),))
AT_ONCE = replace(LLM_RETRY, base=1e-9, cap=1e-9)


def completion(content: str = "Hi", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, **more}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "m-0613",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9},
    }


def client(origin: str, **more: Any) -> OpenAILLM:
    config = LLMConfig(model="m", api_key=SecretStr(KEY), base_url=f"{origin}/v1", **more)
    return OpenAILLM(config, retry=AT_ONCE)


def test_a_whole_exchange() -> None:
    seen: list[web.Request] = []
    bodies: list[Any] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        bodies.append(await request.json())
        return web.json_response(completion())

    async def main() -> None:
        async with answering(handler) as origin:
            llm = client(origin, temperature=0, max_tokens=9, additional_params={"seed": 1})
            response = await llm.complete(REQUEST)
            await llm.close()
        assert (response.text, response.finish_reason, response.model) == ("Hi", "stop", "m-0613")
        assert response.usage == Usage(7, 2, llm_calls=1)
        assert response.raw_response["id"] == "chatcmpl-1"

    asyncio.run(main())
    assert (seen[0].method, seen[0].path) == ("POST", "/v1/chat/completions")
    assert seen[0].headers["Authorization"] == f"Bearer {KEY}"
    assert seen[0].headers["Content-Type"] == "application/json"
    assert [name for name, value in seen[0].headers.items() if KEY in value] == ["Authorization"]
    assert bodies == [
        {
            "model": "m",
            "messages": [{"role": "user", "content": "Hello"}],
            "temperature": 0.0,
            "max_tokens": 9,
            "seed": 1,
        }
    ]


def test_without_a_key_no_header_is_sent() -> None:
    async def handler(request: web.Request) -> web.Response:
        assert "Authorization" not in request.headers
        return web.json_response(completion())

    async def main() -> None:
        async with answering(handler) as origin:
            llm = OpenAILLM(LLMConfig(model="m", base_url=origin, api_key=""))
            assert (await llm.generate("Hello")).text == "Hi"
            await llm.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        (None, "https://api.openai.com/v1/chat/completions"),
        ("http://localhost:11434/v1/", "http://localhost:11434/v1/chat/completions"),
        ("https://x.example", "https://x.example/chat/completions"),
        ("https://x.example/a%20b?v=1", "https://x.example/a%20b/chat/completions?v=1"),
    ],
)
def test_requests_go_below_the_base_url(base_url: str | None, url: str) -> None:
    assert str(OpenAILLM(LLMConfig(model="m", base_url=base_url)).url) == url


def test_openai_itself_is_told_of_max_tokens_by_the_new_name() -> None:
    with aioresponses() as mocked:
        mocked.post("https://api.openai.com/v1/chat/completions", payload=completion())
        llm = OpenAILLM(LLMConfig(model="m", max_tokens=5))

        async def main() -> str:
            return (await llm.generate("Hello")).text

        assert asyncio.run(main()) == "Hi"
        assert mocked.requests is not None
        [[sent]] = mocked.requests.values()
        assert json.loads(sent.kwargs["data"])["max_completion_tokens"] == 5


def test_mocked_failures_are_classified_as_real_ones_are() -> None:
    with aioresponses() as mocked:
        url = "https://api.example.com/v1/chat/completions"
        mocked.post(url, status=401, payload={"error": {"message": f"bad key {KEY}"}})
        llm = client("https://api.example.com")
        with pytest.raises(AuthenticationError) as caught:
            asyncio.run(llm.complete(REQUEST))
        assert KEY not in str(caught.value)
        assert "bad key [redacted:api_key]" in str(caught.value)


def test_a_call_and_its_attempts_are_on_the_tape_and_the_key_is_not() -> None:
    replies = iter(
        [
            web.json_response({"error": {"message": f"echo {KEY}"}}, status=503),
            web.json_response(completion(f"your key is {KEY}")),
        ]
    )

    async def handler(_: web.Request) -> web.Response:
        return next(replies)

    async def main() -> str:
        async with answering(handler) as origin:
            llm = client(origin)
            with entered(begin("agent", seed=1)) as scope:
                await llm.generate("Hello")
                tape = tape_of(scope)
            await llm.close()
        assert tape is not None
        assert [step.type for step in tape.steps] == [
            "action",
            "error",
            "action",
            "thought",
            "observation",
        ]
        return tape.model_dump_json()

    text = asyncio.run(main())
    assert "[redacted:api_key]" in text
    assert KEY not in text


def test_a_tool_conversation_is_written_as_the_protocol_wants() -> None:
    bodies: list[Any] = []

    async def handler(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        return web.json_response(completion())

    conversation = (
        Message("system", "Be brief."),
        Message("user", "Hello"),
        Message("assistant", "", (ToolCall("now", "", "c1"), ToolCall("pay", '{"a":1}', "c2"))),
        Message("tool", "noon", tool_call_id="c1", name="now"),
        Message("tool", "paid", tool_call_id="c2", name="pay"),
    )
    tool = {"name": "now", "description": "The time.", "parameters": {"type": "object"}}

    async def main() -> None:
        async with answering(handler) as origin:
            llm = client(origin)
            await llm.generate(conversation, tools=[tool])
            await llm.close()

    asyncio.run(main())
    calls = [
        {"id": "c1", "type": "function", "function": {"name": "now", "arguments": "{}"}},
        {"id": "c2", "type": "function", "function": {"name": "pay", "arguments": '{"a":1}'}},
    ]
    assert bodies[0]["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "content": "noon", "tool_call_id": "c1"},
        {"role": "tool", "content": "paid", "tool_call_id": "c2"},
    ]
    assert bodies[0]["tools"] == [{"type": "function", "function": tool}]


def test_parameters_that_json_cannot_say_are_misuse() -> None:
    llm = client("http://localhost", additional_params={"top_p": float("nan")})
    with pytest.raises(ValueError, match="JSON"):
        asyncio.run(llm.complete(REQUEST))


# ------------------------------------------------------------------ what has no bytes


def test_a_stalled_attempt_ends_by_the_corridors_timer_and_is_tried_again() -> None:
    async def main() -> int:
        server = Raw(b"", end="stay")
        async with server.serving() as origin:
            llm = client(origin, timeout=0.2)
            with pytest.raises(CallTimeoutError):
                await llm.generate("Hello")
            await llm.close()
        return server.requests

    assert asyncio.run(main()) == 3


def test_a_retry_without_a_timeout_gets_the_configured_one() -> None:
    config = LLMConfig(model="m", timeout=7.0)
    assert OpenAILLM(config, retry=Retry(max_retries=1)).retry == Retry(max_retries=1, timeout=7.0)
    assert OpenAILLM(config, retry=Retry(timeout=3.0)).retry.timeout == 3.0


def test_a_connection_that_never_stands_is_a_timeout_before_anything_was_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(*_: object) -> None:
        await asyncio.get_running_loop().create_future()

    async def main() -> None:
        monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", never)
        async with HttpPool(limits=HttpLimits(connect_timeout=0.01)) as pool:
            llm = OpenAILLM(LLMConfig(model="m", base_url="http://127.0.0.1:9"), pool=pool)
            with pytest.raises(LLMTimeoutError) as caught:
                await llm.complete(REQUEST)
            assert proves_not_started(caught.value)

    asyncio.run(main())


def test_refused_unknown_and_without_tls_prove_that_nothing_was_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def handler(_: web.Request) -> web.Response:
        return web.Response()

    async def main() -> None:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
        async with answering(handler) as origin:
            for base in (
                f"http://127.0.0.1:{unused_port()}",
                "https://nowhere.example",
                origin.replace("http:", "https:"),
            ):
                llm = client(base)
                with pytest.raises(LLMConnectionError) as caught:
                    await llm.complete(REQUEST)
                assert proves_not_started(caught.value)
                await llm.close()

    asyncio.run(main())


def test_plain_http_to_elsewhere_is_refused_once() -> None:
    llm = client("http://api.example.com")
    with pytest.raises(BadRequestError, match="only HTTPS"):
        asyncio.run(llm.complete(REQUEST))


@pytest.mark.parametrize(("status", "kind"), [(200, MalformedReplyError), (503, ServerError)])
def test_an_answer_without_end_is_no_answer(status: int, kind: type[Exception]) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, body=b" " * 5000, headers={"x-request-id": "r"})

    async def main() -> None:
        pool = HttpPool(limits=HttpLimits(max_bytes=4000))
        async with answering(handler) as origin, pool:
            llm = OpenAILLM(LLMConfig(model="m", base_url=origin), pool=pool)
            with pytest.raises(kind) as caught:
                await llm.complete(REQUEST)
            assert getattr(caught.value, "request_id", None) == "r"

    asyncio.run(main())


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    asked = 0

    async def handler(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.json_response({}, status=429, headers={"Retry-After": "3600"})

    async def main() -> None:
        async with answering(handler) as origin:
            llm = client(origin)
            with pytest.raises(RateLimitError):
                await llm.generate("Hello")
            await llm.close()

    asyncio.run(main())
    assert asked == 1


def test_cancelling_closes_the_connection_and_passes_through() -> None:
    async def main() -> None:
        server = Raw(b"", end="stay")
        async with server.serving() as origin:
            llm = client(origin)
            asking = asyncio.create_task(llm.generate("Hello"))
            while not server.requests:
                await asyncio.sleep(0)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            await server.hung_up.wait()
            assert server.requests == 1
            await llm.close()

    asyncio.run(main())


# ------------------------------------------------------------------ sharing and closing


async def hello(_: web.Request) -> web.Response:
    return web.json_response(completion())


def test_concurrent_calls_share_a_pool_and_nothing_else() -> None:
    async def echo(request: web.Request) -> web.Response:
        asked = await request.json()
        return web.json_response(completion(asked["messages"][0]["content"]))

    async def main() -> None:
        async with answering(echo) as origin:
            llm = client(origin)
            asked = [f"question {number}" for number in range(50)]
            answers = await asyncio.gather(*map(llm.generate, asked))
            assert [answer.text for answer in answers] == asked
            await llm.close()
            await llm.close()

    asyncio.run(main())


def test_one_client_serves_loops_one_after_the_other_closed_or_not() -> None:
    llm: OpenAILLM | None = None

    async def main(is_closed: bool) -> None:
        nonlocal llm
        async with answering(hello) as origin:
            llm = llm or client(origin)
            llm.url = llm.url.with_port(int(origin.rpartition(":")[2]))
            assert (await llm.generate("Hello")).text == "Hi"
            if is_closed:
                await llm.close()

    for is_closed in (True, False, False, True):
        asyncio.run(main(is_closed))


def test_a_pool_of_somebody_else_stays_open() -> None:
    async def main() -> None:
        async with answering(hello) as origin, HttpPool() as pool:
            llm = OpenAILLM(LLMConfig(model="m", base_url=origin), pool=pool)
            await llm.generate("Hello")
            await llm.close()
            [held] = pool._sessions.values()
            assert not held.session.closed

    asyncio.run(main())


def test_the_key_shows_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBOTAPE_TEST_KEY", KEY)
    llm = OpenAILLM(LLMConfig(model="m", api_key=env_secret("ROBOTAPE_TEST_KEY")))
    shown = f"{llm!r}{vars(llm)!r}{llm.config!s}{llm.config.model_dump()}"
    assert KEY not in shown + llm.config.model_dump_json()
