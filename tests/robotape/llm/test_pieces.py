"""Answers in pieces: what a stream of them guarantees, and what it leaves on the tape."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape import Tape
from robotape.begin import begin
from robotape.calls import Call, CallNext, intercept
from robotape.errors import OverloadedError, ServerError, StreamInterruptedError
from robotape.llm import BaseLLM, LLMChunk, LLMRequest, LLMResponse, ToolCallDelta
from robotape.llm.pieces import answered, pieces_of, streamed, words_of
from robotape.models.messages import ToolCall, Usage
from robotape.retry import Retry, is_retryable_llm_error
from robotape.runtime import entered
from robotape.stream import Stream
from robotape.tape import tape_of
from tests.laws.scripts import Watcher, broken_laws, say, script, simulated

Item = LLMChunk | LLMResponse | Exception
HI: list[Item] = [
    LLMChunk("Hi "),
    LLMChunk("there"),
    LLMResponse("Hi there", usage=Usage(3, 2, 1), model="m"),
]
RETRY = Retry(max_retries=2, timeout=10.0, is_retryable=is_retryable_llm_error)


class Speaker(BaseLLM):
    """Gives, or raises, the n-th list at the n-th attempt."""

    def __init__(self, *attempts: Sequence[Item], pause: float = 0.1) -> None:
        super().__init__("m", retry=RETRY)
        self.attempts = attempts
        self.asked = 0
        self.pause = pause

    async def complete(self, request: LLMRequest) -> LLMResponse:
        raise AssertionError("asked for a stream")

    async def stream_pieces(
        self, request: LLMRequest
    ) -> AsyncGenerator[LLMChunk | LLMResponse, None]:
        self.asked += 1
        for item in self.attempts[min(self.asked, len(self.attempts)) - 1]:
            await asyncio.sleep(self.pause)
            if isinstance(item, Exception):
                raise item
            yield item


def taped(read: Any, seed: int = 1, tape: Tape | None = None) -> Tape:
    """The tape of a run in which a coroutine function was awaited, and its laws checked."""

    async def main() -> Tape:
        with entered(begin("agent", seed=None if tape else seed, tape=tape)) as scope:
            await read()
            written = tape_of(scope)
        assert written is not None
        # What nobody holds any longer is closed by the loop.
        await asyncio.sleep(1)
        return written

    written = simulated(main())
    assert broken_laws(written) == []
    return written


def kinds(tape: Tape) -> list[str]:
    return [f"{entry.type} {entry.status} {entry.attempt}" for entry in tape]


def test_a_stream_is_one_call_on_the_tape_and_reads_as_generate_does() -> None:
    async def stream() -> None:
        async with Speaker(HI).stream("Hello") as stream:
            assert [piece.text async for piece in stream] == ["Hi ", "there"]
            assert stream.whole.text == "Hi there"

    async def whole() -> None:
        # The same answer, told at once.
        await script(LLMResponse("Hi there", usage=Usage(3, 2, 1), model="m")).generate("Hello")

    one, other = taped(stream), taped(whole)
    assert kinds(one) == [
        "action pending 1", "thought completed 1", "observation completed 1",
    ]  # fmt: skip
    assert [entry.call_id for entry in one] == [entry.call_id for entry in other]
    assert [entry.content for entry in one][1:] == [entry.content for entry in other][1:]


def test_without_a_context_it_can_be_read_as_it_is() -> None:
    async def read() -> None:
        assert [piece.text async for piece in Speaker(HI).stream("Hello")] == ["Hi ", "there"]

    assert kinds(taped(read))[-1] == "observation completed 1"


def test_before_the_first_piece_it_is_tried_again_after_it_not() -> None:
    busy = OverloadedError("busy")

    async def read() -> None:
        llm = Speaker([busy], [busy], [LLMChunk("Hi"), busy], HI)
        seen = []
        with pytest.raises(OverloadedError):
            async for piece in llm.stream("Hello"):
                seen.append(piece.text)
        assert (seen, llm.asked) == (["Hi"], 3)

    tape = taped(read)
    assert kinds(tape) == [
        f"{kind} {n}" for n in (1, 2, 3) for kind in ("action pending", "error failed")
    ]
    assert (tape[-1].facts or {}) == {"retryable": True, "reason": "begun"}


def test_a_stream_that_stops_without_its_whole_is_an_error() -> None:
    async def read() -> None:
        with pytest.raises(StreamInterruptedError):
            async for _ in Speaker(HI[:2]).stream("Hello"):
                pass

    assert kinds(taped(read)) == ["action pending 1", "error failed 1"]


@pytest.mark.parametrize("is_closed", [True, False])
@pytest.mark.parametrize("read", [0, 1, 2])
def test_a_reader_that_stops_leaves_one_cancelled_attempt(read: int, is_closed: bool) -> None:
    async def some() -> None:
        stream = Speaker(HI).stream("Hello")
        await stream.__aenter__()
        for _ in range(read):
            await anext(stream)
        if is_closed:
            await stream.aclose()
            await stream.aclose()
            assert [piece async for piece in stream] == []
        with pytest.raises(RuntimeError, match="read the stream to its end"):
            _ = stream.whole

    assert kinds(taped(some)) == ["action pending 1", "observation cancelled 1"]


def test_broken_off_in_a_loop_without_a_context_it_is_closed_all_the_same() -> None:
    async def some() -> None:
        async for _ in Speaker(HI).stream("Hello"):
            break

    assert kinds(taped(some)) == ["action pending 1", "observation cancelled 1"]


@pytest.mark.parametrize("tenth", range(8))
def test_cancelled_at_any_moment_there_is_one_terminator(tenth: int) -> None:
    async def read() -> None:
        async def reader() -> None:
            async with Speaker(HI).stream("Hello") as stream:
                async for _ in stream:
                    await asyncio.sleep(0.1)

        reading = asyncio.create_task(reader())
        await asyncio.sleep(tenth / 10 + 0.05)
        reading.cancel()
        await asyncio.wait([reading])
        assert reading.cancelled() == (tenth < 5)

    taped(read)


def test_it_is_asked_when_it_is_entered_and_once() -> None:
    async def read() -> None:
        llm = Speaker(HI)
        stream = llm.stream("Hello")
        with pytest.raises(RuntimeError, match="nothing has been read"):
            _ = stream.whole
        assert llm.asked == 0
        failing = Speaker([ServerError("down")]).stream("Hello")
        with pytest.raises(ServerError):
            await failing.__aenter__()
        with pytest.raises(RuntimeError, match="has been asked"):
            await anext(failing)
        closed = llm.stream("Hello")
        await closed.aclose()
        with pytest.raises(RuntimeError, match="has been asked"):
            await anext(closed)
        assert llm.asked == 0

    taped(read)


# ------------------------------------------------------------------ in the corridor


def test_an_interceptor_sees_every_attempt_and_may_stand_between_the_pieces() -> None:
    async def shout(call: Call, call_next: CallNext) -> Any:
        stream = await call_next(call)

        async def pieces() -> AsyncGenerator[LLMChunk, None]:
            async with stream:
                async for piece in stream:
                    yield LLMChunk(piece.text.upper())

        return Stream(pieces(), lambda: stream.whole)

    watcher = Watcher()

    async def read() -> None:
        with intercept(watcher), intercept(shout):
            async with Speaker([ServerError("down")], HI).stream("Hello") as stream:
                assert [piece.text async for piece in stream] == ["HI ", "THERE"]
            assert stream.whole.text == "Hi there"

    taped(read)
    assert [(call.kind, call.attempt) for call in watcher.seen] == [("llm", 1), ("llm", 2)]


def test_an_interceptor_may_answer_with_a_whole() -> None:
    async def answer(call: Call, call_next: CallNext) -> Any:
        return say("From me")

    async def read() -> None:
        with intercept(answer):
            async with Speaker(HI).stream("Hello") as stream:
                assert [piece.text async for piece in stream] == ["From me"]
            assert stream.whole.text == "From me"

    assert kinds(taped(read))[-1] == "observation completed 1"


def test_a_cut_between_the_pieces_is_the_attempts_failure() -> None:
    async def cut(call: Call, call_next: CallNext) -> Any:
        stream = await call_next(call)

        async def pieces() -> AsyncGenerator[LLMChunk, None]:
            async with stream:
                yield await anext(stream)
                raise ConnectionResetError("cut")

        return Stream(pieces(), lambda: stream.whole)

    async def read() -> None:
        with intercept(cut), pytest.raises(ConnectionResetError):
            async for _ in Speaker(HI).stream("Hello"):
                pass

    assert kinds(taped(read)) == ["action pending 1", "error failed 1"]


def test_a_resumed_run_has_the_answer_from_the_tape_in_one_piece() -> None:
    llm = Speaker(HI)

    async def read() -> None:
        async with llm.stream("Hello") as stream:
            said.append([piece.text async for piece in stream])
            assert stream.whole.text == "Hi there"

    said: list[list[str]] = []
    first = taped(read)
    again = taped(read, tape=first.branch(len(first)))
    assert said == [["Hi ", "there"], ["Hi there"]]
    assert (llm.asked, len(again)) == (1, len(first))


def test_interrupted_in_the_middle_it_is_asked_anew() -> None:
    llm = Speaker(HI)

    async def read() -> None:
        assert [piece.text async for piece in llm.stream("Hello")] == ["Hi ", "there"]

    again = taped(read, tape=taped(read).branch(1))
    assert llm.asked == 2
    assert kinds(again)[:3] == ["action pending 1", "error failed 1", "action pending 2"]


def test_outside_any_run_it_has_one_of_its_own() -> None:
    async def main() -> str:
        async with Speaker(HI).stream("Hello") as stream:
            return "".join([piece.text async for piece in stream])

    assert simulated(main()) == "Hi there"


# ------------------------------------------------------------------ by default


TEXTS = st.text(max_size=20)
CALLS = st.lists(st.builds(ToolCall, TEXTS, TEXTS, TEXTS), max_size=3).map(tuple)


@given(st.builds(LLMResponse, text=TEXTS, tool_calls=CALLS))
def test_pieces_add_up_to_the_answer(response: LLMResponse) -> None:
    for pieces in (list(pieces_of(response)), list(words_of(response))):
        assert "".join(piece.text for piece in pieces) == response.text
        deltas = [piece.tool_call for piece in pieces if piece.tool_call]
        assert deltas == [
            ToolCallDelta(index, call.id, call.name, call.arguments)
            for index, call in enumerate(response.tool_calls)
        ]


def test_a_client_that_cannot_stream_gives_its_answer_word_by_word() -> None:
    async def main() -> list[str]:
        return [piece.text async for piece in script(say(" one two\nthree ")).stream("Count")]

    assert simulated(main()) == [" one ", "two\n", "three "]


def test_an_answer_that_is_there_is_a_stream() -> None:
    async def main() -> None:
        stream = answered(say("Hi there"))
        assert [piece.text async for piece in stream] == ["Hi there"]
        assert stream.whole == say("Hi there")
        empty = answered(say(""))
        assert [piece async for piece in empty] == []
        assert empty.whole.text == ""

    simulated(main())


def test_closing_a_stream_closes_its_source() -> None:
    closed = []

    async def source() -> AsyncGenerator[LLMChunk | LLMResponse, None]:
        try:
            yield LLMChunk("Hi")
            yield LLMChunk("there")
        finally:
            closed.append(True)

    async def main() -> None:
        stream = streamed(source())
        await anext(stream)
        await stream.aclose()
        assert closed == [True]

    simulated(main())
