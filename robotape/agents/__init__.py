"""Agents: what runs, from a task to a result."""

from robotape.agents.base import BaseAgent
from robotape.agents.llm import LLMAgent
from robotape.agents.restricted import RestrictedAgent
from robotape.agents.result import RunResult, StopReason
from robotape.agents.simple import SimpleAgent

__all__ = ["BaseAgent", "LLMAgent", "RestrictedAgent", "RunResult", "SimpleAgent", "StopReason"]
