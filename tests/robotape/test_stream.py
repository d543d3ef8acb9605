"""Streams: one end, told once, whatever the reader does; on the tape, exactly one terminator."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import pytest

from robotape.calls import Call
from robotape.errors import (
    CallTimeoutError,
    DeadlineExceeded,
    OverloadedError,
    QuotaError,
    is_permanent,
)
from robotape.retry import Decision, Retry, is_retryable_llm_error, retrying
from robotape.runtime import Run
from robotape.stream import Stream
from tests.laws.scripts import simulated

Source = Callable[[], AsyncGenerator[int, None]]


async def counting(upto: int, *, pause: float = 0.0) -> AsyncGenerator[int, None]:
    for number in range(upto):
        await asyncio.sleep(pause)
        yield number


async def at_once(upto: int) -> AsyncGenerator[int, None]:
    for number in range(upto):
        yield number


async def breaking(upto: int, error: Exception) -> AsyncGenerator[int, None]:
    async for number in counting(upto):
        yield number
    raise error


class Told:
    """Who watches an end."""

    def __init__(self) -> None:
        self.ends: list[tuple[str, Any]] = []

    def __call__(self, error: BaseException | None, whole: Any) -> None:
        self.ends.append((type(error).__name__, whole))


def stream_of(source: AsyncGenerator[int, None]) -> tuple[Stream[int], Told]:
    stream, told = Stream(source, lambda: "whole"), Told()
    stream.watch(told)
    return stream, told


# ------------------------------------------------------------------ alone


def test_read_to_its_end_it_is_whole() -> None:
    async def main() -> None:
        stream, told = stream_of(counting(3))
        with pytest.raises(RuntimeError, match="read the stream to its end"):
            assert stream.whole
        assert [piece async for piece in stream] == [0, 1, 2]
        assert stream.whole == "whole"
        await stream.aclose()
        assert told.ends == [("NoneType", "whole")]

    simulated(main())


@pytest.mark.parametrize("upto", [0, 1, 3])
def test_opening_waits_for_the_first_piece_and_loses_none(upto: int) -> None:
    async def main() -> None:
        stream, told = stream_of(counting(upto))
        await stream.open()
        await stream.open()
        assert bool(told.ends) == (upto == 0)
        assert [piece async for piece in stream] == list(range(upto))
        assert told.ends == [("NoneType", "whole")]

    simulated(main())


def test_an_error_is_raised_where_it_comes_and_the_stream_is_over() -> None:
    async def main() -> None:
        stream, told = stream_of(breaking(2, OverloadedError("busy")))
        seen = []
        with pytest.raises(OverloadedError):
            async for piece in stream:
                seen.append(piece)
        assert seen == [0, 1]
        assert [piece async for piece in stream] == []
        with pytest.raises(RuntimeError):
            assert stream.whole
        assert told.ends == [("OverloadedError", None)]

    simulated(main())


def test_a_whole_that_is_none_is_the_streams_failure() -> None:
    def nothing() -> None:
        raise OverloadedError("no answer")

    async def main() -> None:
        stream, told = Stream(counting(1), nothing), Told()
        stream.watch(told)
        with pytest.raises(OverloadedError):
            assert [piece async for piece in stream]
        assert told.ends == [("OverloadedError", None)]

    simulated(main())


@pytest.mark.parametrize("read", [0, 1, 2])
def test_closed_early_the_source_is_closed_once(read: int) -> None:
    closed = []

    async def source() -> AsyncGenerator[int, None]:
        try:
            async for number in counting(5):
                yield number
        finally:
            closed.append(True)

    async def main() -> None:
        stream, told = stream_of(source())
        async with stream:
            for _ in range(read):
                await anext(stream)
        await stream.aclose()
        assert [piece async for piece in stream] == []
        assert told.ends == [("GeneratorExit", None)]
        assert closed == [True] * bool(read)

    simulated(main())


def test_opened_and_closed_the_piece_that_came_is_gone() -> None:
    async def main() -> None:
        stream, told = stream_of(counting(1))
        await stream.open()
        await stream.aclose()
        assert [piece async for piece in stream] == []
        assert told.ends == [("GeneratorExit", None)]

    simulated(main())


def test_a_forgotten_stream_is_closed_by_its_loop_without_a_garbage_collection() -> None:
    async def main() -> list[tuple[str, Any]]:
        stream, told = stream_of(counting(5))
        await anext(stream)
        del stream
        for _ in range(3):
            await asyncio.sleep(0)
        return told.ends

    gc.disable()
    try:
        assert simulated(main()) == [("GeneratorExit", None)]
    finally:
        gc.enable()


def test_who_watches_late_is_told_at_once() -> None:
    async def main() -> None:
        stream, _ = stream_of(at_once(0))
        assert [piece async for piece in stream] == []
        late = Told()
        stream.watch(late)
        assert late.ends == [("NoneType", "whole")]

    simulated(main())


def test_a_cancellation_while_the_source_is_being_closed_still_tells_of_the_end() -> None:
    async def source() -> AsyncGenerator[int, None]:
        try:
            yield 0
        finally:
            await asyncio.sleep(1)

    async def main() -> list[tuple[str, Any]]:
        stream, told = stream_of(source())
        await anext(stream)
        closing = asyncio.create_task(stream.aclose())
        await asyncio.sleep(0.5)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        return told.ends

    assert simulated(main()) == [("GeneratorExit", None)]


# ------------------------------------------------------------------ guarded


class Limits:
    """A guard that counts."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.checked = self.waited = 0

    def check(self) -> None:
        self.checked += 1

    async def wait(self, piece: Awaitable[Any]) -> Any:
        self.waited += 1
        async with asyncio.timeout(self.seconds):
            return await piece


