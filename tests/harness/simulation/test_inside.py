"""Inside: a thread stands in one run or in none, and whoever listens hears of every draw."""

import asyncio
import threading
from typing import Any

import pytest

from robotape_harness import SimLoop, allow_real
from robotape_harness.simulation import EscapeError
from robotape_harness.simulation.inside import Draw, enter, fence, inside
from tests.harness.simulation.draws import CHANCE, CLOCKS


@pytest.fixture
def loop() -> Any:
    made = SimLoop()
    yield made
    made.close()


def test_a_thread_outside_all_runs_gets_the_real_thing(loop: SimLoop) -> None:
    assert inside("clock", "time.time") is None
    assert fence("sockets", "socket.connect", "") is None


def test_a_run_is_left_as_it_was_entered(loop: SimLoop) -> None:
    before = enter(loop.inside)
    assert before is None
    assert inside("clock", "time.time") is loop.inside
    assert enter(before) is loop.inside
    assert inside("clock", "time.time") is None


def test_another_thread_is_not_inside(loop: SimLoop) -> None:
    seen: list[object] = []
    before = enter(loop.inside)
    thread = threading.Thread(target=lambda: seen.append(inside("clock", "time.time")))
    thread.start()
    thread.join()
    enter(before)
    assert seen == [None]


def test_a_fence_holds_unless_it_is_allowed(loop: SimLoop) -> None:
    before = enter(loop.inside)
    try:
        with pytest.raises(EscapeError, match=r"socket\.connect"):
            fence("sockets", "socket.connect", "do not")
        with allow_real("sockets"):
            assert fence("sockets", "socket.connect", "do not") is loop.inside
        with allow_real("sockets"), pytest.raises(EscapeError):
            fence(None, "asyncio.new_event_loop", "do not")
    finally:
        enter(before)
    assert [escape.hint for escape in loop.escapes] == ["do not", "do not"]


def test_whoever_listens_hears_of_every_draw(loop: SimLoop) -> None:
    heard: list[Draw] = []
    loop.inside.note = heard.append

    async def main() -> None:
        CLOCKS["time.time"]()
        await asyncio.to_thread(CHANCE["uuid.uuid4"])
        with allow_real("clock"):
            CLOCKS["datetime.now"]()

    loop.run_until_complete(main())
    assert [(draw.kind, draw.call, draw.is_real) for draw in heard] == [
        ("clock", "time.time", False),
        ("entropy", "os.urandom", False),
        ("clock", "datetime.now", True),
    ]
    assert all("draws.py:" in draw.where for draw in heard)
