"""The agents of the how-to pages, cancelled at every step, end at once and leave nothing."""

import asyncio
import contextlib
import gc
import re
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import Context
from datetime import date
from pathlib import Path
from typing import Any, TypeVarTuple

import pytest
from yarl import URL

from robotape import BaseAgent, LLMAgent, Retry, Tape, Tool
from robotape.agents import Team
from robotape.http import HttpLimits, HttpPool, HttpReply
from robotape.models.steps import StepResult
from robotape_harness import FunctionLLM, Scenario, World, run_campaign
from robotape_harness.simulation import Choices, SimLoop
from tests.laws.scripts import broken_laws

Ts = TypeVarTuple("Ts")
PAGES = Path(__file__).parents[2] / "docs" / "how-to"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


Pages = dict[str, dict[str, Any]]
NAMES = (
    "cache-calls",
    "compose-agents",
    "handle-errors",
    "make-retries-safe",
    "permit-and-refuse",
    "pool-connections",
    "process-large-inputs",
    "run-concurrently",
    "validate-input",
)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    """The names of each page, once all its examples have run."""
    known: Pages = {name: {} for name in NAMES}
    for name in NAMES:
        with contextlib.chdir(tmp_path_factory.mktemp(name)):
            for number, code in enumerate(BLOCK.findall((PAGES / f"{name}.md").read_text())):
                exec(compile(code, f"{name}-{number}", "exec"), known[name])
    return known


def slow(milliseconds: int) -> Tool[Any]:
    """A tool that takes its time and fails once, so that there is something to cancel."""

    async def order(book: str) -> str:
        await asyncio.sleep(milliseconds / 1000)
        raise ConnectionResetError("reset")

    return Tool(order, retry=Retry(max_retries=2))


def patient() -> Tool[Any]:
    """A tool that takes its time."""

    async def order(book: str) -> str:
        await asyncio.sleep(0.005)
        return book

    return Tool(order)


def correcting(guess: Callable[..., Any]) -> LLMAgent:
    """The page's model, whose first call is refused, with a tool that takes its time."""

    async def book(room: str, /, start: date, *, nights: int = 1) -> str:
        await asyncio.sleep(0.005)
        return f"{room}, {start}, {nights}"

    return LLMAgent("clerk", FunctionLLM(guess), tools=[Tool(book)])


async def twice(start: Callable[[], Awaitable[Any]]) -> None:
    """The same at once, as the pages have it."""
    await asyncio.gather(start(), start())


class Unlucky:
    """Chance, when it never helps."""

    def random(self) -> float:
        return 0.0


async def always_unlucky(page: dict[str, Any]) -> None:
    """The page's tool of a class, whose every attempt fails."""
    page["chance"] = Unlucky()
    with contextlib.suppress(ValueError):
        await page["RetryTool"](max_retries=2).execute({})


async def cold(look_up: Any, callers: int) -> None:
    """Several callers on one key that nobody has asked for yet."""
    look_up.cache_clear()
    await asyncio.gather(*[look_up("Oslo") for _ in range(callers)])


RUNS: dict[str, Callable[[Pages, Tape], Awaitable[Any]]] = {
    "robust": lambda pages, tape: pages["handle-errors"]["RobustAgent"](
        "robust", tools=[slow(5)]
    ).run({"action": "order", "arguments": {"book": "Emma"}}, tape=tape, seed=1),
    "tool that tries again": lambda pages, tape: pages["make-retries-safe"]["attempts"]("1"),
    "model in a tool that tries again": lambda pages, tape: pages["make-retries-safe"]["ask"](),
    "tool as a class": lambda pages, tape: always_unlucky(pages["make-retries-safe"]),
    "cached for many": lambda pages, tape: cold(pages["cache-calls"]["look_up"], 5),
    "restricted": lambda pages, tape: pages["permit-and-refuse"]["RestrictedAgent"](
        "reader", ["order"], tools=[patient()]
    ).run({"action": "order", "arguments": {"book": "Emma"}}, tape=tape, seed=1),
    "corrected": lambda pages, tape: correcting(pages["validate-input"]["guess"]).run(
        "Room 12, please", tape=tape
    ),
    "gathered": lambda pages, tape: twice(pages["run-concurrently"]["run_concurrent_agents"]),
    "many": lambda pages, tape: pages["run-concurrently"]["read_all"](7),
    "large input in a tool": lambda pages, tape: pages["process-large-inputs"]["agent"].run(
        "How large?", deps=pages["process-large-inputs"]["Archive"](), tape=tape
    ),
    "large input in an agent": lambda pages, tape: pages["process-large-inputs"]["sieve"].run(
        "log", deps=pages["process-large-inputs"]["Archive"](), tape=tape
    ),
    "team at once": lambda pages, tape: Team("desk", pages["compose-agents"]["views"]).run(
        "Shall we?", tape=tape
    ),
}


# Nothing in them waits for anything, so there is no moment at which they could be cancelled.
NEVER_WAITS = {"agent as tool", "hand-off"}


class CancelsATask(asyncio.BaseEventLoop):
    """Cancels a task when the n-th callback or timer is set."""

    left = 0
    moment = 0.0
    task: "asyncio.Future[Any] | None" = None

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        handle = super().call_soon(callback, *args, context=context)
        self._count()
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = super().call_at(when, callback, *args, context=context)
        self._count()
        return handle

    def _count(self) -> None:
        if self.task is not None:
            self.left -= 1
            if self.left == 0:
                self.moment = self.time()
                super().call_soon(self.task.cancel)


