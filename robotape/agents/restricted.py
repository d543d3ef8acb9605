"""An agent that acts only as a list of names lets it; finer rights are a policy's business."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from robotape import models
from robotape.agents.base import BaseAgent

if TYPE_CHECKING:
    from robotape.models.steps import Step, StepResult

__all__ = ["RestrictedAgent"]


class RestrictedAgent(BaseAgent):
    """Refuses every action that is not on its list, before anything is looked at.

    Names are compared as they are: a spelling variant is another name.
    """

    def __init__(self, name: str, allowed_actions: Iterable[str], **options: Any) -> None:
        """Make an agent.

        Args:
            name: As for `BaseAgent`.
            allowed_actions: Tool names it may call; read once.
            options: As for `BaseAgent`.
        """
        super().__init__(name, **options)
        self.allowed_actions = frozenset(allowed_actions)

    async def act(self, thought: "Step") -> "StepResult":
        """Act, if the action is allowed."""
        content = thought.content
        action = content.get("action") if isinstance(content, Mapping) else None
        if not isinstance(action, str) or action not in self.allowed_actions:
            return models.StepResult(
                success=False, error="Action not allowed", metadata={"action": action}
            )
        return await super().act(thought)
