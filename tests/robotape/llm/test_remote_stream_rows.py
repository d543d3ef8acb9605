"""Every streamed row of fixtures/wire, in either framing, and cut at every byte."""

import asyncio
from typing import Any

import pytest

from robotape.begin import begin
from robotape.errors import LLMError, StreamInterruptedError, is_permanent
from robotape.llm import LLMChunk, LLMResponse
from robotape.llm.remote import RemoteLLM
from robotape.runtime import entered
from robotape.tape import tape_of
from tests.laws.scripts import broken_laws
from tests.robotape.loopback import Raw
from tests.robotape.wire_rows import KEY, REQUEST, client, rows, streaming, wire_of

Row = dict[str, Any]

ROWS = rows("openai_stream", "anthropic_stream")
SENT = [case for row in ROWS for case in streaming(row)]
FAILING = [case for case in SENT if "error" in case[0]]
ANSWERED = [case for case in SENT if "answer" in case[0]]
# The connection is still there for the next attempt.
KEPT = [case for case in FAILING if case[1] == "chunked" and "end" not in case[0]]


def each(cases: list[tuple[Row, str]]) -> pytest.MarkDecorator:
    """Cases as parameters, each under its name."""
    ids = [f"{row['provider']}: {row['name']} ({framing})" for row, framing in cases]
    return pytest.mark.parametrize(("row", "framing"), cases, ids=ids)


async def read(llm: RemoteLLM) -> tuple[list[LLMChunk], LLMResponse | LLMError]:
    """What one exchange gives away, and how it ends."""
    pieces: list[LLMChunk] = []
    try:
        async for item in llm.stream_pieces(REQUEST):
            if isinstance(item, LLMResponse):
                return pieces, item
            pieces.append(item)
    except LLMError as error:
        return pieces, error
    raise AssertionError("a stream without an end")


async def exchange(row: Row, wire: bytes, end: str) -> tuple[list[LLMChunk], Any]:
    async with Raw(wire, end=end).serving() as origin:
        llm = client(row, origin)
        try:
            return await read(llm)
        finally:
            await llm.close()


def sent(row: Row, framing: str) -> tuple[list[LLMChunk], Any]:
    end = "reset" if row.get("end") == "reset" else "close"
    return asyncio.run(exchange(row, wire_of(row, framing), end))


def texts(pieces: list[LLMChunk]) -> list[str]:
    return [piece.text for piece in pieces if piece.text]


def test_rows_are_named_once_and_have_a_source() -> None:
    names = {(row["provider"], row["name"]) for row in ROWS}
    assert len(names) == len(ROWS)
    assert [row["name"] for row in ROWS if not row.get("source")] == []
    assert [row["name"] for row in ROWS if ("error" in row) == ("answer" in row)] == []


@each(FAILING)
def test_a_failure_is_of_its_class_after_the_pieces_that_came(row: Row, framing: str) -> None:
    pieces, error = sent(row, framing)
    assert type(error).__name__ == row["error"], error
    assert is_permanent(error) == row["permanent"]
    assert (error.status, error.request_id) == (200, "req_s")
    assert row.get("says", "") in str(error)
    assert KEY not in f"{error!s}{error.__cause__!r}"
    if "pieces" in row:
        assert texts(pieces) == row["pieces"]


@each(ANSWERED)
def test_a_whole_stream_is_the_answer_its_pieces_add_up_to(row: Row, framing: str) -> None:
    pieces, answer = sent(row, framing)
    expected = row["answer"]
    assert isinstance(answer, LLMResponse), answer
    assert (answer.text, answer.finish_reason) == (expected["text"], expected["finish_reason"])
    assert [[call.name, call.arguments] for call in answer.tool_calls] == expected["calls"]
    ids = [call.id for call in answer.tool_calls]
    assert all(ids)
    assert len(set(ids)) == len(ids)
    if "tokens" in expected:
        usage = answer.usage
        assert [usage.input_tokens, usage.output_tokens] == expected["tokens"]
    assert answer.model == expected.get("model", answer.model)
    assert texts(pieces) == row.get("pieces", texts(pieces))
    assert "".join(texts(pieces)) == answer.text


@each(ANSWERED)
def test_the_pieces_of_a_call_add_up_to_it(row: Row, framing: str) -> None:
    pieces, answer = sent(row, framing)
    deltas = [piece.tool_call for piece in pieces if piece.tool_call]
    for index, call in enumerate(answer.tool_calls):
        mine = [delta for delta in deltas if delta.index == index]
        assert mine[0].name == call.name
        # A tool without arguments is called with {} that nobody sent.
        assert "".join(delta.arguments for delta in mine) in {call.arguments, ""}


@each(KEPT)
def test_it_is_asked_again_only_if_nothing_was_given_away(row: Row, framing: str) -> None:
    async def main() -> tuple[int, int]:
        server = Raw(*[wire_of(row, framing)] * 3, end="close")
        async with server.serving() as origin:
            llm = client(row, origin)
            given = 0
            with entered(begin("agent", seed=1)) as scope, pytest.raises(LLMError):
                async for _ in llm.stream("Hello"):
                    given += 1
            tape = tape_of(scope)
            assert tape is not None
            assert broken_laws(tape) == []
            await llm.close()
        return given, server.requests

    given, requests = asyncio.run(main())
    assert requests == (1 if given or row["permanent"] else 3)


CUTTABLE = [row for row in ROWS if row["name"] == "a text, counted"]


@pytest.mark.parametrize("framing", ["chunked", "close"])
@pytest.mark.parametrize("row", CUTTABLE, ids=lambda row: row["provider"])
def test_cut_at_any_byte_no_part_is_taken_for_the_whole(row: Row, framing: str) -> None:
    wire = wire_of(row, framing)
    body_at = wire.index(b"\r\n\r\n") + 4
    # Behind the terminal marker's blank line nothing is missing any more.
    marker = b"data: [DONE]\n\n" if row["provider"] == "openai" else b'"message_stop"}\n\n'
    whole_at = wire.index(marker) + len(marker)

    async def cut_at(length: int) -> Any:
        _, ended = await exchange(row, wire[:length], "close")
        return ended

    async def main() -> dict[int, Any]:
        ends: dict[int, Any] = {}
        for start in range(0, len(wire), 64):
            cuts = range(start, min(start + 64, len(wire)))
            ended = await asyncio.gather(*(cut_at(length) for length in cuts))
            ends.update(zip(cuts, ended, strict=True))
        return ends

    ends = asyncio.run(main())
    accepted = [cut for cut, ended in ends.items() if isinstance(ended, LLMResponse)]
    assert accepted == list(range(whole_at, len(wire)))
    for cut in range(body_at, whole_at):
        assert type(ends[cut]) is StreamInterruptedError, (cut, ends[cut])
    # A head that is cut is no answer at all.
    assert all(isinstance(ends[cut], LLMError) for cut in range(body_at))
