"""What a call to a model costs its client: over loopback HTTP, the server in another process."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from statistics import median
from time import process_time
from typing import Any

import aiohttp
from measure import HERE, paired_async
from table import Row

from robotape.begin import begin
from robotape.llm import LLMConfig, OpenAILLM
from robotape.runtime import entered

__all__ = ["rows"]

CHUNKS = 1000

# Answers every request with the same bytes: a completion, or a stream if the body asks for one.
_SERVER = """
import asyncio, json, sys
chunks = int(sys.argv[1])
whole = json.dumps({"id": "c", "object": "chat.completion", "model": "m", "choices": [
    {"index": 0, "message": {"role": "assistant", "content": "Hi there, how can I help?"},
     "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 9, "total_tokens": 16}}).encode()
def event(delta, reason=None):
    return b"data: " + json.dumps({"id": "chatcmpl-123", "object": "chat.completion.chunk",
        "created": 1700000000, "model": "gpt-4o-mini", "system_fingerprint": "fp_44709d6fcb",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}],
        }).encode() + b"\\n\\n"
events = [event({"content": f" word{n}"}) for n in range(chunks)] + [event({}, "stop")]
stream = [b"%x\\r\\n%s\\r\\n" % (len(e), e) for e in (*events, b"data: [DONE]\\n\\n")]
head = b"HTTP/1.1 200 OK\\r\\nContent-Type: "
whole = head + b"application/json\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(whole), whole)
opening = head + b"text/event-stream\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n"
async def serve(reader, writer):
    while True:
        try:
            asked = await reader.readuntil(b"\\r\\n\\r\\n")
        except asyncio.IncompleteReadError:
            return
        size = int(asked.lower().split(b"content-length:")[1].split(b"\\r\\n")[0])
        if b'"stream":true' in await reader.readexactly(size):
            writer.write(opening)
            for part in stream:
                writer.write(part)
                await writer.drain()
            writer.write(b"0\\r\\n\\r\\n")
        else:
            writer.write(whole)
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


@contextmanager
def serving() -> Iterator[str]:
    """The base URL of an endpoint in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(CHUNKS)], stdout=subprocess.PIPE, text=True, cwd=HERE
    ) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        finally:
            server.kill()


@asynccontextmanager
async def client(base_url: str) -> AsyncIterator[OpenAILLM]:
    """A client as users have it: with a key, a timeout and retries."""
    llm = OpenAILLM(LLMConfig(model="gpt-4o-mini", api_key="sk-0123456789", base_url=base_url))
    try:
        yield llm
    finally:
        await llm.close()


def rows() -> Iterator[Row]:
    """Every row, measured as it is asked for."""
    with serving() as base_url:
        yield asyncio.run(one_call(base_url))
        yield from asyncio.run(one_stream(base_url))


async def one_call(base_url: str) -> Row:
    """A call within a run, against the same exchange by hand."""
    url = f"{base_url}/chat/completions"
    headers = {"Authorization": "Bearer sk-0123456789"}
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}
    async with aiohttp.ClientSession() as session, client(base_url) as llm:

        async def bare() -> Any:
            async with session.post(url, headers=headers, json=body) as response:
                return json.loads(await response.read())

        with entered(begin("bench")):
            seen = await paired_async(lambda: llm.generate("Hello"), bare, times=80, rounds=31)
    return Row("LLM call over HTTP in a run, times aiohttp + json", seen.ratio, 1.3, "x")


async def one_stream(base_url: str) -> list[Row]:
    """A stream of 1,000 chunks; and that its cost per chunk does not grow with their number."""
    async with client(base_url) as llm:

        async def stream() -> int:
            async with llm.stream("Hello") as pieces:
                return sum([1 async for _ in pieces])

        assert await stream() == CHUNKS
        seconds = []
        for _ in range(15):
            start = process_time()
            with entered(begin("bench")):
                await stream()
            seconds.append((process_time() - start) / CHUNKS)
    return [Row("stream of 1,000 chunks, CPU per chunk", median(seconds) * 1e6, 25, "us")]