def test_a_guard_waits_only_for_what_is_not_there() -> None:
    async def main() -> tuple[int, int, int]:
        ready, late = Limits(1), Limits(1)
        first, _ = stream_of(at_once(100))
        first.guard(ready)
        assert [piece async for piece in first] == list(range(100))
        second, _ = stream_of(counting(3, pause=0.9))
        second.guard(late)
        assert [piece async for piece in second] == [0, 1, 2]
        return ready.checked, ready.waited, late.waited

    assert simulated(main()) == (101, 0, 3)


def test_a_guards_error_is_the_streams_end_and_the_source_is_cancelled() -> None:
    seen = []

    async def source() -> AsyncGenerator[int, None]:
        yield 0
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def main() -> list[tuple[str, Any]]:
        stream, told = stream_of(source())
        stream.guard(Limits(1))
        await anext(stream)
        with pytest.raises(TimeoutError):
            await anext(stream)
        return told.ends

    assert simulated(main()) == [("TimeoutError", None)]
    assert seen == ["cancelled"]


def test_a_source_may_pause_several_times_for_one_piece_and_catch_what_it_is_thrown() -> None:
    async def source() -> AsyncGenerator[int, None]:
        for _ in range(3):
            await asyncio.sleep(0.1)
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            await asyncio.sleep(0.1)
            raise OverloadedError("gave up") from None
        yield 1

    async def main() -> None:
        stream, _ = stream_of(source())
        stream.guard(Limits(1))
        with pytest.raises(OverloadedError):
            await anext(stream)

    simulated(main())


# ------------------------------------------------------------------ as attempts


class Log:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.decisions: list[Decision] = []

    def started(self, call: Call) -> None:
        self.told.append(f"started {call.attempt}")

    def succeeded(self, call: Call, value: Any) -> None:
        self.told.append(f"succeeded {call.attempt}: {value}")

    def failed(self, call: Call, error: BaseException, decision: Decision) -> None:
        self.told.append(f"failed {call.attempt}: {type(error).__name__}")
        self.decisions.append(decision)

    def cancelled(self, call: Call) -> None:
        self.told.append(f"cancelled {call.attempt}")


async def asked(
    *sources: AsyncGenerator[int, None], log: Log, deadline: float | None = None, **options: Any
) -> Stream[int]:
    """A call whose n-th attempt gives the n-th source."""

    async def effect(call: Call) -> Stream[int]:
        return Stream(sources[call.attempt - 1], lambda: "whole")

    call = Call("llm", "m", {}, deadline=deadline)
    retry = Retry(max_retries=2, is_retryable=is_retryable_llm_error, **options)
    stream: Stream[int] = await retrying(call, effect, retry=retry, run=Run(1), observer=log)
    return stream


