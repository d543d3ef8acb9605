"""The Anthropic client: what it sends, and that its key goes nowhere else."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from aioresponses import aioresponses
from pydantic import BaseModel, SecretStr

from robotape import LLMAgent, tool
from robotape.errors import AuthenticationError
from robotape.llm import AnthropicLLM, LLMConfig
from robotape.models.messages import Usage
from tests.robotape.loopback import answering
from tests.robotape.wire_rows import AT_ONCE, REQUEST

KEY = "sk-ant-canary-9876543210"


def message(*content: dict[str, Any], reason: str = "end_turn") -> dict[str, Any]:
    usage = {"input_tokens": 7, "output_tokens": 2}
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": list(content),
        "stop_reason": reason,
        "usage": usage,
    }


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def client(origin: str) -> AnthropicLLM:
    config = LLMConfig(model="m", api_key=SecretStr(KEY), base_url=f"{origin}/v1")
    return AnthropicLLM(config, retry=AT_ONCE)


def test_a_whole_exchange() -> None:
    seen: list[web.Request] = []
    bodies: list[Any] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        bodies.append(await request.json())
        return web.json_response(message(text("Hi")))

    async def main() -> None:
        async with answering(handler) as origin:
            llm = client(origin)
            response = await llm.complete(REQUEST)
            await llm.close()
        assert (response.text, response.finish_reason, response.model) == ("Hi", "stop", "claude-x")
        assert response.usage == Usage(7, 2, llm_calls=1)

    asyncio.run(main())
    assert (seen[0].method, seen[0].path) == ("POST", "/v1/messages")
    assert seen[0].headers["anthropic-version"] == "2023-06-01"
    assert [name for name, value in seen[0].headers.items() if KEY in value] == ["x-api-key"]
    assert bodies == [
        {"model": "m", "max_tokens": 4096, "messages": [{"role": "user", "content": "Hello"}]}
    ]


def test_without_a_key_no_header_is_sent() -> None:
    async def handler(request: web.Request) -> web.Response:
        assert "x-api-key" not in request.headers
        return web.json_response(message(text("Hi")))

    async def main() -> None:
        async with answering(handler) as origin:
            llm = AnthropicLLM(LLMConfig(model="m", base_url=origin))
            assert (await llm.generate("Hello")).text == "Hi"
            await llm.close()

    asyncio.run(main())


def test_an_agent_calls_its_tools_by_this_protocol() -> None:
    bodies: list[Any] = []
    use = {"type": "tool_use", "id": "toolu_1", "name": "double", "input": {"number": 21}}
    replies = iter(
        [message(text("Let me see."), use, reason="tool_use"), message(text("It is 42."))]
    )

    async def handler(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        return web.json_response(next(replies))

    @tool(pure=True)
    async def double(number: int) -> int:
        """Double a number."""
        return 2 * number

    async def main() -> Any:
        async with answering(handler) as origin:
            llm = client(origin)
            result = await LLMAgent("maths", llm, tools=[double]).run("Twice 21?")
            await llm.close()
            return result.output

    assert asyncio.run(main()) == "It is 42."
    assert bodies[0]["tools"][0]["name"] == "double"
    assert bodies[1]["messages"][1:] == [
        {"role": "assistant", "content": [{"type": "text", "text": "Let me see."}, use]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "42"}],
        },
    ]


def test_an_output_is_asked_for_and_read() -> None:
    class City(BaseModel):
        name: str

    async def handler(request: web.Request) -> web.Response:
        asked = (await request.json())["output_config"]["format"]["schema"]
        assert asked["additionalProperties"] is False
        return web.json_response(message(text('{"name": "Rome"}')))

    async def main() -> Any:
        async with answering(handler) as origin:
            llm = client(origin)
            answer = await llm.generate("Where?", output=City)
            await llm.close()
            return answer.output

    assert asyncio.run(main()) == City(name="Rome")


def test_a_mocked_failure_is_classified_as_a_real_one_is_and_hides_the_key() -> None:
    with aioresponses() as mocked:
        body = {"type": "error", "error": {"type": "authentication_error", "message": f"bad {KEY}"}}
        mocked.post("https://api.anthropic.com/v1/messages", status=401, payload=body)
        llm = AnthropicLLM(LLMConfig(model="m", api_key=KEY))
        with pytest.raises(AuthenticationError, match=r"bad \[redacted:api_key\]"):
            asyncio.run(llm.complete(REQUEST))
        assert KEY not in f"{llm!r}{vars(llm)!r}"
