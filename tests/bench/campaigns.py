"""The campaign's cost table: single faults, pairs, and what a second worker brings."""

import time
from collections.abc import Iterator

from table import Row

from robotape import BaseAgent, LLMAgent, RunContext, RunResult, Tool
from robotape_harness import Scenario, ScriptedLLM, World, call, run_campaign, say
from robotape_harness.campaign.budget import Budget

__all__ = ["rows"]

CALLS = 16
CASES = 160  # 16 calls x 5 faults, once and for ever


async def step(n: str) -> str:
    """Do one thing."""
    return f"did {n}"


async def way(order: str) -> str:
    """One of two ways."""
    return order


class Lenient(BaseAgent):
    """Hides it if both ways fail, which no single fault shows."""

    async def work(self, task: object, deps: World) -> RunResult:
        """Try one way, then the other, then pay."""
        for name in ("main", "spare"):
            try:
                await self.call_tool(name, {"order": "42"}, RunContext(deps))
            except Exception:
                continue
            deps.ledger.commit("payment", order="42")
            break
        return RunResult("paid", self.current_tape)


def rows() -> Iterator[Row]:
    """CPU seconds; but what a second worker brings, only the wall can tell, on an idle machine."""
    yield Row("160 single faults of a 16-call agent, once and for ever", _singles(), 0.5, "s")
    yield Row("a bug that only a pair shows, found", _pair(), 5, "s")
    yield Row("throughput of two workers, in times of one", _speedup(), 1.7, "x", at_least=True)


def _steps(count: int) -> Scenario:
    steps = [call("step", n=str(n)) for n in range(count)]
    return Scenario(
        world=World,
        agent=lambda _: LLMAgent("worker", ScriptedLLM(*steps, say("done")), tools=[Tool(step)]),
        task="go",
    )


def _singles() -> float:
    """Model calls and tool calls in turn, the first 160 of their faults; the best of three."""
    scenario = _steps(CALLS // 2)
    return min(_spent(scenario) for _ in range(3))


def _spent(scenario: Scenario) -> float:
    start = time.process_time()
    run_campaign(scenario, budget=Budget(runs=CASES), stages=("singles",))
    return time.process_time() - start


def _pair() -> float:
    lenient = Scenario(
        world=World,
        agent=lambda _: Lenient("lenient", tools=[Tool(way, name="main"), Tool(way, name="spare")]),
        task="go",
    )
    start = time.process_time()
    report = run_campaign(lenient, stages=("singles", "pairs"))
    taken = time.process_time() - start
    assert report.findings and {len(each.case.faults) for each in report.findings} == {2}
    return taken


def _speedup() -> float:
    """Of three pairs of campaigns in alternation, the best; long enough that forking is nothing."""
    scenario = _steps(8)
    pairs = [
        (
            _timed(scenario, ("singles", "pairs"), runs=1_000),
            _timed(scenario, ("singles", "pairs"), runs=1_000, workers=2),
        )
        for _ in range(3)
    ]
    return max(alone / together for alone, together in pairs)


def _timed(scenario: Scenario, stages: tuple[str, ...], *, runs: int, workers: int = 1) -> float:
    start = time.perf_counter()
    report = run_campaign(scenario, budget=Budget(runs=runs), stages=stages, workers=workers)
    assert not report.findings
    return time.perf_counter() - start
