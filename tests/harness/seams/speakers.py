"""The same two requests, whole and streamed, by every client the seam knows and the SDKs on them.

A speaker takes the origin's URL and gives the text it understood. Whatever is not installed
is left out, so that the laws can be held against old and new versions of each.
"""

import asyncio
import importlib
import importlib.util
from collections.abc import Callable, Coroutine
from typing import Any

PROMPT: list[Any] = [{"role": "user", "content": "hi"}]
Speaker = Callable[[str, bool], str]


def module(name: str) -> Any:
    """A module that may not be installed."""
    return importlib.import_module(name)


def derived(kind: type, base: Any) -> Any:
    """A class of a test's own, as one of a library's that is not known until it runs."""
    return type(kind.__name__, (kind, base), {})


def _sync_httpx(name: str) -> Speaker:
    def speak(url: str, is_streamed: bool) -> str:
        with module(name).Client() as client:
            if not is_streamed:
                return str(client.get(f"{url}/plain").text)
            with client.stream("GET", f"{url}/stream") as response:
                return "|".join(chunk.decode() for chunk in response.iter_raw())

    return speak


def _async_httpx(name: str) -> Speaker:
    async def speak(url: str, is_streamed: bool) -> str:
        async with module(name).AsyncClient() as client:
            if not is_streamed:
                return str((await client.get(f"{url}/plain")).text)
            async with client.stream("GET", f"{url}/stream") as response:
                return "|".join([chunk.decode() async for chunk in response.aiter_raw()])

    return _run(speak)


async def _aiohttp(url: str, is_streamed: bool) -> str:
    async with module("aiohttp").ClientSession() as session:
        path = "/stream" if is_streamed else "/plain"
        async with session.get(f"{url}{path}") as response:
            if not is_streamed:
                return str(await response.text())
            return "|".join([chunk.decode() async for chunk in response.content.iter_any()])


def _run(speak: Callable[[str, bool], Coroutine[Any, Any, str]]) -> Speaker:
    def speaking(url: str, is_streamed: bool) -> str:
        return asyncio.run(speak(url, is_streamed))

    return speaking


def _openai(url: str, is_streamed: bool) -> str:
    with module("openai").OpenAI(api_key="x", base_url=f"{url}/v1") as client:
        chat = client.chat.completions
        if not is_streamed:
            return str(chat.create(model="m", messages=PROMPT).choices[0].message.content)
        with chat.create(model="m", messages=PROMPT, stream=True) as chunks:
            return "|".join(chunk.choices[0].delta.content for chunk in chunks)


def _async_openai(*, on_aiohttp: bool) -> Speaker:
    async def speak(url: str, is_streamed: bool) -> str:
        openai = module("openai")
        http = openai.DefaultAioHttpClient() if on_aiohttp else None
        async with openai.AsyncOpenAI(
            api_key="x", base_url=f"{url}/v1", http_client=http
        ) as client:
            chat = client.chat.completions
            if not is_streamed:
                whole = await chat.create(model="m", messages=PROMPT)
                return str(whole.choices[0].message.content)
            async with await chat.create(model="m", messages=PROMPT, stream=True) as chunks:
                return "|".join([chunk.choices[0].delta.content async for chunk in chunks])

    return _run(speak)


def _anthropic(url: str, is_streamed: bool) -> str:
    with module("anthropic").Anthropic(api_key="x", base_url=url) as client:
        if not is_streamed:
            whole = client.messages.create(model="m", max_tokens=9, messages=PROMPT)
            return str(whole.content[0].text)
        with client.messages.stream(model="m", max_tokens=9, messages=PROMPT) as stream:
            return "|".join(stream.text_stream)


def _async_anthropic(*, on_aiohttp: bool) -> Speaker:
    async def speak(url: str, is_streamed: bool) -> str:
        anthropic = module("anthropic")
        http = anthropic.DefaultAioHttpClient() if on_aiohttp else None
        async with anthropic.AsyncAnthropic(api_key="x", base_url=url, http_client=http) as client:
            messages = client.messages
            if not is_streamed:
                whole = await messages.create(model="m", max_tokens=9, messages=PROMPT)
                return str(whole.content[0].text)
            async with messages.stream(model="m", max_tokens=9, messages=PROMPT) as stream:
                return "|".join([text async for text in stream.text_stream])

    return _run(speak)


ALL: dict[str, tuple[tuple[str, ...], Speaker]] = {
    "aiohttp": (("aiohttp",), _run(_aiohttp)),
    "httpx": (("httpx",), _sync_httpx("httpx")),
    "httpx, async": (("httpx",), _async_httpx("httpx")),
    "httpx2": (("httpx2",), _sync_httpx("httpx2")),
    "httpx2, async": (("httpx2",), _async_httpx("httpx2")),
    "openai": (("openai",), _openai),
    "openai, async": (("openai",), _async_openai(on_aiohttp=False)),
    "openai, on aiohttp": (("openai", "aiohttp"), _async_openai(on_aiohttp=True)),
    "anthropic": (("anthropic",), _anthropic),
    "anthropic, async": (("anthropic",), _async_anthropic(on_aiohttp=False)),
    "anthropic, on aiohttp": (("anthropic", "aiohttp"), _async_anthropic(on_aiohttp=True)),
}
SPEAKERS = {
    name: speak
    for name, (needed, speak) in ALL.items()
    if all(importlib.util.find_spec(part) for part in needed)
}
WHOLE = {"plain", "hello"}
STREAMED = {"one|two|three", "hel|lo"}
