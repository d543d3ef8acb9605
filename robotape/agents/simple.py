"""The smallest agent: it thinks of what it is given, and acts when told to."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from robotape import models
from robotape.agents.base import BaseAgent

if TYPE_CHECKING:
    from robotape.models.steps import StepResult

__all__ = ["SimpleAgent"]


class SimpleAgent(BaseAgent):
    """An agent without a model, for fixed work and for a first try.

    Example:
        >>> import asyncio
        >>> result = asyncio.run(SimpleAgent("my_agent").think({"task": "process data"}))
        >>> result.output
        'Processing task: process data'
    """

    async def think(self, context: Any) -> "StepResult":
        """Say what is to be done; an `action` in the context is passed on to be acted on."""
        if isinstance(context, Mapping) and "action" in context:
            return models.StepResult(success=True, output=dict(context))
        if isinstance(context, Mapping):
            told = ", ".join(f"{key}: {value}" for key, value in context.items())
        else:
            told = str(context)
        return models.StepResult(success=True, output=f"Processing {told}")
