"""Laws of marks in the core: nothing outside a simulation, the listener's answer inside one."""

import asyncio

from robotape.marks import reachable, sometimes


class Listener:
    """A simulation, as far as marks know one."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def sometimes(self, name: str) -> bool:
        self.heard.append(name)
        return True

    def reachable(self, name: str) -> None:
        self.heard.append(name)


async def come_by() -> bool:
    reachable("here")
    return sometimes("cache_miss")


def test_without_a_loop_nothing_happens() -> None:
    reachable("here")
    assert sometimes("cache_miss") is False


def test_on_a_real_loop_nothing_happens() -> None:
    assert asyncio.run(come_by()) is False


def test_the_loops_listener_is_told_and_answers() -> None:
    listener = Listener()
    with asyncio.Runner() as runner:
        vars(runner.get_loop())["robotape_marks"] = listener
        assert runner.run(come_by()) is True
    assert listener.heard == ["here", "cache_miss"]
