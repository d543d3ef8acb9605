"""Every row of fixtures/wire that is answered whole, over a real socket, ends in what it says."""

import asyncio
from typing import Any

import pytest

from robotape import errors
from robotape.errors import LLMError, TransientLLMError, is_permanent
from robotape.llm import LLMResponse
from tests.robotape.wire_rows import KEY, REQUEST, Endpoint, client, named, rows

ROWS = rows("openai_chat", "anthropic")
FAILING = [row for row in ROWS if "error" in row]
ANSWERED = [row for row in ROWS if "answer" in row]
# A hint would be waited for.
UNHINTED = [row for row in FAILING if "retry_after" not in row or row["permanent"]]


async def complete(row: dict[str, Any]) -> LLMResponse:
    async with Endpoint(row).serving() as origin:
        llm = client(row, origin)
        try:
            return await llm.complete(REQUEST)
        finally:
            await llm.close()


def failure(row: dict[str, Any]) -> LLMError:
    with pytest.raises(LLMError) as caught:
        asyncio.run(complete(row))
    return caught.value


def test_rows_are_named_once_and_have_a_source() -> None:
    names = {(row["provider"], row["name"]) for row in ROWS}
    assert len(names) == len(ROWS) == len(FAILING) + len(ANSWERED)
    assert [row["name"] for row in ROWS if not row.get("source")] == []


@pytest.mark.parametrize("row", named(FAILING))
def test_a_failure_is_of_its_class_and_carries_what_it_was_told(row: dict[str, Any]) -> None:
    error = failure(row)
    assert type(error).__name__ == row["error"]
    assert is_permanent(error) == row["permanent"]
    assert error.retry_after == row.get("retry_after")
    assert error.request_id == row.get("request_id")
    assert error.status == (None if "wire" in row and not error.status else row.get("status", 200))
    assert row.get("says", "") in str(error)


@pytest.mark.parametrize("row", named(FAILING))
def test_no_failure_tells_the_key(row: dict[str, Any]) -> None:
    error: BaseException | None = failure(row)
    while error is not None:
        assert KEY not in f"{error!s}{error!r}{error.__dict__}"
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("row", named(UNHINTED))
def test_what_may_pass_is_asked_three_times_and_the_rest_once(row: dict[str, Any]) -> None:
    async def main() -> int:
        endpoint = Endpoint(row)
        async with endpoint.serving() as origin:
            llm = client(row, origin)
            with pytest.raises(LLMError):
                await llm.generate("Hello")
            await llm.close()
        return endpoint.requests

    assert asyncio.run(main()) == (1 if row["permanent"] else 3)


@pytest.mark.parametrize("row", named(FAILING))
def test_asked_for_a_stream_it_fails_the_same_before_the_first_piece(row: dict[str, Any]) -> None:
    async def main() -> list[object]:
        given: list[object] = []
        async with Endpoint(row).serving() as origin:
            llm = client(row, origin)
            try:
                async for piece in llm.stream_pieces(REQUEST):
                    given.append(piece)
            except LLMError as error:
                given.append(error)
            await llm.close()
        return given

    [error] = asyncio.run(main())
    # A body that breaks off within a stream was no answer yet: it says so by its own name.
    accepted = {row["error"], "StreamInterruptedError"} if "wire" in row else {row["error"]}
    if not row.get("body", "x") and row.get("status", 200) < 300:
        accepted = {row["error"], "StreamInterruptedError"}
    assert type(error).__name__ in accepted


@pytest.mark.parametrize("row", named(ANSWERED))
def test_an_odd_answer_is_handed_on_as_it_is(row: dict[str, Any]) -> None:
    response = asyncio.run(complete(row))
    expected = row["answer"]
    assert response.text == expected["text"]
    assert response.finish_reason == expected["finish_reason"]
    assert [[call.name, call.arguments] for call in response.tool_calls] == expected["calls"]
    ids = [call.id for call in response.tool_calls]
    assert all(ids)
    assert len(set(ids)) == len(ids)


def test_every_class_of_failure_has_a_row_for_each_provider() -> None:
    classes = {
        name
        for name in errors.__all__
        if isinstance(kind := getattr(errors, name), type)
        and issubclass(kind, LLMError)
        and kind not in {LLMError, TransientLLMError, errors.PermanentLLMError}
    }
    for provider in ("openai", "anthropic"):
        seen = {row["error"] for row in FAILING if row["provider"] == provider}
        # Timeouts have no bytes (test_openai.py); streams have rows of their own.
        assert classes - seen == {"LLMTimeoutError", "StreamInterruptedError"}
