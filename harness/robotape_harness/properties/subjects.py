"""What can be fuzzed of a target: its tools, and a world for those that a scenario has."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from robotape.agents import BaseAgent
from robotape.errors import RobotapeError
from robotape.tools import Tool
from robotape_harness.scenario import Scenario

__all__ = ["NothingToFuzz", "Subject", "subjects"]


class NothingToFuzz(RobotapeError):
    """A target holds no tool."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A tool, and where its body may be called.

    Attributes:
        tool: What is fuzzed.
        world: Makes what the body gets as `ctx.deps`; None where there is no world to act in.
    """

    tool: Tool[Any]
    world: Callable[[], Any] | None = None


def subjects(module: ModuleType, name: str) -> list[Subject]:
    """The tools of a module, or of one thing in it: a tool, an agent or a scenario.

    Args:
        module: Imported.
        name: Of its attribute; empty for all there are.

    Returns:
        Each tool once, by name; with a world where a scenario has the tool.

    Raises:
        NothingToFuzz: There is no such attribute, or no tool in it.
    """
    held = vars(module)
    if name and name not in held:
        raise NothingToFuzz(f"there is no {name!r} in {module.__name__}")
    values = [held[name]] if name else list(held.values())
    found: dict[str, Subject] = {}
    for value in values:
        for subject in _of(value):
            known = found.get(subject.tool.name)
            if known is None or known.world is None:
                found[subject.tool.name] = subject
    if not found:
        where = f"{name!r} is" if name else "there is"
        raise NothingToFuzz(f"{where} no tool, and no agent or scenario that has one")
    return [found[each] for each in sorted(found)]


def _of(value: object) -> Iterator[Subject]:
    if isinstance(value, Tool):
        yield Subject(value)
    elif isinstance(value, BaseAgent):
        yield from (Subject(tool) for tool in value.tools.values())
    elif isinstance(value, Scenario):
        agent = value.agent(value.world())
        yield from (Subject(tool, value.world) for tool in agent.tools.values())