def test_up_to_the_first_piece_it_is_tried_again() -> None:
    log = Log()

    async def main() -> None:
        busy = OverloadedError("busy")
        stream = await asked(breaking(0, busy), breaking(0, busy), counting(2), log=log)
        assert log.told[-1] == "started 3"
        assert [piece async for piece in stream] == [0, 1]

    simulated(main())
    assert [entry.partition(":")[0] for entry in log.told] == [
        "started 1", "failed 1", "started 2", "failed 2", "started 3", "succeeded 3",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "reason", "retryable"),
    [(OverloadedError("busy"), "begun", True), (QuotaError("no money"), "permanent", False)],
)
def test_from_the_first_piece_on_it_is_not(error: Exception, reason: str, retryable: bool) -> None:
    log = Log()

    async def main() -> None:
        stream = await asked(breaking(1, error), counting(2), log=log)
        assert await anext(stream) == 0
        with pytest.raises(type(error)) as caught:
            await anext(stream)
        # A caller further out, who throws everything away, may begin anew.
        assert is_permanent(caught.value) != retryable

    simulated(main())
    assert log.told == ["started 1", f"failed 1: {type(error).__name__}"]
    assert log.decisions == [Decision(retryable, reason=reason)]


def test_each_piece_has_the_time_of_an_attempt() -> None:
    log = Log()

    async def main() -> None:
        stream = await asked(counting(5, pause=0.9), log=log, timeout=1.0)
        assert [piece async for piece in stream] == list(range(5))
        stalling = await asked(counting_then_stall(), log=log, timeout=1.0)
        assert await anext(stalling) == 0
        with pytest.raises(CallTimeoutError):
            await anext(stalling)

    simulated(main())
    assert log.told[-1] == "failed 1: CallTimeoutError"


async def counting_then_stall() -> AsyncGenerator[int, None]:
    yield 0
    await asyncio.Event().wait()


@pytest.mark.parametrize("pause", [0.0, 0.3])
def test_the_deadline_stands_for_all_pieces_however_they_come(pause: float) -> None:
    log = Log()

    async def endless() -> AsyncGenerator[int, None]:
        loop = asyncio.get_running_loop()
        while True:
            if pause:
                await asyncio.sleep(pause)
            elif loop.time() < 100:  # always ready: nothing but the check between can end it
                yield 0
                await asyncio.sleep(0.7)
            yield 1

    async def main() -> float:
        stream = await asked(endless(), log=log, timeout=1.0, deadline=2.0)
        with pytest.raises(DeadlineExceeded):
            async for _ in stream:
                pass
        return asyncio.get_running_loop().time()

    assert simulated(main()) >= 2.0
    assert log.told == ["started 1", "failed 1: DeadlineExceeded"]


def test_no_first_piece_in_time_is_an_attempt_that_failed() -> None:
    log = Log()

    async def main() -> None:
        stream = await asked(counting(1, pause=5), counting(1), log=log, timeout=1.0)
        assert [piece async for piece in stream] == [0]

    simulated(main())
    assert log.told[1:] == ["failed 1: CallTimeoutError", "started 2", "succeeded 2: whole"]


@pytest.mark.parametrize("pieces", [0, 3])
def test_cancelled_at_any_moment_the_attempt_ends_once(pieces: int) -> None:
    outcomes = set()

    async def reader(log: Log) -> None:
        async with await asked(counting(pieces, pause=0.2), log=log, timeout=1.0) as stream:
            async for _ in stream:
                await asyncio.sleep(0.2)

    async def main(moment: float) -> None:
        log = Log()
        reading = asyncio.create_task(reader(log))
        await asyncio.sleep(moment)
        reading.cancel()
        try:
            await reading
        except asyncio.CancelledError:
            assert log.told in (
                [],
                ["started 1", "cancelled 1"],
                ["started 1", "succeeded 1: whole"],
            )
        else:
            assert log.told == ["started 1", "succeeded 1: whole"]
        outcomes.add(tuple(log.told))

    for tenth in range(15):
        simulated(main(tenth / 10 + 0.01))
    assert ("started 1", "succeeded 1: whole") in outcomes
    assert pieces == 0 or ("started 1", "cancelled 1") in outcomes


def test_a_reader_that_stops_leaves_a_cancelled_attempt() -> None:
    log = Log()

    async def main() -> None:
        async with await asked(counting(5), log=log) as stream:
            async for _ in stream:
                break

    simulated(main())
    assert log.told == ["started 1", "cancelled 1"]
