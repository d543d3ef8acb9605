"""The watchdog: who blocks the thread is named, and cannot hide it."""

import asyncio
import pickle
import signal
import threading
from collections.abc import Iterator

import pytest

from robotape_harness.simulation import BlockedThreadError, SimLoop

LIMIT = 0.1
SEVERAL_LIMITS = 4.0


def block(seconds: float = SEVERAL_LIMITS) -> None:
    threading.Event().wait(seconds)


@pytest.fixture
def loop() -> Iterator[SimLoop]:
    with_home = SimLoop(block_limit=LIMIT)
    yield with_home
    with_home.close()


def here() -> str:
    return f"{__file__}:{block.__code__.co_firstlineno + 1}"


def test_a_blocked_thread_is_named_and_interrupted(loop: SimLoop) -> None:
    async def main() -> None:
        block()

    with pytest.raises(BlockedThreadError) as caught:
        loop.run_until_complete(main())
    assert (caught.value.where, caught.value.function) == (here(), "block")
    assert f"more than {LIMIT:g} real s at {here()} in block" in str(caught.value)
    assert any(
        entry.endswith(" in test_a_blocked_thread_is_named_and_interrupted.<locals>.main")
        for entry in caught.value.stack
    )


def test_a_busy_thread_is_a_blocked_thread(loop: SimLoop) -> None:
    async def main() -> None:
        while True:
            pass

    with pytest.raises(BlockedThreadError, match=r"in .*main"):
        loop.run_until_complete(main())


def test_who_catches_the_error_does_not_hide_it(loop: SimLoop) -> None:
    went_on: list[str] = []

    async def main() -> None:
        try:
            block()
        except Exception:
            went_on.append("caught")
        await asyncio.sleep(1)
        went_on.append("next step")

    with pytest.raises(BlockedThreadError):
        loop.run_until_complete(main())
    assert went_on == ["caught"]


def test_who_catches_it_and_blocks_again_is_left_all_the_same(loop: SimLoop) -> None:
    async def main() -> None:
        while True:
            try:
                block()
            except Exception:
                continue

    with pytest.raises(BlockedThreadError):
        loop.run_until_complete(main())


def test_a_function_on_a_simulated_thread_is_watched_too(loop: SimLoop) -> None:
    with pytest.raises(BlockedThreadError):
        loop.run_until_complete(asyncio.to_thread(block))


def test_the_loop_can_be_torn_down_afterwards() -> None:
    released: list[str] = []

    async def hold() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            released.append("hold")

    async def main() -> None:
        task = asyncio.create_task(hold())
        await asyncio.sleep(1)
        block()
        await task

    with (
        pytest.raises(BlockedThreadError),
        asyncio.Runner(loop_factory=lambda: SimLoop(block_limit=LIMIT)) as runner,
    ):
        runner.run(main())
    assert released == ["hold"]


def test_control_many_short_steps_are_no_block(loop: SimLoop) -> None:
    async def main() -> int:
        steps = 0
        for _ in range(8):
            block(LIMIT / 4)
            await asyncio.sleep(0)
            steps += 1
        return steps

    assert loop.run_until_complete(main()) == 8


def test_control_without_a_limit_nothing_is_watched() -> None:
    loop = SimLoop(block_limit=None)
    seen: list[object] = []

    async def main() -> None:
        seen.append(signal.getitimer(signal.ITIMER_REAL)[0])

    loop.run_until_complete(main())
    loop.close()
    assert seen == [0.0]


def test_signal_and_timer_go_back_to_whoever_had_them(loop: SimLoop) -> None:
    rung: list[int] = []

    def ring(signum: int, frame: object) -> None:
        rung.append(signum)

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 50)
        loop.run_until_complete(asyncio.sleep(1))
        assert signal.getsignal(signal.SIGALRM) is ring
        assert 40 < signal.setitimer(signal.ITIMER_REAL, 0)[0] <= 50
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert rung == []


def test_a_timer_that_was_set_before_still_rings_during_the_run(loop: SimLoop) -> None:
    rung: list[int] = []

    def ring(signum: int, frame: object) -> None:
        rung.append(signum)

    async def main() -> None:
        for _ in range(8):
            block(LIMIT / 4)
            await asyncio.sleep(0)

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, LIMIT / 2)
        loop.run_until_complete(main())
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert rung == [signal.SIGALRM]


def test_outside_the_main_thread_the_block_is_named_once_it_ends() -> None:
    caught: list[BlockedThreadError] = []

    async def main() -> None:
        block(4 * LIMIT)
        await asyncio.sleep(1)

    def run() -> None:
        loop = SimLoop(block_limit=LIMIT)
        try:
            loop.run_until_complete(main())
        except BlockedThreadError as error:
            caught.append(error)
        finally:
            loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert [error.where for error in caught] == [here()]
    assert not [t for t in threading.enumerate() if t.name == "robotape-watchdog"]


def test_the_error_survives_a_trip_to_another_process() -> None:
    error = BlockedThreadError(5.0, "agent.py:3", "main", ("agent.py:3 in main",))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
