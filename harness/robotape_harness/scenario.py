"""A scenario: an agent, a task and a world, as one value that can be run again and again."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from robotape.agents import BaseAgent, RunResult
from robotape.errors import RobotapeError
from robotape_harness.world import World

__all__ = ["Scenario", "ScenarioError"]


class ScenarioError(RobotapeError):
    """The scenario itself is at fault, not the agent in it; no oracle judges such a run."""


def _all_effects(_: RunResult, world: World) -> object:
    return world.ledger.totals()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is simulated.

    Attributes:
        world: Makes the outside, fresh for each run.
        agent: Makes the agent that lives in it.
        task: What the agent is asked.
        outcome: What must equal the fault-free run; by default every effect in the ledger.
        principal: On whose behalf; None for nobody in particular.
        deadline: Virtual seconds after which a run counts as hanging; > 0.
        run: How the agent is set going, for one whose `run` is not the way:
            (agent, world, task) -> result.
        oracles: Judges of the scenario's own, beside those there are: functions of an `Evidence`
            that give what they accuse of, named by their `__name__`.
        waived: Oracle id -> why its verdicts do not count here.
        name: For reports; the loader fills it in with the name it was found under.
    """

    world: Callable[[], World]
    agent: Callable[[Any], BaseAgent]
    task: Any
    outcome: Callable[[RunResult, Any], object] = _all_effects
    principal: str | None = None
    deadline: float = 86_400.0
    run: Callable[[Any, Any, Any], Awaitable[RunResult]] | None = None
    oracles: tuple[Callable[[Any], Any], ...] = ()
    waived: Mapping[str, str] = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        if self.deadline <= 0:
            raise ValueError(f"a scenario's deadline must be > 0 s, got {self.deadline}")
        for part in ("world", "agent"):
            if not callable(getattr(self, part)):
                raise TypeError(
                    f"a scenario makes its {part} anew for each run: give a class or a function, "
                    f"not {getattr(self, part)!r}"
                )
        names = [getattr(oracle, "__name__", "") for oracle in self.oracles]
        if len(set(names)) < len(names) or not all(map(str.isidentifier, names)):
            raise ValueError(
                "a scenario's oracles are functions that differ in name, for it stands in reports "
                f"and waivers; got {', '.join(map(repr, names))}"
            )
        silent = [oracle for oracle, reason in self.waived.items() if not reason.strip()]
        if silent:
            raise ValueError(f"a waiver needs a reason; {', '.join(silent)} has none")