class Cancelling(CancelsATask, SimLoop):
    """It in virtual time."""


class ReallyCancelling(CancelsATask, asyncio.SelectorEventLoop):
    """It with real sockets."""


def cancelled_after(steps: int, start: Callable[[Tape], Awaitable[Any]]) -> bool:
    """Cancel it after so many steps, and judge what is left; False if it had ended by then."""
    loop, tape = Cancelling(Choices.seeded(steps)), Tape()

    async def main() -> bool:
        loop.left = steps
        loop.task = task = asyncio.ensure_future(start(tape))
        try:
            await task
        except asyncio.CancelledError:
            return True
        return False

    is_cancelled = loop.run_until_complete(main())
    if is_cancelled:
        assert loop.time() == loop.moment, "it took its time to end"
    assert broken_laws(tape) == []
    assert tape.pending == {}
    assert not loop.leftovers().tasks
    assert not loop.leftovers().timers
    loop.close()
    return is_cancelled


@pytest.mark.parametrize("name", RUNS)
def test_an_example_is_cancelled_at_every_step(name: str, pages: Pages) -> None:
    # The first twenty steps one by one, then in strides: the pieces of a stream are all alike.
    points = [*range(1, 20), *range(20, 400, 17)]
    ends = [cancelled_after(steps, lambda tape: RUNS[name](pages, tape)) for steps in points]
    assert ends == sorted(ends, reverse=True), "once it has ended it cannot be cancelled"
    assert ends[0] is (name not in NEVER_WAITS)
    assert not ends[-1]


def is_servers(task: "asyncio.Task[Any]") -> bool:
    """Whether it accepts a connection or answers its requests, on the other side."""
    name = getattr(task.get_coro(), "__qualname__", "")
    return "_accept_connection" in name or name.startswith("RequestHandler.")


async def cancelled_over_sockets(
    loop: ReallyCancelling, steps: int, page: dict[str, Any], tape: Tape
) -> bool:
    """Cancel the page's agent, which shares its one connection; False if it had ended by then."""
    pool = HttpPool(limits=HttpLimits(connections_per_host=1))
    async with asyncio.timeout(5), page["Shop"]() as shop, pool:
        before = asyncio.all_tasks()
        run = page["clerk"](str(shop.make_url("/"))).run("Both?", deps=pool, tape=tape)
        loop.task, loop.left = asyncio.ensure_future(run), steps
        await asyncio.wait([loop.task])
        is_cancelled = loop.task.cancelled()
        loop.task = None
        assert [task for task in asyncio.all_tasks() - before if not is_servers(task)] == []
        # Nobody keeps the connection from the next who asks.
        assert (await pool.request("GET", shop.make_url("/Emma"))).status == 200
    assert asyncio.all_tasks() == {asyncio.current_task()}
    return is_cancelled


def test_requests_of_an_agent_are_cancelled_at_every_step(pages: Pages) -> None:
    ends = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for steps in range(1, 150):
            tape, loop = Tape(), ReallyCancelling()
            with asyncio.Runner(loop_factory=[loop].pop) as runner:
                page = pages["pool-connections"]
                ends.append(runner.run(cancelled_over_sockets(loop, steps, page, tape)))
            assert broken_laws(tape) == []
            assert tape.pending == {}
        gc.collect()
    assert [str(warning.message) for warning in caught] == []  # such as: unclosed session
    assert sum(ends) >= 20, "two requests wait more often than that"
    assert not any(ends[-20:])


def test_control_an_agent_that_catches_too_much_is_not_cancelled() -> None:
    class Stubborn(BaseAgent):
        async def execute_step(self, step: Any) -> Any:
            try:
                return await super().execute_step(step)
            except BaseException:
                return StepResult(success=False, error="I go on")

    wish = {"action": "order", "arguments": {"book": "Emma"}}
    stubborn = Stubborn("stubborn", tools=[slow(5)])
    assert not any(
        cancelled_after(steps, lambda tape: stubborn.run(wish, tape=tape)) for steps in (4, 5, 6)
    )


class Archive(World):
    """Gives files in a few small pieces."""

    async def read_large_file(self, name: str) -> AsyncIterator[bytes]:
        for _ in range(3):
            yield bytes(10)


@pytest.mark.parametrize("name", ["agent", "sieve"])
def test_no_fault_breaks_the_agents_for_large_inputs(name: str, pages: Pages) -> None:
    agent = pages["process-large-inputs"][name]
    report = run_campaign(Scenario(world=Archive, agent=lambda world: agent, task="log"))
    assert report.status == "sound", report


class Books(World):
    """Stands in for the pool, without a network."""

    async def request(self, method: str, url: str) -> HttpReply:
        await asyncio.sleep(0.01)
        return HttpReply(200, {}, b'{"book": "Emma", "cents": 900}', URL(url))


def test_no_fault_breaks_the_agent_that_fetches(pages: Pages) -> None:
    clerk = pages["pool-connections"]["clerk"]("https://books.example/")
    report = run_campaign(Scenario(world=Books, agent=lambda world: clerk, task="Both?"))
    assert report.status == "sound", report


def test_no_fault_breaks_the_agent_that_corrects_itself(pages: Pages) -> None:
    clerk = pages["validate-input"]["clerk"]
    report = run_campaign(Scenario(world=World, agent=lambda world: clerk, task="Room 12"))
    assert report.status == "sound", report
