"""Steps as users see them: pydantic models, built only when somebody asks for one."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from robotape.models.kinds import StepStatus, StepType, timestamp
from robotape.runtime import current_scope, new_uuid

__all__ = [
    "Step",
    "StepMetadata",
    "StepResult",
    "StepStatus",
    "StepType",
    "TapeMetadata",
    "timestamp",
]


def _now() -> str:
    scope = current_scope()
    return timestamp(0.0 if scope is None else scope.run.now())


class StepMetadata(BaseModel):
    """Where a step comes from.

    Attributes:
        id: Unique; derives from the run's seed where there is a run.
        timestamp: ISO text, counted from the run's start.
        agent: Path of the agent.
        node: What the agent dealt with: a tool's name, `llm`, or a name of the user's.
        prompt_id: The user's own link to a prompt.
        call_id: The corridor call this step is part of.
        attempt: 1-based attempt of that call; 0 where it was turned away before any.
        facts: What else the corridor wrote down: key, delay, retryable, cached and the like.
    """

    model_config = ConfigDict(defer_build=True)

    id: UUID = Field(default_factory=new_uuid)
    timestamp: str = Field(default_factory=_now)
    agent: str = ""
    node: str = ""
    prompt_id: str | None = None
    call_id: str | None = None
    attempt: int = 0
    facts: dict[str, Any] = Field(default_factory=dict)


class Step(BaseModel):
    """One entry of a tape.

    Attributes:
        type: What it is.
        content: JSON-like for steps of the corridor; anything for a step of the user's.
        metadata: Where it comes from.
        status: How far it has come.
    """

    model_config = ConfigDict(defer_build=True)

    type: StepType
    content: Any
    metadata: StepMetadata = Field(default_factory=StepMetadata)
    status: StepStatus = StepStatus.COMPLETED

    @property
    def step_id(self) -> str:
        """The id as text."""
        return str(self.metadata.id)


class StepResult(BaseModel):
    """What executing one step gave.

    Attributes:
        success: Whether it did what it was to do.
        output: What came out, if anything did.
        error: Why not, in words.
        metadata: The user's own facts.
    """

    model_config = ConfigDict(defer_build=True)

    success: bool
    output: Any = None
    error: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class TapeMetadata(BaseModel):
    """What a tape is of.

    Attributes:
        author: The agent whose run it is.
        parent_id: The tape it was cloned or branched from.
        created_at: ISO text; the run's epoch, 1970-01-01, for no wall time is kept.
        tape_id: The run's id, or one derived from the parent's.
        seed: From which the run's ids and jitter derive.
    """

    model_config = ConfigDict(defer_build=True)

    author: str = ""
    parent_id: str | None = None
    created_at: str = timestamp(0.0)
    tape_id: str = ""
    seed: int = 0
