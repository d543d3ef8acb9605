"""Every row of fixtures/wire/openai_chat.toml over a real socket ends in what the row says."""

import asyncio
import tomllib
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from robotape import errors
from robotape.errors import LLMError, TransientLLMError, is_permanent
from robotape.llm import LLMConfig, LLMResponse, OpenAILLM
from robotape.llm.base import LLM_RETRY
from robotape.llm.exchange import LLMRequest
from robotape.models.messages import Message
from tests.robotape.loopback import Raw, answering

DATA = Path(__file__).parents[3] / "fixtures" / "wire" / "openai_chat.toml"
ROWS: list[dict[str, Any]] = tomllib.loads(DATA.read_text("utf-8"))["row"]
FAILING = [row for row in ROWS if "error" in row]
ANSWERED = [row for row in ROWS if "answer" in row]
KEY = "sk-canary-0123456789"
REQUEST = LLMRequest((Message("user", "Hello"),))
# As by default, but for the time between attempts.
AT_ONCE = replace(LLM_RETRY, base=1e-9, cap=1e-9)


def body_of(row: dict[str, Any]) -> bytes:
    body = bytes.fromhex(row["body_hex"]) if "body_hex" in row else row["body"].encode()
    return body * int(row.get("body_repeat", 1))


class Endpoint:
    """Sends one row in answer to every request."""

    def __init__(self, row: dict[str, Any]) -> None:
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


def client(origin: str) -> OpenAILLM:
    return OpenAILLM(LLMConfig(model="m", api_key=KEY, base_url=f"{origin}/v1"), retry=AT_ONCE)


async def complete(row: dict[str, Any]) -> LLMResponse:
    async with Endpoint(row).serving() as origin:
        llm = client(origin)
        try:
            return await llm.complete(REQUEST)
        finally:
            await llm.close()


def failure(row: dict[str, Any]) -> LLMError:
    with pytest.raises(LLMError) as caught:
        asyncio.run(complete(row))
    return caught.value


def test_rows_are_named_once_and_have_a_source() -> None:
    assert len({row["name"] for row in ROWS}) == len(ROWS) == len(FAILING) + len(ANSWERED)
    assert [row["name"] for row in ROWS if not row.get("source")] == []


@pytest.mark.parametrize("row", FAILING, ids=lambda row: row["name"])
def test_a_failure_is_of_its_class_and_carries_what_it_was_told(row: dict[str, Any]) -> None:
    error = failure(row)
    assert type(error).__name__ == row["error"]
    assert is_permanent(error) == row["permanent"]
    assert error.retry_after == row.get("retry_after")
    assert error.request_id == row.get("request_id")
    assert error.status == (None if "wire" in row and not error.status else row.get("status", 200))
    assert row.get("says", "") in str(error)


@pytest.mark.parametrize("row", FAILING, ids=lambda row: row["name"])
def test_no_failure_tells_the_key(row: dict[str, Any]) -> None:
    error: BaseException | None = failure(row)
    while error is not None:
        assert KEY not in f"{error!s}{error!r}{error.__dict__}"
        error = error.__cause__ or error.__context__


# A hint would be waited for.
UNHINTED = [row for row in FAILING if "retry_after" not in row or row["permanent"]]


@pytest.mark.parametrize("row", UNHINTED, ids=lambda row: row["name"])
def test_what_may_pass_is_asked_three_times_and_the_rest_once(row: dict[str, Any]) -> None:
    async def main() -> int:
        endpoint = Endpoint(row)
        async with endpoint.serving() as origin:
            llm = client(origin)
            with pytest.raises(LLMError):
                await llm.generate("Hello")
            await llm.close()
        return endpoint.requests

    assert asyncio.run(main()) == (1 if row["permanent"] else 3)


@pytest.mark.parametrize("row", ANSWERED, ids=lambda row: row["name"])
def test_an_odd_answer_is_handed_on_as_it_is(row: dict[str, Any]) -> None:
    response = asyncio.run(complete(row))
    expected = row["answer"]
    assert response.text == expected["text"]
    assert response.finish_reason == expected["finish_reason"]
    assert [[call.name, call.arguments] for call in response.tool_calls] == expected["calls"]
    ids = [call.id for call in response.tool_calls]
    assert all(ids)
    assert len(set(ids)) == len(ids)


def test_every_class_of_failure_has_a_row() -> None:
    classes = {
        name
        for name in errors.__all__
        if isinstance(kind := getattr(errors, name), type)
        and issubclass(kind, LLMError)
        and kind not in {LLMError, TransientLLMError, errors.PermanentLLMError}
    }
    # Timeouts have no bytes (test_openai.py); streams are not spoken yet.
    assert classes - {row["error"] for row in FAILING} == {
        "LLMTimeoutError",
        "StreamInterruptedError",
    }
