"""The rows of fixtures/wire over real sockets: reading them, serving them, asking for them."""

import tomllib
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from robotape.llm import AnthropicLLM, LLMConfig, LLMRequest, OpenAILLM
from robotape.llm.base import LLM_RETRY
from robotape.llm.remote import RemoteLLM
from robotape.models.messages import Message
from tests.robotape.loopback import Raw, answering

__all__ = [
    "AT_ONCE",
    "KEY",
    "REQUEST",
    "Endpoint",
    "client",
    "named",
    "rows",
    "streaming",
    "wire_of",
]

Row = dict[str, Any]

FOLDER = Path(__file__).parents[2] / "fixtures" / "wire"
CLIENTS: dict[str, type[RemoteLLM]] = {"anthropic": AnthropicLLM, "openai": OpenAILLM}
KEY = "sk-canary-0123456789"
REQUEST = LLMRequest((Message("user", "Hello"),))
# As by default, but for the time between attempts.
AT_ONCE = replace(LLM_RETRY, base=1e-9, cap=1e-9)


def rows(*files: str) -> list[Row]:
    """Every row of some files, each with the file's `provider`."""
    found = []
    for file in files:
        data = tomllib.loads((FOLDER / f"{file}.toml").read_text("utf-8"))
        found += [row | {"provider": file.partition("_")[0]} for row in data["row"]]
    return found


def named(chosen: list[Row]) -> list[Any]:
    """Rows as parameters of a test, each under its name."""
    return [pytest.param(row, id=f"{row['provider']}: {row['name']}") for row in chosen]


def client(row: Row, origin: str) -> RemoteLLM:
    config = LLMConfig(model="m", api_key=KEY, base_url=f"{origin}/v1")
    return CLIENTS[row["provider"]](config, retry=AT_ONCE)


def body_of(row: Row) -> bytes:
    body: bytes = row.get("body", "").encode() + bytes.fromhex(row.get("body_hex", ""))
    return body * int(row.get("body_repeat", 1))


class Endpoint:
    """Sends one row, whole, in answer to every request."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.answered = 0
        self.raw = Raw(row.get("wire", "").encode("latin-1"), end=row.get("end", "close"))

    async def _answer(self, request: web.Request) -> web.Response:
        await request.read()
        self.answered += 1
        headers = {"content-type": "application/json", **self.row.get("headers", {})}
        return web.Response(
            status=self.row.get("status", 200), headers=headers, body=body_of(self.row)
        )

    def serving(self) -> AbstractAsyncContextManager[str]:
        return self.raw.serving() if "wire" in self.row else answering(self._answer)

    @property
    def requests(self) -> int:
        return self.answered + self.raw.requests


def streaming(row: Row) -> Iterator[tuple[Row, str]]:
    """A streamed row with each framing it is sent in."""
    for framing in ("chunked", "close"):
        if row.get("framing", framing) == framing:
            yield row, framing


def wire_of(row: Row, framing: str) -> bytes:
    """What a server sends that streams a row."""
    kind = row.get("content_type", "text/event-stream")
    body = body_of(row)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nx-request-id: req_s\r\n".encode()
    if framing == "close":
        return head + b"Connection: close\r\n\r\n" + body
    chunk = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
    last = b"" if row.get("end") else b"0\r\n\r\n"
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + last
