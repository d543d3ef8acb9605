"""Agents: what runs, from a task to a result; alone, or composed into teams."""

from robotape.agents.base import BaseAgent
from robotape.agents.delegation import as_tool
from robotape.agents.hand_off import HandOff
from robotape.agents.llm import LLMAgent, LLMAwareAgent
from robotape.agents.restricted import RestrictedAgent
from robotape.agents.result import RunResult, StopReason
from robotape.agents.simple import SimpleAgent
from robotape.agents.team import Team, Workflow
from robotape.agents.workflows import Parallel, Reviewed, Routed, Sequential, UnknownMemberError
from robotape.budget import Budget, BudgetExceeded

__all__ = [
    "BaseAgent",
    "Budget",
    "BudgetExceeded",
    "HandOff",
    "LLMAgent",
    "LLMAwareAgent",
    "Parallel",
    "RestrictedAgent",
    "Reviewed",
    "Routed",
    "RunResult",
    "Sequential",
    "SimpleAgent",
    "StopReason",
    "Team",
    "UnknownMemberError",
    "Workflow",
    "as_tool",
]
